"""Files that are written in one step: a draft beside them takes their place once it is whole."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".draft"
# Nobody works at a draft for longer: whoever left it was ended in the middle.
ABANDONED_S = 3600.0


@contextmanager
def drafted(file: Path) -> Iterator[Path]:
    """The draft of a file, which others may read or write at this moment.

    It takes the file's place when the block ends well, and is deleted otherwise. Raises: OSError.
    """
    sweep(file.parent)
    number, name = tempfile.mkstemp(SUFFIX, dir=file.parent)
    os.close(number)
    try:
        yield Path(name)
        os.replace(name, file)
    finally:
        Path(name).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Make a folder if there is none, and delete the drafts that were left in it. Raises: OSError.

    A draft may be a folder of files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for draft in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another process was faster, or still has it open
            if time.time() - draft.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(draft) if draft.is_dir() else draft.unlink()
