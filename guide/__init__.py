"""The scripted mind: a Markdown file of topics in, answers out. It needs no model and no key.

>>> script = Script(Matcher(load_knowledge(KNOWLEDGE)), name="Theo")
>>> script.answer("Who are you?")
"""

from guide.errors import GuideError
from guide.knowledge import KNOWLEDGE, Knowledge, load_knowledge
from guide.matcher import Matcher
from guide.notes import Notes
from guide.script import Memory, Script

__all__ = [
    "KNOWLEDGE",
    "GuideError",
    "Knowledge",
    "Matcher",
    "Memory",
    "Notes",
    "Script",
    "load_knowledge",
]
