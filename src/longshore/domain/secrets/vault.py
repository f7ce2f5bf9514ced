"""What seals secrets before they reach a record: a port, since key material is read by `main` alone."""

from typing import Protocol


class Vault(Protocol):
    """Authenticated encryption under the master key of this Longshore."""

    def seal(self, secret: bytes) -> str:
        """The secret as text that is safe to keep."""
        ...

    def open(self, sealed: str) -> bytes:
        """The secret again. Raises ValueError for text that this vault did not seal, or that was changed."""
        ...
