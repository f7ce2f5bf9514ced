"""Parts of results that stay as they are, such as a task that nobody has changed since it was last asked for.

Made by whoever keeps such a part to answer with it again; `json_body` keeps with it what it wrote of it.
"""

from collections.abc import Callable
from typing import Any

import msgspec


class Kept(dict[str, Any]):
    """A structure that is never changed after it was made; and what was written of it, by the function that did."""

    __slots__ = ("written",)

    def __init__(self, members: dict[str, Any]) -> None:
        super().__init__(members)
        self.written: dict[Callable[[Any], Any], msgspec.Raw] = {}
