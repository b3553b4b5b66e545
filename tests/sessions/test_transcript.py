"""Transcripts: one JSON line a turn."""

import json
from pathlib import Path

from sessions.transcript import Transcript, why_not_kept


def lines_of(folder):
    (file,) = folder.glob("*.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def kept_in(folder, conversation):
    transcript = Transcript()
    transcript.keep_in(folder, conversation)
    return transcript


def test_half_a_character_costs_no_line(tmp_path):
    transcript = kept_in(tmp_path, "a")
    transcript.turn("user", "hi \ud83d there", 1.0)
    transcript.close()
    assert [line["text"] for line in lines_of(tmp_path)] == ["hi ? there"]


def test_every_turn_is_a_line_with_who_what_when_and_latency(tmp_path):
    transcript = kept_in(tmp_path / "new" / "folder", "a-b/../c")
    transcript.turn("user", "Grüß dich", 1.23456)
    transcript.turn("avatar", "Hallo!", 2.0, 0.71239, interrupted=True, steps={"ears": 0.40049})
    transcript.close()
    assert lines_of(tmp_path / "new" / "folder") == [
        {"who": "user", "text": "Grüß dich", "at_s": 1.235},
        {
            "who": "avatar",
            "text": "Hallo!",
            "at_s": 2.0,
            "latency_s": 0.712,
            "steps": {"ears": 0.4},
            "interrupted": True,
        },
    ]


def test_times_count_from_the_start_of_the_conversation(tmp_path):
    now_s = 100.0
    with (tmp_path / "t.jsonl").open("w") as file:
        transcript = Transcript(file, clock=lambda: now_s)
        now_s = 107.5
        assert transcript.now_s == 7.5
        transcript.event("ended", reason="silence")
    assert lines_of(tmp_path) == [{"event": "ended", "at_s": 7.5, "reason": "silence"}]


def test_a_line_can_be_read_before_the_conversation_is_over(tmp_path):
    transcript = kept_in(tmp_path, "one")
    transcript.turn("user", "Hi", 0)
    assert len(lines_of(tmp_path)) == 1
    transcript.close()


def test_a_transcript_leaves_no_file_before_it_is_kept(tmp_path):
    transcript = Transcript()
    transcript.event("begun")
    assert not list(tmp_path.iterdir())
    transcript.keep_in(tmp_path, "one")
    transcript.event("started")
    transcript.close()
    assert [line["event"] for line in lines_of(tmp_path)] == ["started"]


def test_a_folder_is_tried_without_being_made(tmp_path):
    (tmp_path / "file").touch()
    assert why_not_kept(tmp_path / "new" / "folder") == ""
    assert why_not_kept(tmp_path / "file" / "folder")
    assert why_not_kept(Path("/proc/folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_two_conversations_have_two_files_and_names_stay_in_the_folder(tmp_path):
    for name in ("../../one", "two"):
        transcript = kept_in(tmp_path, name)
        transcript.turn("user", name, 0)
        transcript.close()
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
