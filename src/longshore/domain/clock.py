"""Time and ids as arguments. `main` passes in the real ones; the simulator its own."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Where `now` comes from. Times are seconds since the epoch, as floats, in UTC, everywhere in Longshore."""

    def now(self) -> float:
        """The present time."""
        ...


class Ids(Protocol):
    """Where new names come from. Never the same answer twice."""

    def hex(self, length: int) -> str:
        """Lower-case hexadecimal digits, as in task ids (32) and network interfaces (17)."""
        ...

    def digits(self, length: int) -> str:
        """Decimal digits without a leading zero, as in deployment ids (19)."""
        ...

    def token(self, length: int) -> str:
        """Letters and digits, as in service deployment ids (21)."""
        ...

    def uuid(self) -> str:
        """A random UUID (version 4) in its usual form."""
        ...

    def choice(self, options: int) -> int:
        """A number from 0 up to but not including `options`: chance for decisions that want it."""
        ...


def drawn(things: Sequence[T], most: int, ids: Ids) -> list[T]:
    """At most so many of these, each as likely as any other, in random order: the beginning of a shuffle."""
    pool = list(things)
    taken = min(len(pool), most)
    for place in range(min(taken, len(pool) - 1)):
        other = place + ids.choice(len(pool) - place)
        pool[place], pool[other] = pool[other], pool[place]
    return pool[:taken]
