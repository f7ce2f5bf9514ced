"""IAM: roles, users, groups, policies, instance profiles, access keys, identity providers. Written by the API alone.

IAM is one for all regions: the region of these records is empty, as Route 53's is. Names are told apart as they are
written, but two that differ only in case can't both exist, as on AWS.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import msgspec

from longshore.domain.arn import Arn
from longshore.domain.names.zone import GLOBAL
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

AWS_ACCOUNT = "aws"
"""The account in the ARNs of policies that AWS manages."""
TASK_SESSIONS = "ecs-tasks.amazonaws.com"
"""The service that hands tasks the credentials of their roles."""


class Global(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What all of IAM's records have."""

    name: str
    path: str = "/"
    unique_id: str
    created_at: float
    tags: Tags = {}

    arn_type: ClassVar[str] = ""
    """The first part of the resource in its ARN."""

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By account, and by name whatever its case."""
        yield "scope", self.scope
        yield "name", (self.account, self.name.lower())

    @property
    def arn(self) -> str:
        """`arn:aws:iam::ACCOUNT:TYPE/PATH/NAME`."""
        return iam_arn(self.account, f"{self.arn_type}{self.path}{self.name}")


class Identity(Global, frozen=True, kw_only=True, omit_defaults=True):
    """What policies can be attached to, or written into."""

    inline: dict[str, str] = {}
    """Documents by the name of the policy, as they were given."""
    attached: tuple[str, ...] = ()
    """The ARNs of managed policies, in the order in which they were attached."""
    boundary_arn: str = ""
    """The managed policy beyond which nothing is allowed; empty: none."""

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By managed policies, too."""
        yield from super().indexes()
        for arn in self.attached:
            yield "policy", (self.account, arn)
        if self.boundary_arn:
            yield "boundary", (self.account, self.boundary_arn)


class Role(Identity, frozen=True, kw_only=True, omit_defaults=True):
    """A role: who may assume it, and what it may do."""

    kind: ClassVar[str] = "iam_role"
    arn_type: ClassVar[str] = "role"

    trust: str
    """The document that says who may assume it, as it was given."""
    description: str = ""
    max_session_s: int = 3600
    service: str = ""
    """The service that a service-linked role belongs to; empty for others."""


class User(Identity, frozen=True, kw_only=True, omit_defaults=True):
    """A user, who signs with access keys."""

    kind: ClassVar[str] = "iam_user"
    arn_type: ClassVar[str] = "user"

    groups: tuple[str, ...] = ()

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By group, too."""
        yield from super().indexes()
        for group in self.groups:
            yield "group", (self.account, group)


class Group(Identity, frozen=True, kw_only=True, omit_defaults=True):
    """A group: its users may do what it may."""

    kind: ClassVar[str] = "iam_group"
    arn_type: ClassVar[str] = "group"


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A version of a managed policy."""

    number: int
    document: str
    created_at: float

    @property
    def version_id(self) -> str:
        """As AWS writes it."""
        return f"v{self.number}"


class Policy(Global, frozen=True, kw_only=True, omit_defaults=True):
    """A managed policy of a customer's own. Those of AWS are not records (`api/iam/managed`)."""

    kind: ClassVar[str] = "iam_policy"
    arn_type: ClassVar[str] = "policy"

    description: str = ""
    updated_at: float
    versions: tuple[PolicyVersion, ...]
    """At most five, oldest first."""
    default_number: int = 1
    last_number: int = 1
    """Of the newest version there ever was: numbers are not used again."""

    @property
    def default(self) -> PolicyVersion:
        """The version that holds."""
        return next(version for version in self.versions if version.number == self.default_number)


class InstanceProfile(Global, frozen=True, kw_only=True, omit_defaults=True):
    """What gives a role to a container instance."""

    kind: ClassVar[str] = "iam_instance_profile"
    arn_type: ClassVar[str] = "instance-profile"

    role: str = ""
    """The name of its role; empty: none."""

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By role, too."""
        yield from super().indexes()
        if self.role:
            yield "role", (self.account, self.role)


class AccessKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's key pair."""

    kind: ClassVar[str] = "iam_access_key"

    access_key_id: str
    user_name: str
    sealed_secret: str
    """The secret, sealed (see `domain/secrets/vault.py`): never in plain text on disk."""
    status: Literal["Active", "Inactive"] = "Active"
    created_at: float
    last_used_at: float | None = None
    last_used_region: str = ""
    last_used_service: str = ""

    def names(self) -> Key:
        """By id."""
        return (self.access_key_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By id over all accounts, since a signature names no account; and by user."""
        yield "id", (self.access_key_id,)
        yield "user", (self.account, self.user_name)


class AccountAlias(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The name that an account has given itself."""

    kind: ClassVar[str] = "iam_account_alias"

    alias: str

    def names(self) -> Key:
        """An account has one at most."""
        return ()

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By the name, which no two accounts share."""
        yield "alias", (self.alias,)


class PasswordPolicy(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What an account asks of passwords. Nobody has one here, so that it is kept and holds nobody."""

    kind: ClassVar[str] = "iam_password_policy"

    settings: dict[str, int | bool]
    """Under AWS's names, those that were given."""

    def names(self) -> Key:
        """An account has one at most."""
        return ()


class IdentityProvider(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An OpenID Connect identity provider. It is kept for those who name it; nobody's tokens are checked."""

    kind: ClassVar[str] = "iam_identity_provider"

    url: str
    """Without its `https://`, as its ARN has it."""
    client_ids: tuple[str, ...] = ()
    thumbprints: tuple[str, ...] = ()
    created_at: float
    tags: Tags = {}

    @property
    def arn(self) -> str:
        """`arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`."""
        return provider_arn(self.account, self.url)

    def names(self) -> Key:
        """By URL."""
        return (self.url,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By account."""
        yield "scope", self.scope


def provider_arn(account: str, url: str) -> str:
    """The ARN of an identity provider, by its URL without `https://`."""
    return iam_arn(account, f"oidc-provider/{url}")


def iam_arn(account: str, resource: str) -> str:
    """`arn:aws:iam::ACCOUNT:RESOURCE`."""
    return str(Arn("iam", Scope(account, GLOBAL), resource))


def iam_key_of(arn: str, arn_type: str) -> Key | None:
    """The store's key of what an ARN of a type (`role`, `policy` …) names; None if it names something else."""
    parsed = Arn.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.scope.region != GLOBAL:
        return None
    kind, _, path_and_name = parsed.resource.partition("/")
    name = path_and_name.rpartition("/")[2]
    return (parsed.scope.account, GLOBAL, name) if kind == arn_type and name else None


def session_arn(role_arn: str, session: str, account: str) -> str:
    """The ARN that a session of a role acts under: `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`."""
    return str(Arn("sts", Scope(account, GLOBAL), f"assumed-role/{role_arn.rpartition('/')[2]}/{session}"))
