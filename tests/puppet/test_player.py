"""The player: every sample comes out once, with the mouth that belongs to it."""

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from threading import Event

import numpy as np
import pytest

from puppet import (
    FPS,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Frame,
    Pack,
    Phone,
    Player,
    SizeError,
    load_pack,
)
from puppet.speech import FRAME_BYTES

pytestmark = pytest.mark.patient

SMALL = (256, 256)
# Pictures: a head of that size is drawn anew at least every second.
STANDS = 25
SILENCE = bytes(FRAME_BYTES)


def play(player: Player) -> list[Frame]:
    frames = []
    while player.speaking:
        frames.append(player.tick())
    return frames


def say(pack: Pack, pcm: bytes, seed: int = 0) -> list[Frame]:
    player = Player(pack, SMALL, seed)
    player.speak(pcm)
    player.end()
    return play(player)


def audio(frames: list[Frame]) -> bytes:
    return b"".join(frame.audio or b"" for frame in frames)


def mouths(frames: list[Frame]) -> np.ndarray:
    return np.array([frame.mouth for frame in frames])


def envelope(pcm: bytes) -> np.ndarray:
    """Loudness of every frame, compressed as ears do."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64) / 32768
    frames = samples[: len(samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME]
    return np.log10(np.sqrt((frames.reshape(-1, SAMPLES_PER_FRAME) ** 2).mean(1)) + 1e-3)


def test_an_utterance_comes_out_bit_exact_and_its_last_frame_is_padded(mira, speech):
    frames = say(mira, speech)

    whole = -(-len(speech) // FRAME_BYTES) * FRAME_BYTES
    assert audio(frames) == speech.ljust(whole, b"\0")
    assert {len(frame.audio or b"") for frame in frames} == {FRAME_BYTES}
    assert {frame.state for frame in frames} == {"speaking"}


def test_any_cutting_of_the_audio_gives_the_same_frames(mira, speech):
    speech = speech[:96_000]
    player = Player(mira, SMALL)
    cuts = np.cumsum(np.random.default_rng(1).integers(1, 700, 600))
    for start, stop in zip([0, *cuts[:-1]], cuts, strict=True):
        player.speak(speech[start:stop])
    player.speak(speech[cuts[-1] :])
    player.end()

    for one, other in zip(play(player), say(mira, speech), strict=True):
        assert one.audio == other.audio
        assert one.mouth == other.mouth
        assert np.array_equal(one.image, other.image)


def test_an_odd_byte_waits_for_the_other_half_of_its_sample(mira):
    pcm = bytes(range(256)) * 30
    player = Player(mira, SMALL)
    player.speak(pcm[:4001])
    before = player.tick()
    player.speak(pcm[4001:])
    player.end()

    assert audio([before]) == b""
    assert audio(play(player))[: len(pcm)] == pcm


def test_equal_seeds_give_equal_frames_and_others_do_not(mira, speech):
    first, second, other = (say(mira, speech[:96_000], seed) for seed in (7, 7, 8))

    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a.image, b.image) for a, b in zip(first, other, strict=True))


def test_the_mouth_follows_the_voice_without_delay(mira, speech):
    shown, heard = mouths(say(mira, speech)), envelope(speech)
    count = len(heard) - 4
    agreement = {
        lag: np.corrcoef(shown[2 + lag : 2 + lag + count], heard[2 : 2 + count])[0, 1]
        for lag in (-2, -1, 0, 1, 2)
    }

    assert agreement[0] > 0.5
    assert max(agreement, key=lambda lag: agreement[lag]) in (-1, 0, 1)
    assert shown.max() > 0.7


def test_lips_meet_between_vowels(mira, speech):
    """The sentence has fifteen p, b and m; each should show between open mouths."""
    dips, wide = 0, False
    for mouth in mouths(say(mira, speech)):
        if mouth > 0.3:
            wide = True
        elif mouth < 0.12 and wide:
            dips, wide = dips + 1, False

    assert dips >= 9


def test_silence_keeps_the_mouth_shut(mira):
    assert mouths(say(mira, SILENCE * 50)).max() < 0.12


def test_hiss_does_not_open_the_mouth_as_a_voice_does(mira, speech):
    hiss = np.random.default_rng(0).normal(0, 30, 48_000).astype("<i2").tobytes()

    assert mouths(say(mira, hiss)).mean() < 0.5 * mouths(say(mira, speech)).mean()


def test_idle_frames_are_silent_and_shut(mira):
    player = Player(mira, SMALL)
    frames = [player.tick() for _ in range(25)]

    assert {(frame.state, frame.audio, frame.mouth) for frame in frames} == {("idle", None, 0.0)}
    assert not np.array_equal(frames[0].image, frames[-1].image), "an idle face still breathes"


def test_an_interruption_drops_the_audio_and_shuts_the_mouth_in_four_frames(mira, speech):
    player = Player(mira, SMALL)
    player.speak(speech)
    while player.tick().mouth < 0.6:
        assert player.speaking
    player.listen(True)
    player.interrupt()
    frames = [player.tick() for _ in range(25)]

    assert player.buffered_s == 0 and not player.speaking
    assert audio(frames) == b""
    assert {frame.state for frame in frames} == {"listening"}
    assert frames[3].mouth < 0.05


def test_speech_after_an_interruption_plays_from_its_first_sample(mira, speech):
    player = Player(mira, SMALL)
    player.speak(speech)
    for _ in range(10):
        player.tick()
    player.interrupt()
    player.speak(speech[48_000:96_000])
    player.end()

    assert audio(play(player)) == speech[48_000:96_000]


def test_playing_starts_with_120_ms_in_hand(mira, speech):
    player = Player(mira, SMALL)
    player.speak(speech[: 3 * FRAME_BYTES - 2])
    assert player.tick().audio is None

    player.speak(speech[3 * FRAME_BYTES - 2 : 3 * FRAME_BYTES])
    assert player.tick().audio == speech[:FRAME_BYTES]


def test_a_short_utterance_plays_once_it_has_ended(mira):
    player = Player(mira, SMALL)
    player.speak(b"\1\0" * 100)
    assert player.tick().audio is None
    player.end()

    assert player.tick().audio == (b"\1\0" * 100).ljust(FRAME_BYTES, b"\0")
    assert player.tick().state == "idle"


def test_a_gap_in_the_audio_shuts_the_mouth_and_loses_nothing(mira, speech):
    player = Player(mira, SMALL)
    player.speak(speech[:72_000])
    before = [player.tick() for _ in range(37)]
    gap = [player.tick() for _ in range(8)]
    player.speak(speech[72_000:])
    player.end()
    after = play(player)

    assert {(frame.state, frame.audio) for frame in gap} == {("speaking", None)}
    assert gap[-1].mouth < 0.05
    assert audio(before + after)[: len(speech)] == speech


def test_lips_after_a_gap_are_those_of_the_unbroken_utterance(mira, speech):
    player = Player(mira, SMALL)
    player.speak(speech[: 40 * FRAME_BYTES])
    for _ in range(45):
        player.tick()
    player.speak(speech[40 * FRAME_BYTES :])
    player.end()

    resumed, unbroken = mouths(play(player)), mouths(say(mira, speech))[40:]
    assert np.abs(resumed[5:] - unbroken[5:]).max() < 0.01


def test_an_utterance_waits_for_the_one_before_it(mira, speech):
    first, second = speech[:20_001], speech[20_002:60_000]
    player = Player(mira, SMALL)
    for pcm in (first, second):
        player.speak(pcm)
        player.end()

    start = -(-len(first) // FRAME_BYTES) * FRAME_BYTES
    played = audio(play(player))
    assert played[: len(first)] == first
    assert played[start : start + len(second)] == second


def test_buffered_seconds_count_down_as_frames_are_handed_out(mira):
    player = Player(mira, SMALL)
    player.speak(SILENCE * 10)
    assert player.buffered_s == pytest.approx(0.4)
    player.tick()
    assert player.buffered_s == pytest.approx(0.4 - 1 / FPS)


def test_ending_or_interrupting_nothing_does_nothing(mira):
    player = Player(mira, SMALL)
    player.end()
    player.interrupt()
    player.speak(b"")
    player.end()

    assert not player.speaking
    assert player.tick().state == "idle"


def test_an_image_stays_as_it_is_and_is_given_again_while_nothing_changes(mira):
    player = Player(mira, SMALL)
    shown = [player.tick().data for _ in range(100)]
    kept = [bytes(bytearray(data)) for data in shown]
    player.tick()

    assert shown == kept
    differ = [one is not other for one, other in zip(shown, shown[1:], strict=False)]
    assert 0 < sum(differ) < len(differ) / 2
    assert not player.tick().image.flags["WRITEABLE"]


def test_a_picture_that_need_not_be_drawn_is_known_without_a_tick(mira, speech):
    """Whoever asks sees the same as who draws every picture, also what is said meanwhile."""
    drawn, asked, still = Player(mira, SMALL, 3), Player(mira, SMALL, 3), 0
    for number in range(120):
        if number == 80:
            for player in (drawn, asked):
                player.speak(speech[: 20 * FRAME_BYTES])
                player.end()
        expected, seen = drawn.tick(), asked.still()
        still += seen is not None
        assert (seen or asked.tick()) == expected
    assert 20 < still < 110


def test_a_picture_that_was_asked_for_and_not_drawn_is_no_time_lost(mira, speech):
    player = Player(mira, SMALL, 3)
    while player.still():
        pass
    player.speak(speech[: 20 * FRAME_BYTES])
    player.end()
    first = player.skip()
    assert first is None
    assert b"".join(frame.audio or b"" for frame in play(player)) == speech[: 20 * FRAME_BYTES]


def test_faces_move_without_jumps(mira, speech):
    """Blinks, lips and changes of state included."""
    player = Player(mira, SMALL, seed=3)
    frames = [player.tick() for _ in range(60)]
    player.listen(True)
    frames += [player.tick() for _ in range(60)]
    player.listen(False)
    player.speak(speech[:144_000])
    player.end()
    frames += play(player)
    frames += [player.tick() for _ in range(30)]

    lumas = [frame.image[:256].astype(np.int16) for frame in frames]
    steps = [np.abs(b - a).mean() for a, b in zip(lumas, lumas[1:], strict=False)]
    assert max(steps) < 2.0
    stands = [len(list(same)) for step, same in groupby(steps, bool) if not step]
    assert max(stands) < STANDS, "what moves slowly does not stop"


@pytest.mark.parametrize("size", [(255, 256), (256, 255), (64, 256), (256, 9000)])
def test_a_size_that_cannot_be_drawn_is_a_sentence(mira, size):
    with pytest.raises(SizeError, match="even numbers from 128 to 4096, for example 1280x720"):
        Player(mira, size)


def test_speech_may_come_from_another_thread_than_frames(mira):
    """Numbered samples from one thread, interrupted by it; what comes out is never torn."""
    player, stop = Player(mira, SMALL), Event()

    def talk() -> None:
        for _ in range(20):
            for chunk in range(12):
                numbers = np.arange(chunk * 500, chunk * 500 + 500, dtype="<i2")
                player.speak(numbers.tobytes())
            player.end()
            if player.buffered_s > 0.5:
                player.interrupt()
            player.listen(True)
        stop.set()

    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(talk)
        heard = []
        while not stop.is_set() or player.speaking:
            heard.append(player.tick())
            assert len(heard) < 20_000
        talking.result(timeout=10)

    for frame in heard:
        if frame.audio:
            numbers = np.frombuffer(frame.audio, "<i2").astype(int)
            spoken = np.flatnonzero(np.diff(numbers) != 1)
            assert len(spoken) == 0 or not numbers[spoken[0] + 1 :].any()


def test_a_second_of_audio_makes_25_frames(mira):
    assert len(say(mira, bytes(2 * SAMPLE_RATE))) == FPS


def test_what_is_skipped_is_unseen_but_heard_and_moves_on():
    pcm = (np.arange(24_000 * 2) % 2000).astype(np.int16).tobytes()
    seen, skipped = (Player(load_pack("theo"), (256, 144), seed=4) for _ in range(2))
    for player in (seen, skipped):
        player.speak(pcm)
        player.end()
    frames = [seen.tick() for _ in range(20)]
    sounds = [skipped.skip() for _ in range(19)]
    last = skipped.tick()
    assert sounds == [frame.audio for frame in frames[:19]]
    assert last.audio == frames[19].audio
    assert np.array_equal(last.image, frames[19].image)


HUM = np.full(SAMPLES_PER_FRAME, 1000, "<i2").tobytes()


def hummed(*sounds: str) -> list[Phone]:
    """Each for 400 ms."""
    return [Phone(sound, 0.4 * n, 0.4 * (n + 1)) for n, sound in enumerate(sounds)]


def open_frames(frames: list[Frame]) -> list[int]:
    return [n for n, mouth in enumerate(mouths(frames)) if mouth > 0.3]


def test_a_mouth_whose_sounds_are_told_follows_them_and_not_the_audio(mira):
    player = Player(mira, SMALL)
    player.articulate(hummed("", "ɑ", ""))
    player.speak(HUM * 30)
    player.end()

    assert open_frames(play(player)) == list(range(9, 21))


def test_sounds_are_told_in_the_place_of_the_audio_where_they_are_told(mira):
    player = Player(mira, SMALL)
    player.speak(HUM * 10)
    [player.tick() for _ in range(5)]
    player.articulate(hummed("", "ɑ", ""))
    player.speak(HUM * 10)
    player.articulate([Phone("m", -0.1, 0.0)])
    player.articulate([Phone(p.symbol, p.start_s + 0.8, p.end_s + 0.8) for p in hummed("ɑ")])
    player.speak(HUM * 40)
    player.end()

    assert open_frames(play(player)) == [*range(14, 26), *range(34, 46)]


def test_where_sounds_are_not_told_the_mouth_follows_the_audio(mira, speech):
    player = Player(mira, SMALL)
    player.articulate([Phone("", 0.0, 1.0)])
    player.speak(speech)
    player.end()
    told, read = mouths(play(player)), mouths(say(mira, speech))

    assert told[:25].max() == 0
    assert np.corrcoef(told[40:], read[40:])[0, 1] > 0.95


def test_no_mouth_is_open_in_silence_whatever_is_told(mira):
    player = Player(mira, SMALL)
    player.articulate([Phone("ɑ", 0.0, 4.0)])
    player.speak(HUM * 10 + SILENCE * 10 + HUM * 10)
    player.end()
    shown = mouths(play(player))

    assert shown[13:18].max() < 0.12
    assert min(*shown[:10], *shown[20:]) > 0.8
    assert shown[9] > shown[10] > shown[11] > shown[12] and shown[18] < shown[19] < shown[20]


def test_what_is_told_of_nothing_that_is_heard_is_forgotten(mira):
    player = Player(mira, SMALL)
    for forget in (player.end, player.interrupt):
        player.articulate(hummed("ɑ", "ɑ"))
        assert not player.speaking
        forget()
    player.articulate(hummed("ɑ", "ɑ"))
    player.rest()
    player.speak(HUM * 20)
    player.interrupt()
    player.speak(HUM * 20)
    player.end()

    assert not np.allclose(mouths(play(player)), 0.9, atol=0.05)


def test_an_interruption_shuts_a_mouth_that_follows_sounds(mira):
    player = Player(mira, SMALL)
    player.articulate(hummed("ɑ", "ɑ"))
    player.speak(HUM * 20)
    assert [player.tick().mouth for _ in range(5)][-1] > 0.6
    player.interrupt()

    assert [player.tick().mouth for _ in range(4)][-1] < 0.06


def test_it_looks_as_if_it_thought_until_it_speaks_or_for_some_seconds(mira):
    player = Player(mira, SMALL)
    player.think(True)
    assert player.tick().state == "thinking"
    player.listen(True)
    assert player.tick().state == "listening"
    player.listen(False)
    player.speak(HUM * 10)
    assert player.tick().state == "speaking"
    player.interrupt()
    while player.skip() is not None or player.tick().state == "thinking":
        pass
    assert player.tick().state == "idle"
