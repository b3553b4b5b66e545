"""How many conversations are held at a time, and who is let in to none."""

from collections.abc import Callable

from bots.server.casting import Cast
from bots.server.refusal import Refused
from pipelines import budget
from pipelines.errors import Spent
from sessions import metrics

BUSY = "All conversations that the avatar can hold are taken: try again in a minute."
RETRY_S = 60


async def admit(cast: Cast) -> None:
    """Refuse who comes when the day has cost as much as it may.

    Raises:
        Refused: it has.
        PartFailed: whether it has is not known.
    """
    try:
        await budget.admit(cast.settings, cast.lineup)
    except Spent as error:
        metrics.refused("spent")
        raise Refused(503, str(error), error.retry_s) from error


class Seats:
    """The places of one server; nobody is given one while `overloaded` says so."""

    def __init__(self, most: int, overloaded: Callable[[], bool] = lambda: False) -> None:
        self.most = most
        self.taken = 0
        self._overloaded = overloaded

    @property
    def free(self) -> bool:
        """Whether one more can be held."""
        return self.taken < self.most and not self._overloaded()

    def look(self) -> None:
        """Refuse who would find no place.

        Raises:
            Refused: all are taken, or more than this machine can do.
        """
        if not self.free:
            metrics.refused("busy")
            raise Refused(503, BUSY, RETRY_S)

    def take(self) -> None:
        """Take a place.

        Raises:
            Refused: there is none.
        """
        self.look()
        self.taken += 1

    def leave(self) -> None:
        """Give a place back."""
        self.taken -= 1
