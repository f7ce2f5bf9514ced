"""What a pure function made of records, for as long as they are the same ones: a record never changes.

Used by whoever is asked the same again and again. Like `functools.lru_cache`, but by identity: records have no hash.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
V = TypeVar("V")


class Remembered(Generic[P, V]):
    """A pure function whose last answers are kept, at most so many. For one thread."""

    def __init__(self, make: Callable[P, V], most: int) -> None:
        self._make = make
        self._most = most
        self._made: OrderedDict[tuple[int, ...], tuple[tuple[object, ...], V]] = OrderedDict()
        """By the ids of the arguments, which are kept too: so no other object can have these ids."""

    def __len__(self) -> int:
        return len(self._made)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> V:
        """The function's answer, made once for the very same objects. All arguments go by position."""
        if named:
            raise TypeError("arguments go by position")
        key = tuple(map(id, arguments))
        known = self._made.get(key)
        if known is not None:
            self._made.move_to_end(key)
            return known[1]
        made = self._make(*arguments, **named)
        self._made[key] = (arguments, made)
        if len(self._made) > self._most:
            self._made.popitem(last=False)
        return made
