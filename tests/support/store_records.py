"""Tiny record classes for tests of the store."""

from collections.abc import Iterator
from typing import ClassVar

from longshore.domain.record import Filing, Key, Record

SCOPE = ("1", "here")


class Item(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Found by colour and by scope; its weight is summed by colour."""

    kind: ClassVar[str] = "item"

    name: str
    colour: str = ""
    weight: int = 0
    text: str = ""

    def names(self) -> Key:
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        yield "scope", self.scope
        if self.colour:
            yield "colour", (self.colour,)

    def tallies(self) -> Iterator[tuple[str, Key, int]]:
        yield "weight", (self.colour,), self.weight
        yield "items", SCOPE, 1

    def filed_by(self) -> Filing:
        return Filing(self.colour, (self.colour, self.weight))


class Note(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Another kind, with nothing but a key."""

    kind: ClassVar[str] = "note"

    name: str
    number: int = 0

    def names(self) -> Key:
        return (self.name,)


KINDS: tuple[type[Record], ...] = (Item, Note)


def item(name: str, colour: str = "", weight: int = 0, text: str = "") -> Item:
    return Item(account=SCOPE[0], region=SCOPE[1], name=name, colour=colour, weight=weight, text=text)


def note(name: str, number: int = 0) -> Note:
    return Note(account=SCOPE[0], region=SCOPE[1], name=name, number=number)


def key(name: str) -> Key:
    return (*SCOPE, name)
