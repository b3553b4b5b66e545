"""What the element says, in each of its languages."""

import re

from web.files import WEB


def test_every_text_is_there_in_every_language():
    source = (WEB / "element" / "texts.js").read_text()
    rows = re.findall(r"^  (\w+): \[(.*?)\],$", source, re.DOTALL | re.MULTILINE)
    assert len(rows) > 100
    assert not [key for key, row in rows if len(re.findall(r'"(?:[^"\\]|\\.)+"', row)) != 3]
