"""Secrets Manager: secrets and their versions; who writes which field.

Written by the API alone; `control/expiry.py` removes a deleted secret once its recovery window is over. What a version
holds is a ciphertext of KMS: see `ciphertext.py`.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
MOVED_STAGES = (CURRENT, PENDING, PREVIOUS)
"""The labels whose versions go over to a secret's new key ("Change the encryption key", Secrets Manager user guide)."""
DEFAULT_ALIAS = "alias/aws/secretsmanager"
SUFFIX_LENGTH = 6


class Secret(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A secret: a name, and which of its versions has which staging label."""

    kind: ClassVar[str] = "secret"

    name: str
    suffix: str
    """The six characters that AWS appends to the name in the ARN: a secret made again has another ARN."""
    description: str = ""
    key_reference: str = ""
    """`KmsKeyId` as it was given; empty for the account's `alias/aws/secretsmanager`."""
    created_at: float
    changed_at: float
    accessed_at: float | None = None
    """To the day."""
    deleted_at: float | None = None
    """When it was marked for deletion."""
    deletion_at: float | None = None
    """When it goes for good."""
    stages: dict[str, str] = {}
    """Staging label -> version id."""
    policy: str = ""
    rotates: bool = False
    rotation_lambda_arn: str = ""
    rotation_rules: dict[str, Any] = {}
    rotation_since: float | None = None
    tags: Tags = {}

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by ARN, and those that are to go."""
        yield "scope", self.scope
        yield "arn", (self.arn,)
        if self.deletion_at is not None:
            yield "expiring", ()

    @property
    def arn(self) -> str:
        """`arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX`."""
        return secret_arn(self.scope, f"{self.name}-{self.suffix}")

    def stages_of(self, version_id: str) -> list[str]:
        """The staging labels of a version, in alphabetical order."""
        return sorted(stage for stage, owner in self.stages.items() if owner == version_id)


class SecretVersion(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One value that a secret has or had. Never changed; without a staging label it may go."""

    kind: ClassVar[str] = "secret_version"

    secret_name: str
    version_id: str
    blob: str
    """The value, encrypted under the secret's key (base64)."""
    binary: bool = False
    key_id: str
    """The key's id: what was current when it was written."""
    created_at: float
    accessed_at: float | None = None

    def names(self) -> Key:
        """By secret and id."""
        return (self.secret_name, self.version_id)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By secret."""
        yield "secret", (*self.scope, self.secret_name)


def secret_arn(scope: Scope, name: str) -> str:
    """The ARN of a secret whose name has its suffix."""
    return str(Arn("secretsmanager", scope, f"secret:{name}"))


def secret_context(arn: str, version_id: str) -> dict[str, str]:
    """The encryption context of a version, as Secrets Manager uses it."""
    return {"SecretARN": arn, "SecretVersionId": version_id}
