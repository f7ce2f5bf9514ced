"""The one exception of the wire and of every handler: an error that an AWS client is to see.

Handlers and the wire raise it; `Catalog.error` renders it in the protocol of the request.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NONE: Mapping[str, Any] = MappingProxyType({})


class ApiError(Exception):
    """An AWS error: `code` is a modelled shape's name or an error code, `members` the modelled members.

    The HTTP status comes from the model unless `status` is given; an unmodelled code is a 400.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, members: Mapping[str, Any] = _NONE
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class UnreadableError(Exception):
    """A body of the right syntax has a value of the wrong kind: the path grows as readers unwind."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.path: list[str] = []

    def sentence(self) -> str:
        """Say what was wrong and where."""
        return f"{self.text} (at '{'.'.join(reversed(self.path))}')" if self.path else self.text
