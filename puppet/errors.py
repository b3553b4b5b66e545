"""What can go wrong before a puppet moves, as sentences with a fix.

PuppetError
├── PackError   the avatar pack is unknown, incomplete or damaged
└── SizeError   the picture size cannot be drawn
"""


class PuppetError(Exception):
    """The puppet cannot be set up as asked."""


class PackError(PuppetError):
    """The avatar pack is unknown, incomplete or damaged."""


class SizeError(PuppetError):
    """The picture size cannot be drawn."""
