"""What is made once, whoever asks."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.once import once


def test_who_asks_meanwhile_waits_and_who_asks_for_another_does_not():
    begun, go, calls = threading.Event(), threading.Event(), list[str]()

    @once
    def make(name: str) -> object:
        calls.append(name)
        begun.set()
        assert name != "slow" or go.wait(20)
        return object()

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(make, "slow")
        assert begun.wait(20)
        second, other = threads.submit(make, "slow"), threads.submit(make, "other")
        try:
            assert other.result(20) is make("other")
        finally:
            go.set()
        assert first.result(20) is second.result(20) is make("slow")
    assert calls == ["slow", "other"]


def test_what_failed_is_tried_again():
    answers = iter([ValueError("not yet"), "made"])

    @once
    def make() -> str:
        match next(answers):
            case str(made):
                return made
            case error:
                raise error

    with pytest.raises(ValueError):
        make()
    assert make() == make() == "made"
