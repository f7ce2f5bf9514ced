"""What a state remembers of the master key that seals its secrets: nothing of the key, but which one it is."""

from typing import ClassVar

from longshore.domain.record import Key, Record


class KeyCheck(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One for a whole state, of no account and no region. Written once, when a state gets its master key."""

    kind: ClassVar[str] = "master_key_check"

    sealed: str
    """Something that the key sealed: another one can't open it."""

    def names(self) -> Key:
        """There is one alone."""
        return ("check",)
