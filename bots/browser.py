"""The user's browser."""

import threading
import webbrowser


def open_page(url: str) -> None:
    """Open a page, and wait for nothing: some browsers only return when they are closed."""
    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
