"""A network of its own that lets only TCP in and out, as a container with a published port does."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.needs import missing

HOW = "A network of its own needs `apt-get install iproute2 iptables`."
PROGRAMS = ("ip", "iptables")
OUTSIDE, INSIDE = "10.213.7.1", "10.213.7.2"
NAME = "avatar-tcp"
CABLE = ("avatar-out", "avatar-in")


@dataclass(frozen=True)
class Network:
    """A network whose one machine is found at `address`; `command` runs a program in it.

    `outside` is this machine's address on the cable between them.
    """

    address: str
    outside: str
    command: Path


@contextmanager
def tcp_only(program: Path, folder: Path) -> Iterator[Network]:
    """Lay a cable to a network of its own in which a program can be started."""
    if not all(map(shutil.which, PROGRAMS)):
        missing(HOW)
    if not _can(f"ip netns add {NAME}"):
        pytest.skip("Only root may make a network of its own, and not in every container.")
    try:
        for line in _plan():
            assert _can(line), line
        command = folder / "inside"
        command.write_text(f'#!/bin/sh\nexec ip netns exec {NAME} "{program}" "$@"\n')
        command.chmod(0o755)
        yield Network(INSIDE, OUTSIDE, command)
    finally:
        _can(f"ip netns del {NAME}")


def _plan() -> list[str]:
    outside, inside = CABLE
    there = f"ip netns exec {NAME}"
    return [
        f"ip link add {outside} type veth peer name {inside} netns {NAME}",
        f"ip link set {outside} addrgenmode none",
        f"{there} ip link set {inside} addrgenmode none",
        f"ip addr add {OUTSIDE}/30 dev {outside}",
        f"ip link set {outside} up",
        f"{there} ip addr add {INSIDE}/30 dev {inside}",
        f"{there} ip link set {inside} up",
        f"{there} ip link set lo up",
        f"{there} iptables -A INPUT -i {inside} -p udp -j DROP",
        f"{there} iptables -A OUTPUT -o {inside} -p udp -j DROP",
    ]


def _can(line: str) -> bool:
    return subprocess.run(line.split(), capture_output=True).returncode == 0
