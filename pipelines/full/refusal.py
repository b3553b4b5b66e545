"""Why LiveAvatar gave no session, in a sentence for who wanted one."""

from pipecat.utils.errors import classify_http_status_code

from liveavatar.errors import LiveAvatarError, NoAnswer
from pipelines.redaction import redacted
from pipelines.settings import Settings, environment_names
from pipelines.trouble import cause

NO_CREDITS = "LiveAvatar has no credit left."
TOO_MANY = "LiveAvatar holds as many sessions as this account may have: try again in a minute."
# What may be named in a request, and be unknown.
NAMED = (
    "liveavatar_avatar_id",
    "liveavatar_voice_id",
    "liveavatar_context_id",
    "liveavatar_llm_id",
)


def limit(error: LiveAvatarError) -> str:
    """What the account has no more of; "" if that is not why.

    No source knows all statuses, so its words count, too (2.8).
    """
    said, status = error.problem.lower(), error.status
    if status == 402 or "credit" in said:
        return NO_CREDITS
    return TOO_MANY if status == 409 or "concurrency" in said else ""


def sentence(error: LiveAvatarError, settings: Settings) -> str:
    """Why there is no session."""
    if none_left := limit(error):
        return none_left
    status = error.status
    if isinstance(error, NoAnswer):
        return redacted(str(error))
    if status in (401, 403):
        return f"LiveAvatar refused the key. Check {environment_names('liveavatar_api_key')[0]}."
    if status and (status == 429 or status >= 500):
        return f"LiveAvatar {cause(classify_http_status_code(status))}."
    set_ones = [environment_names(name)[0] for name in NAMED if settings.is_set(name)]
    fix = f" Check {', '.join(set_ones)}." if set_ones else ""
    return redacted(f"LiveAvatar refused the session: {error.problem}.{fix}")
