"""Against whom contract tests run: the sandbox, and LiveAvatar itself where that is asked for."""

import os

KEY = os.environ.get("LIVEAVATAR_API_KEY", "")
SANDBOX, SERVICE = "sandbox", "LiveAvatar"
SERVERS = [SANDBOX, *([SERVICE] if os.environ.get("LIVEAVATAR_VERIFY") == "1" and KEY else [])]
