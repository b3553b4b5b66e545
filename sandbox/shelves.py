"""Everything one can store: contexts, voices, avatars, secrets, LLM configurations and the like."""

import json
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sandbox.account import Clock
from sandbox.avatars import avatar, avatar_ids, voice_ids
from sandbox.errors import BadRequest, NotFound
from sandbox.store import Nowhere, Store

Record = dict[str, Any]


def iso(time_s: float) -> str:
    """A time since the epoch in ISO 8601, UTC."""
    return datetime.fromtimestamp(time_s, UTC).isoformat().replace("+00:00", "Z")


class Shelf:
    """Records of one kind by id, oldest first."""

    def __init__(self, kind: str, clock: Clock, store: Store, ids: Callable[[], str]) -> None:
        self._kind = kind
        self._clock = clock
        self._store = store
        self._ids = ids
        loaded = (json.loads(document) for document in store.load(kind))
        self._records: dict[str, Record] = {record["id"]: record for record in loaded}

    def all(self) -> list[Record]:
        """Every record."""
        return list(self._records.values())

    def get(self, id_: str) -> Record:
        """A record. Raises: NotFound."""
        if id_ not in self._records:
            raise NotFound(self._kind)
        return self._records[id_]

    def add(self, fields: Record) -> Record:
        """A new record with an id (its own, if `fields` has one) and its times."""
        now = iso(self._clock())
        record = {"id": self._ids(), "created_at": now, "updated_at": now, **fields}
        return self._put(record)

    def change(self, id_: str, fields: Record) -> Record:
        """Change a record's fields. Raises: NotFound."""
        return self._put({**self.get(id_), **fields, "updated_at": iso(self._clock())})

    def remove(self, id_: str) -> None:
        """Forget a record. Raises: NotFound."""
        self.get(id_)
        del self._records[id_]
        self._store.remove(self._kind, id_)

    def seed(self, records: Iterable[Record]) -> None:
        """Fill the shelf when it is empty."""
        if not self._records:
            for record in records:
                self._put(record)

    def clear(self) -> None:
        """Forget everything."""
        for id_ in list(self._records):
            self.remove(id_)

    def check_name_is_free(self, name: str, but_for: str = "") -> None:
        """Names are unique on this shelf. Raises: BadRequest."""
        taken = (r for r in self.all() if r["name"] == name and r["id"] != but_for)
        if any(taken):
            raise BadRequest(f"{self._kind} name {name!r} is taken")

    def _put(self, record: Record) -> Record:
        self._records[record["id"]] = record
        self._store.save(self._kind, record["id"], json.dumps(record))
        return record


class Shelves:
    """All shelves; avatars and public voices are there from the start."""

    def __init__(
        self,
        clock: Clock,
        store: Store | None = None,
        ids: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        def shelf(kind: str) -> Shelf:
            return Shelf(kind, clock, store or Nowhere(), ids)

        self._clock = clock
        self.avatars = shelf("Avatar")
        self.voices = shelf("Voice")
        self.contexts = shelf("Context")
        self.secrets = shelf("Secret")
        self.llms = shelf("LLM configuration")
        self.embeds = shelf("Embed")
        self.memories = shelf("Memory")
        self._all = list(vars(self).values())[1:]
        self._seed()

    def reset(self) -> None:
        """Back to the beginning."""
        for shelf in self._all:
            shelf.clear()
        self._seed()

    def _seed(self) -> None:
        since = iso(self._clock())
        self.avatars.seed(avatar(id_, since) for id_ in avatar_ids())
        self.voices.seed(
            {
                "id": id_,
                "name": name,
                "language": "en",
                "gender": None,
                "created_at": since,
                "updated_at": since,
                "tags": [],
                "public": True,
            }
            for id_, name in voice_ids().items()
        )
