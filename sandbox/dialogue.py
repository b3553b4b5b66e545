"""What a LITE session answers: commands in, events out, the player driven in between.

Plain Python without a network. The player is given one utterance at a time, so that each
utterance's beginning and end can be told from the frames it hands out (liveavatar-protocol 3.4).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from liveavatar.wire import AgentState, Event, Problem, SessionState, Task
from puppet import FPS, Frame, Phone, Player

Emit = Callable[[Event], None]
# Audio, or what is articulated from there on.
Part = bytes | tuple[Phone, ...]


@dataclass
class Utterance:
    """Speech from its first chunk to its end; `source` is the first chunk's event id."""

    id: str
    source: str | None
    waiting: list[Part] = field(default_factory=list)
    ended: bool = False
    started: bool = False
    played_s: float = 0.0


@dataclass(frozen=True)
class Mark:
    """What a frame is of an utterance."""

    utterance: Utterance
    audible: bool
    last: bool


class Dialogue:
    """One session's conversation. All of it runs in one thread but the player's `tick()`."""

    def __init__(self, player: Player, emit: Emit, ids: Callable[[], str]) -> None:
        self._player = player
        self._emit = emit
        self._ids = ids
        self._queue: deque[Utterance] = deque()
        self._audible: list[Utterance] = []
        # What is articulated in an utterance that has not begun.
        self._told: list[Part] = []
        self._listening = False
        self._state: AgentState = "idle"
        self.interruptions = 0

    def connected(self) -> None:
        """Greet a WebSocket that opened."""
        self._send_session_state("connected")

    def over(self) -> None:
        """Say goodbye."""
        self._send_session_state("closing")
        self._send_session_state("disconnected")

    def speak(self, pcm: bytes, source: str | None) -> None:
        """Append a chunk: s16le mono 24 kHz, any number of bytes."""
        utterance = self._open_utterance(source)
        self._feed(utterance, pcm)
        self._send("agent.audio_buffer_appended", source, utterance)

    def articulate(self, phones: Sequence[Phone]) -> None:
        """Tell what is articulated, in seconds of the speech from the end of what was appended."""
        if self._speaks_on():
            self._feed(self._queue[-1], tuple(phones))
        else:
            self._told.append(tuple(phones))

    def speak_end(self, pcm: bytes, source: str | None) -> None:
        """Complete the utterance, with the last of its audio if any."""
        utterance = self._open_utterance(source) if pcm or self._speaks_on() else None
        if utterance:
            self._feed(utterance, pcm)
            utterance.ended = True
            if utterance is self._queue[0]:
                self._player.end()
        self._send("agent.audio_buffer_committed", source, utterance)

    def interrupt(self, source: str | None) -> None:
        """Drop everything; the order of events is that of 3.4, item 3."""
        self._player.interrupt()
        self.interruptions += 1
        self._queue.clear()
        self._told.clear()
        self._send("agent.audio_buffer_cleared", source)
        for utterance in list(self._audible):
            self._send_speech("agent.speak_interrupted", utterance)
            self._end(utterance)

    def listen(self, on: bool, source: str | None) -> None:
        """Take or leave the listening pose; reported once playback is over (3.4, item 4)."""
        self._listening = on
        self._player.listen(on)
        if self._state != "talking":
            self._rest(source)

    def wrong(self, message: str, source: str | None = None) -> None:
        """Complain about a message that cannot be used."""
        problem = Problem(type="invalid_request_error", message=message, event_id=source)
        self._emit(Event(type="error", event_id=self._ids(), source_event_id=source, error=problem))

    def ticked(self, frame: Frame) -> Mark | None:
        """What a new frame is of an utterance; hands the player the next utterance in time."""
        if not self._queue:
            return None
        utterance = self._queue[0]
        last = utterance.ended and not self._player.speaking
        if last:
            self._queue.popleft()
            self._feed_next()
        audible = frame.audio is not None
        return Mark(utterance, audible, last) if audible or last else None

    def shown(self, mark: Mark | None) -> None:
        """A frame is on its way to the viewer: say what begins and ends with it."""
        if not mark:
            return
        utterance = mark.utterance
        if mark.audible:
            self._begin(utterance)
            utterance.played_s += 1 / FPS
        if mark.last and utterance.started:
            self._end(utterance)

    def _speaks_on(self) -> bool:
        return bool(self._queue) and not self._queue[-1].ended

    def _open_utterance(self, source: str | None) -> Utterance:
        if not self._speaks_on():
            self._queue.append(Utterance(self._ids(), source))
            for told in self._told:
                self._feed(self._queue[-1], told)
            self._told.clear()
        return self._queue[-1]

    def _feed(self, utterance: Utterance, part: Part) -> None:
        if utterance is self._queue[0]:
            self._play(part)
        else:
            utterance.waiting.append(part)

    def _play(self, part: Part) -> None:
        if isinstance(part, bytes):
            self._player.speak(part)
        else:
            self._player.articulate(part)

    def _feed_next(self) -> None:
        if not self._queue:
            return
        utterance = self._queue[0]
        for part in utterance.waiting:
            self._play(part)
        utterance.waiting.clear()
        if utterance.ended:
            self._player.end()

    def _begin(self, utterance: Utterance) -> None:
        if utterance.started:
            return
        utterance.started = True
        self._audible.append(utterance)
        self._move_to("talking", utterance.source)
        self._send_speech("agent.speak_started", utterance)

    def _end(self, utterance: Utterance) -> None:
        self._audible.remove(utterance)
        self._send_speech("agent.speak_ended", utterance)
        self._move_to("idle", utterance.source)
        self._rest(utterance.source)

    def _rest(self, source: str | None) -> None:
        self._move_to("listening" if self._listening else "idle", source)

    def _move_to(self, state: AgentState, source: str | None) -> None:
        previous, self._state = self._state, state
        if previous != state:
            self._emit(
                Event(
                    type="agent.state_updated",
                    event_id=self._ids(),
                    source_event_id=source,
                    previous_state=previous,
                    new_state=state,
                )
            )

    def _send_speech(self, type_: str, utterance: Utterance) -> None:
        self._emit(
            Event(
                type=type_,
                event_id=utterance.source or self._ids(),
                source_event_id=utterance.source,
                task=Task(id=utterance.id),
            )
        )

    def _send(self, type_: str, source: str | None, utterance: Utterance | None = None) -> None:
        task = Task(id=utterance.id) if utterance else None
        self._emit(Event(type=type_, event_id=self._ids(), source_event_id=source, task=task))

    def _send_session_state(self, state: SessionState) -> None:
        self._emit(Event(type="session.state_updated", event_id=self._ids(), state=state))
