"""What every stored noun is: an immutable record with a kind, a key, and the indexes it is found by.

The store keeps records by `(kind, key)`; the key begins with account and region, so that two accounts or
regions never see each other. A record says itself by which values it is indexed and what it adds to which
tally, so that a question costs what its answer is long, not what the store holds.
"""

import functools
from collections.abc import Hashable, Iterator
from typing import ClassVar, NamedTuple, Protocol, Self, TypeVar

import msgspec

Key = tuple[str, ...]
"""`(account, region, *names)`: unique within a kind."""


class Scope(NamedTuple):
    """The account and region that a record, and a request, belongs to."""

    account: str
    region: str


_scope = functools.lru_cache(maxsize=1024)(Scope)
"""A scope is made once: every key and index value of every record begins with one."""


class Filing(NamedTuple):
    """See `Record.filed_by`."""

    indexes: Hashable
    tallies: Hashable


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of all records. A subclass sets `kind` and implements `names`.

    Fields with a default may be added freely; anything else needs a migration (see `store/schema.py`).
    A stored field that a class does not know is refused when the store opens: a newer Longshore wrote it, and it
    would be lost at the record's next change.
    """

    kind: ClassVar[str]

    account: str
    region: str

    @property
    def scope(self) -> Scope:
        """The account and region of this record."""
        return _scope(self.account, self.region)

    @property
    def key(self) -> Key:
        """Where the store keeps this record, within its kind."""
        return (self.account, self.region, *self.names())

    def names(self) -> Key:
        """The part of the key after account and region."""
        raise NotImplementedError

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """`(index name, value)` pairs that this record is found by; values carry the scope where it matters."""
        return iter(())

    def tallies(self) -> Iterator[tuple[str, Key, int]]:
        """`(tally name, group, amount)`: sums that the store keeps over all records, exact at every moment."""
        return iter(())

    def filed_by(self) -> Filing | None:
        """What its indexes and tallies depend on, of what may change: a record that keeps it keeps its places in them.

        None where that isn't known. For records that change often in other ways, whose places need not be looked at.
        """
        return None

    def but(self, **changes: object) -> Self:
        """A copy of this record with some fields changed."""
        return msgspec.structs.replace(self, **changes)


R = TypeVar("R", bound=Record)


class Records(Protocol):
    """What reads records: a store, or a transaction, as pure functions see it."""

    def get(self, cls: type[R], key: Key) -> R | None:
        """The record with a key."""
        ...

    def select(self, cls: type[R], index: str, value: Key) -> list[R]:
        """The records that an index has at a value."""
        ...
