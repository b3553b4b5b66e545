"""Listening on addresses, and how they are written."""

import errno
import socket

import pytest

from web.port import listen, url_of


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://localhost:80"),
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_an_ipv6_address_is_written_in_brackets(host, url):
    assert url_of(host, 80) == url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_every_address_of_a_host_has_the_same_port(host):
    listeners = listen(host, 0)
    ports = {listener.getsockname()[1] for listener in listeners}
    assert len(ports) == 1
    for listener in listeners:
        socket.create_connection(listener.getsockname()[:2], 5).close()
        listener.close()


def test_a_port_that_is_used_is_not_taken_half():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        with pytest.raises(OSError) as refused:
            listen("localhost", busy.getsockname()[1])
    assert refused.value.errno == errno.EADDRINUSE
