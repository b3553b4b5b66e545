"""A real nginx in front of a server, with a certificate that it has made itself."""

import asyncio
import datetime
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.needs import missing

HOW = "What is behind a proxy is tested with nginx: `apt-get install nginx-light`."
# Debian has it where only root looks for programs.
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIGURATION = """
daemon off; pid {folder}/pid; error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate; ssl_certificate_key {folder}/key;
        location {path}/ {{
            proxy_pass {server}/;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Prefix {path};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
        }}
    }}
}}
"""


@asynccontextmanager
async def nginx(server: str, path: str, folder: Path) -> AsyncIterator[str]:
    """The address, without a slash at its end, under which nginx shows a server in a folder."""
    if not PROGRAM:
        missing(HOW)
    _certify(folder)
    port = free_port()
    written = CONFIGURATION.format(server=server, path=path, folder=folder, port=port)
    (folder / "nginx.conf").write_text(written)
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "-c", folder / "nginx.conf", "-p", folder, "-e", "stderr", stderr=sys.stderr
    )
    try:
        url = f"https://127.0.0.1:{port}{path}"
        await _answers(f"{url}/status", process)
        yield url
    finally:
        process.terminate()
        await process.wait()


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    with socket.create_server((address, 0)) as found:
        return found.getsockname()[1]


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20), aiohttp.ClientSession() as http:
        while process.returncode is None:
            try:
                async with http.get(url, ssl=False):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    raise AssertionError("nginx ended early")


def _certify(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(today).not_valid_after(today + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    (folder / "certificate").write_bytes(certificate.public_bytes(encoding))
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key").write_bytes(key.private_bytes(encoding, form, no_password))
