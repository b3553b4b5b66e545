"""How this application was installed, and which command adds extras to it."""

import json
import shlex
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

NAME = "avatar-talk"  # of the distribution; `avatar` is somebody else's on package indexes
CLONE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Installation:
    """An installed copy of this application: its metadata, and its environment's folder."""

    about: Distribution
    prefix: Path

    def __str__(self) -> str:
        source = f" from {self._url}" if self._url else ""
        return f"avatar {self.about.version}, installed by {self.tool}{source}"

    @property
    def tool(self) -> str:
        """What installed it: uv tool, pipx, pip, uv pip, or uv in the clone."""
        if (self.prefix / "uv-receipt.toml").exists():
            return "uv tool"
        if (self.prefix / "pipx_metadata.json").exists():
            return "pipx"
        if "uv" not in (self.about.read_text("INSTALLER") or ""):
            return "pip"
        return "uv in the clone" if self.prefix.parent == CLONE else "uv pip"

    def adds(self, *extras: str) -> str:
        """The command that adds extras, and takes away nothing."""
        if self.tool == "uv in the clone":
            return _sync(extras)
        if self.tool == "uv tool":  # which begins anew
            extras = (*self._extras_of_tool(), *extras)
        return f"{self._command()} {self._requirement(extras)}"

    def _command(self) -> str:
        environment = shlex.quote(str(self.prefix))
        return {
            "uv tool": "uv tool install",
            "pipx": f"pipx runpip {self.prefix.name} install",
            "uv pip": f"uv pip install --python {environment}",
            "pip": f"{environment}/bin/python -m pip install",
        }[self.tool]

    def _requirement(self, extras: tuple[str, ...]) -> str:
        listed = f"[{','.join(_once(extras))}]"
        if self._editable:
            return f"-e {shlex.quote(self._url + listed)}"
        return shlex.quote(f"{NAME}{listed} @ {self._url}" if self._url else f"{NAME}{listed}")

    def _extras_of_tool(self) -> tuple[str, ...]:
        receipt = tomllib.loads((self.prefix / "uv-receipt.toml").read_text("utf-8"))
        asked = (one for one in receipt["tool"]["requirements"] if one["name"] == NAME)
        return tuple(extra for one in asked for extra in one.get("extras", ()))

    @property
    def _url(self) -> str:
        """Where it came from, as installers write it; "" when an index had it by its name."""
        url, vcs = self._origin.get("url", ""), self._origin.get("vcs_info")
        return f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else url

    @property
    def _editable(self) -> bool:
        return bool(self._origin.get("dir_info", {}).get("editable"))

    @property
    def _origin(self) -> dict[str, Any]:
        """PEP 610's record, which holds no credentials."""
        return json.loads(self.about.read_text("direct_url.json") or "{}")


def installed() -> Installation | None:
    """This copy; None when its files run without having been installed."""
    try:
        return Installation(distribution(NAME), Path(sys.prefix))
    except PackageNotFoundError:
        return None


def adds(*extras: str) -> str:
    """The command that adds extras to this copy, in the way it was installed."""
    found = installed()
    return found.adds(*extras) if found else _sync(extras)


def command() -> str:
    """How this copy's command is called."""
    found = installed()
    return "avatar" if found and found.tool != "uv in the clone" else "uv run avatar"


def version() -> str:
    """This copy in a line: its version, what installed it, and from where."""
    return str(installed() or f"avatar, not installed, in {CLONE}")


def _sync(extras: tuple[str, ...]) -> str:
    """Brings no default group back in where they were left out."""
    project = "" if Path.cwd() == CLONE else f" --project {shlex.quote(str(CLONE))}"
    listed = " ".join(f"--extra {extra}" for extra in _once(extras))
    return f"uv sync{project} --inexact --no-default-groups {listed}"


def _once(extras: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(extras))
