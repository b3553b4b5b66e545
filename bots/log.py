"""What is logged on standard error: no secret, and nothing below the chosen level."""

import logging
import sys

from loguru import logger

from pipelines.redaction import REDACTION, redact
from pipelines.settings import Settings

FORMAT = "<dim>{time:HH:mm:ss}</dim> <level>{level: <7}</level> {message}"


def show(settings: Settings) -> None:
    """Show records of the chosen level, and nothing else; none of them tells a secret."""
    redact(settings)
    REDACTION.least = logger.level(settings.avatar_log_level).no
    if settings.avatar_log_level in ("WARNING", "ERROR"):
        logging.disable(logging.INFO)  # uvicorn's, which sets its own levels when it starts
    logger.remove()
    logger.add(
        sys.stderr,
        level=settings.avatar_log_level,
        format=FORMAT,
        backtrace=False,
        diagnose=False,
    )
