"""Parameter Store: parameters and their versions; who writes which field. All are written by the API alone."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

ParameterType = Literal["String", "StringList", "SecureString"]
Tier = Literal["Standard", "Advanced"]
DEFAULT_ALIAS = "alias/aws/ssm"


class Parameter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A parameter's name, and which version is its newest."""

    kind: ClassVar[str] = "parameter"

    name: str
    version: int
    tags: Tags = {}

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by the path it stands in, and by each path above it."""
        yield "scope", self.scope
        parts = self.name.split("/")[1:-1]
        paths = ["/", *("/" + "/".join(parts[: depth + 1]) for depth in range(len(parts)))]
        yield "in", (*self.scope, paths[-1])
        for path in paths:
            yield "below", (*self.scope, path)

    @property
    def arn(self) -> str:
        """`arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`."""
        return parameter_arn(self.scope, self.name)


class ParameterVersion(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One value that a parameter has or had. Only its labels change."""

    kind: ClassVar[str] = "parameter_version"

    parameter_name: str
    version: int
    type: ParameterType
    value: str
    """A SecureString is a ciphertext of KMS (base64), bound to the parameter's ARN."""
    key_reference: str = ""
    """`KeyId` of a SecureString, as it was given or `alias/aws/ssm`."""
    description: str = ""
    allowed_pattern: str = ""
    tier: Tier = "Standard"
    data_type: str = "text"
    labels: tuple[str, ...] = ()
    modified_at: float
    modified_by: str

    def names(self) -> Key:
        """By parameter and number."""
        return (self.parameter_name, str(self.version))

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By parameter, and by parameter and label."""
        yield "parameter", (*self.scope, self.parameter_name)
        for label in self.labels:
            yield "label", (*self.scope, self.parameter_name, label)


def parameter_arn(scope: Scope, name: str) -> str:
    """The ARN of a parameter: a name that begins with a slash brings the one that the ARN needs."""
    return str(Arn("ssm", scope, f"parameter{name if name.startswith('/') else '/' + name}"))


def parameter_context(arn: str) -> dict[str, str]:
    """The encryption context of a SecureString, as Parameter Store uses it."""
    return {"PARAMETER_ARN": arn}


def split_selector(reference: str) -> tuple[str, str]:
    """`(name, selector)` of `name`, `name:3` or `name:label`; of an ARN too, whose own colons are none."""
    arn = Arn.parse(reference)
    if arn is None:
        name, _, selector = reference.partition(":")
        return name, selector
    resource, _, selector = arn.resource.partition(":")
    return str(arn._replace(resource=resource)), selector
