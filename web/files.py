"""The files of this folder over HTTP: packed once, and kept by browsers for as long as they hold.

`/web/NAME` is a file as it is now. `/web/DIGEST/NAME` is the same one under an address that changes
with any of the files, so a browser need never ask again. `/avatar.js` leads there. Our own scripts
travel without the lines that are only comments; each other line keeps its number.
"""

import gzip
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

WEB = Path(__file__).parent
ELEMENT = "element/avatar-call.js"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webp": "image/webp",
}
PACKED = {TYPES[suffix] for suffix in (".css", ".html", ".js", ".svg", ".txt")}
# Lines of a script that hold nothing else. No text in our scripts has a line that looks like one.
COMMENTS = re.compile(rb"^[ \t]*(//.*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)$", re.MULTILINE)
OTHERS = "vendor"
UNSEEN = {"node_modules", "__pycache__"}
DIGEST = re.compile("[0-9a-f]{16}")
REVALIDATED = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
# Pages of any origin may load the files, also those that isolate themselves.
FOR_ANYONE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class File:
    """A file as it is sent."""

    media_type: str
    content: bytes
    sha256: str

    @cached_property
    def packed(self) -> bytes | None:
        """The content for browsers that take gzip; None where that saves nothing."""
        packed = gzip.compress(self.content, mtime=0) if self.media_type in PACKED else b""
        return packed if 0 < len(packed) < len(self.content) else None

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """The file, or 304 when the browser has it."""
        packed = self.packed if "gzip" in request.headers.get("Accept-Encoding", "") else None
        etag = f'"{self.sha256[:16]}{"-gzip" if packed else ""}"'
        sent = {**headers, "ETag": etag, "Vary": "Accept-Encoding"}
        if etag in _etags(request):
            return Response(status_code=304, headers=sent)
        if packed:
            sent["Content-Encoding"] = "gzip"
        return Response(packed or self.content, headers=sent, media_type=self.media_type)


@dataclass(frozen=True)
class Folder:
    """A folder of files that may be seen by anybody; read again when one has changed."""

    root: Path = WEB

    def names(self) -> dict[str, Path]:
        """What can be asked for, by its path with slashes."""
        found: dict[str, Path] = {}
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in UNSEEN and name[0] != "."]
            for name in files:
                path = Path(folder, name)
                if path.suffix in TYPES and name[0] != ".":
                    found[path.relative_to(self.root).as_posix()] = path
        return dict(sorted(found.items()))

    def file(self, name: str) -> File | None:
        """A file by its path with slashes; None if there is none to be seen."""
        path = self.names().get(name)
        return read(path) if path else None

    def digest(self) -> str:
        """Names all files as they are now: 16 hexadecimal digits."""
        listed = "".join(f"{name} {read(path).sha256}\n" for name, path in self.names().items())
        return hashlib.sha256(listed.encode()).hexdigest()[:16]

    def page(self, request: Request, name: str, headers: Mapping[str, str]) -> Response:
        """A page, with what its browser shall know.

        Raises:
            HTTPException: 404, there is no such page.
        """
        file = self.file(name)
        if not file:
            raise HTTPException(404, f"There is no {name} here.")
        return file.answer(request, {**headers, "Cache-Control": REVALIDATED})

    def routes(self, prefix: str = "", pages: Mapping[str, str] | None = None) -> list[BaseRoute]:
        """The routes of the files below `prefix`; a page among them gets the headers `pages`."""

        # Plain functions, which Starlette runs in threads: reading and packing hold no loop.
        def element(request: Request) -> Response:
            text = f'export * from "./web/{self.digest()}/{ELEMENT}";\n'
            headers = {**FOR_ANYONE, "Cache-Control": REVALIDATED}
            return Response(text, headers=headers, media_type=TYPES[".js"])

        def shared(request: Request) -> Response:
            return self._shared(request, request.path_params["path"], pages or {})

        return [
            Route(f"{prefix}/avatar.js", element),
            Route(f"{prefix}/web/{{path:path}}", shared),
        ]

    def _shared(self, request: Request, path: str, pages: Mapping[str, str]) -> Response:
        digest, _, rest = path.partition("/")
        name = rest if DIGEST.fullmatch(digest) else path
        file = self.file(name)
        if not file:
            raise HTTPException(404, f"There is no file {name} here.")
        # A page that was loaded before the files changed asks for what there is now.
        keep = FOR_EVER if digest == self.digest() else REVALIDATED
        extra = pages if file.media_type == TYPES[".html"] else {}
        return file.answer(request, {**FOR_ANYONE, **extra, "Cache-Control": keep})


def _etags(request: Request) -> list[str]:
    """What the browser has already; a proxy may have made the tags weak ones."""
    given = request.headers.get("If-None-Match", "")
    return [tag.strip().removeprefix("W/") for tag in given.split(",")]


def read(path: Path) -> File:
    """A file of one of the known types; read again when it has changed."""
    status = path.stat()
    return _read_once(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read_once(path: Path, mtime_ns: int, size: int) -> File:
    content = path.read_bytes()
    if path.suffix == ".js" and OTHERS not in path.parts:
        content = COMMENTS.sub(lambda found: b"\n" * found[0].count(b"\n"), content)
    return File(TYPES[path.suffix], content, hashlib.sha256(content).hexdigest())
