"""KMS: keys, their materials, aliases and grants; who writes which field.

All are written by the API alone; `control/expiry.py` removes a key once its time is over.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import msgspec

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

KeyUsage = Literal["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"]
KeyState = Literal["Enabled", "Disabled", "PendingDeletion"]
SYMMETRIC = "SYMMETRIC_DEFAULT"


class KeyMaterial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The secret of a key: 32 bytes, an HMAC key, or a private key in PKCS #8."""

    material_id: str
    """64 hexadecimal digits."""
    sealed: str
    """Sealed (see `domain/secrets/vault.py`): never in plain text on disk."""
    created_at: float
    rotation: Literal["", "AUTOMATIC", "ON_DEMAND"] = ""
    """How it came; empty for a key's first."""


class EncryptionKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A key. What it encrypts is under the last of its materials; earlier ones still decrypt."""

    kind: ClassVar[str] = "kms_key"

    key_id: str
    """A UUID."""
    spec: str = SYMMETRIC
    usage: KeyUsage = "ENCRYPT_DECRYPT"
    description: str = ""
    created_at: float
    enabled: bool = True
    deletion_at: float | None = None
    pending_window_days: int = 0
    policy: str = ""
    manager: Literal["CUSTOMER", "AWS"] = "CUSTOMER"
    materials: tuple[KeyMaterial, ...]
    public_key: str = ""
    """SubjectPublicKeyInfo in base64; empty for a key without one."""
    rotates: bool = False
    rotation_period_days: int = 365
    rotation_since: float = 0.0
    """From when the next automatic rotation is counted."""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.key_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and those that are to be deleted or to rotate."""
        yield "scope", self.scope
        if self.deletion_at is not None:
            yield "expiring", ()

    @property
    def arn(self) -> str:
        """`arn:aws:kms:REGION:ACCOUNT:key/ID`."""
        return str(Arn("kms", self.scope, f"key/{self.key_id}"))

    @property
    def state(self) -> KeyState:
        """As DescribeKey answers it."""
        if self.deletion_at is not None:
            return "PendingDeletion"
        return "Enabled" if self.enabled else "Disabled"


class KeyAlias(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A name of a key."""

    kind: ClassVar[str] = "kms_alias"

    name: str
    """With its `alias/`."""
    key_id: str
    created_at: float
    updated_at: float

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by key."""
        yield "scope", self.scope
        yield "key", (*self.scope, self.key_id)

    @property
    def arn(self) -> str:
        """`arn:aws:kms:REGION:ACCOUNT:alias/NAME`."""
        return alias_arn(self.scope, self.name)


class KeyGrant(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A grant on a key: what its grantee may do with it."""

    kind: ClassVar[str] = "kms_grant"

    grant_id: str
    """64 hexadecimal digits."""
    key_id: str
    token: str
    grantee: str
    retiring: str = ""
    operations: tuple[str, ...]
    constraints: dict[str, Any] = {}
    name: str = ""
    created_at: float

    def names(self) -> Key:
        """By id."""
        return (self.grant_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By key, by token, and by who may retire it."""
        yield "key", (*self.scope, self.key_id)
        yield "token", (*self.scope, self.token)
        if self.retiring:
            yield "retiring", (*self.scope, self.retiring)


def alias_arn(scope: Scope, name: str) -> str:
    """`arn:aws:kms:REGION:ACCOUNT:alias/NAME`; `name` has its `alias/`."""
    return str(Arn("kms", scope, name))
