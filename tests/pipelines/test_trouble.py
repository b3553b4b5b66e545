"""What is told of a part that fails: why, and what to do about it."""

import pytest
from pipecat.frames.frames import ErrorFrame
from pipecat.utils.errors import ErrorCategory

from pipelines.parts import part
from pipelines.trouble import CAUSES, EMPTY, SLOW, STOPPED, sentence

MIND = part("llm", "gemini")


@pytest.mark.parametrize("why", list(CAUSES))
def test_every_cause_is_told(why):
    told = sentence(MIND, ErrorFrame("no", category=why))
    assert told.startswith(f"The mind failed: gemini {CAUSES[why]}.")
    assert sentence(MIND, ErrorFrame("no", category=why), part("llm", "guide")) == (
        f"The mind failed: gemini {CAUSES[why].partition(';')[0]}; guide takes its place."
    )


@pytest.mark.parametrize("why", [SLOW, EMPTY, STOPPED])
def test_what_may_be_gone_at_the_next_try_sends_nobody_to_the_doctor(why):
    assert sentence(MIND, why) == f"The mind failed: gemini {why}; try again."


@pytest.mark.parametrize("why", [ErrorCategory.RATE_LIMIT, ErrorCategory.SERVER])
def test_what_only_the_vendor_can_mend_sends_nobody_to_the_doctor(why):
    assert sentence(MIND, ErrorFrame("no", category=why)).endswith(f"{CAUSES[why]}.")


def test_a_refused_key_is_named():
    told = sentence(MIND, ErrorFrame("no", category=ErrorCategory.AUTHENTICATION))
    assert told.endswith("refused the key. Check GOOGLE_API_KEY, then run `avatar doctor`.")
