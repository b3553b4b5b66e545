"""A sound card whose microphones and speakers can be plugged in and pulled out: PulseAudio."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HOW = "The choice of microphones is tested with PulseAudio: `apt-get install pulseaudio`."
START_LIMIT_S = 20
RATE = 48_000
FORMAT = ("--raw", "--format=s16le", "--channels=1", f"--rate={RATE}")


class SoundCard:
    """Talk to it through `environment`; its devices have the names they are plugged in by."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            "PULSE_SERVER": f"unix:{folder / 'socket'}",
            "PULSE_COOKIE": str(folder / "cookie"),
            "XDG_RUNTIME_DIR": str(folder),
        }
        self._modules: dict[str, list[str]] = {}

    async def plug_speaker(self, name: str) -> None:
        """Plug in a speaker that makes no sound."""
        self._modules[name] = [await self._load_sink(name)]

    async def plug_microphone(self, name: str) -> None:
        """Plug in a microphone that hears nothing but speak()."""
        await self._play_into_nothing()
        line = await self._load_sink(f"{name}-line")
        source = await self._load(
            "module-remap-source",
            f"source_name={name}",
            f"master={name}-line.monitor",
            f"source_properties=device.description={name}",
        )
        self._modules[name] = [source, line]

    async def _play_into_nothing(self) -> None:
        """Have a speaker before any line: the first is the system's own, and a microphone whose
        line it is hears the avatar.
        """
        if not self._modules:
            await self.plug_speaker("Nowhere")

    async def unplug(self, name: str) -> None:
        """Pull a device out."""
        for module in self._modules.pop(name):
            await self._run("pactl", "unload-module", module)

    async def speak(self, microphone: str, pcm: bytes) -> None:
        """Let a microphone hear s16le mono audio of 48 kHz, at its own pace."""
        await self._run("pacat", *FORMAT, f"--device={microphone}-line", sent=pcm)

    async def loudest(self, speaker: str, duration_s: float) -> int:
        """The loudest sample that goes to a speaker from now on, of 32767."""
        program = ("parec", *FORMAT, f"--device={speaker}.monitor")
        process = await self._start(*program)
        assert process.stdout
        pcm = await process.stdout.readexactly(2 * int(duration_s * RATE))
        process.terminate()
        await process.communicate()
        return max(abs(sample) for sample in memoryview(pcm).cast("h"))

    async def _load_sink(self, name: str) -> str:
        properties = f"sink_properties=device.description={name}"
        return await self._load("module-null-sink", f"sink_name={name}", properties)

    async def _load(self, *words: str) -> str:
        return (await self._run("pactl", "load-module", *words)).decode().strip()

    async def _run(self, *words: str, sent: bytes = b"") -> bytes:
        process = await self._start(*words)
        told, complaint = await process.communicate(sent)
        assert process.returncode == 0, complaint.decode()
        return told

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *words,
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


def is_there() -> bool:
    """Whether PulseAudio is installed."""
    return all(shutil.which(program) for program in ("pulseaudio", "pactl", "pacat"))


@asynccontextmanager
async def sound_card(folder: Path) -> AsyncIterator[SoundCard]:
    """A sound card without any device, in a folder of its own."""
    card, socket = SoundCard(folder), folder / "socket"
    process = await asyncio.create_subprocess_exec(
        "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
        "--disable-shm=yes", "--log-level=error",
        f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1",
        env={**os.environ, **card.environment},
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not socket.exists():
                assert process.returncode is None, "PulseAudio ended early"
                await asyncio.sleep(0.05)
        yield card
    finally:
        process.terminate()
        await process.wait()
