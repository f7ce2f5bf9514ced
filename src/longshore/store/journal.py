"""What stands behind the store: where committed rows go. `store.py` appends and awaits; nobody else calls this.

`MemoryJournal` keeps nothing; the one on disk is in `sql.py`. A simulator brings its own, with torn writes and
crashes: `Store(kinds, journal)`, then `store.load(rows)` with what that journal would find after the crash.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from longshore.domain.record import Key
from longshore.store.errors import StoreFailed


class Row(NamedTuple):
    """One record as it is written."""

    kind: str
    key: Key
    revision: int
    document: bytes
    """JSON; empty where the record was deleted."""


class Journal(Protocol):
    """Takes commits in order and makes them durable, whole commits and in that order.

    `append` never waits: it takes a commit entirely or raises, and raises StoreFailed once the journal failed.
    """

    @property
    def durable_revision(self) -> int:
        """Every commit up to this one is on disk."""
        ...

    @property
    def failed(self) -> StoreFailed | None:
        """Set once a write failed; `durable_revision` no longer moves from then on."""
        ...

    def append(self, revision: int, rows: Sequence[Row]) -> None:
        """Take one commit."""
        ...

    async def durable(self, revision: int) -> None:
        """Return once that commit is on disk; raise StoreFailed if it never will be."""
        ...

    async def close(self) -> None:
        """Write what was appended, and let go."""
        ...


class MemoryJournal:
    """No journal: everything is as durable as it will ever be."""

    failed: StoreFailed | None = None

    def __init__(self) -> None:
        self.durable_revision = 0

    def append(self, revision: int, rows: Sequence[Row]) -> None:  # noqa: ARG002 - kept nowhere
        """Nothing to write."""
        self.durable_revision = revision

    async def durable(self, revision: int) -> None:
        """Nothing to wait for."""

    async def close(self) -> None:
        """Nothing to let go of."""
