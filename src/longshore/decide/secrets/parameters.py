"""Which parameter a name means, which of its versions is asked for, and what that holds. Pure.

Called by the handlers of Parameter Store and by `decide/ecs/task_secrets.py`. A name may be an ARN, may end in `:3` or
`:label`, may be one of those that AWS publishes, or lead to a secret. What can't be had is a `ParameterRefused`.
"""

import base64
import json
from typing import NamedTuple

from longshore.decide.secrets.encryption import KeyRefused, Sealed, decrypt_text
from longshore.decide.secrets.secrets import SecretRefused, chosen_version, find_secret, value_of
from longshore.domain.arn import Arn
from longshore.domain.record import Records, Scope
from longshore.domain.secrets.ciphertext import opened
from longshore.domain.secrets.parameter import (
    Parameter,
    ParameterVersion,
    parameter_arn,
    parameter_context,
    split_selector,
)
from longshore.domain.secrets.public_parameters import (
    PUBLISHED_AT,
    ROOT,
    PublicParameter,
    public_arn,
    public_parameters,
)
from longshore.domain.secrets.secret import CURRENT, Secret, SecretVersion
from longshore.domain.secrets.vault import Vault

SECRETS = "/aws/reference/secretsmanager/"
NOT_FOUND = "Parameter {name} not found."
NO_VERSION = "Systems Manager could not find version {version} of {name}. Verify the version and try again."
NO_LABEL = "Systems Manager could not find label {version} of {name}. Verify the label and try again."
NEEDS_DECRYPTION = "WithDecryption flag must be True for retrieving a Secret Manager secret."


class ParameterRefused(Exception):  # noqa: N818  named for what happened
    """A parameter that can't be had: Parameter Store's error code, and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Reading(NamedTuple):
    """A parameter, as GetParameter answers it."""

    name: str
    type: str
    value: str
    version: int
    modified_at: float
    arn: str
    selector: str = ""
    data_type: str = "text"
    source: str = ""


def read_parameter(
    records: Records,
    vault: Vault,
    scope: Scope,
    reference: str,
    now: float,
    *,
    decryption: bool,
) -> Reading:
    """What a name means, and holds. Raises ParameterRefused."""
    bare, selector = split_selector(reference)
    name = name_in(records, scope, bare)
    if name.startswith(ROOT):
        published = public_parameters(scope.region).get(name)
        if published is None:
            raise ParameterRefused("ParameterNotFound", NOT_FOUND.format(name=name))
        return public_reading(scope.region, name, published)
    if name.startswith(SECRETS):
        return _secret(records, vault, scope, name, selector, now, decryption=decryption)
    version = chosen(records, scope, name, selector)
    reading = reading_of(records, vault, scope, version, now, decryption=decryption)
    return reading._replace(selector=f":{selector}" if selector else "")


def public_reading(region: str, name: str, published: PublicParameter) -> Reading:
    """One of those that AWS publishes."""
    arn = public_arn(region, name)
    return Reading(name, "String", published.value, 1, PUBLISHED_AT, arn, data_type=published.data_type)


def name_in(records: Records, scope: Scope, reference: str) -> str:
    """The name in a name or ARN; an ARN does not say whether its parameter's name begins with a slash."""
    arn = Arn.parse(reference)
    if arn is None:
        return reference
    kind, _, rest = arn.resource.partition("/")
    public = arn.scope == Scope("", scope.region) and f"/{rest}".startswith(ROOT)
    if arn.service != "ssm" or kind != "parameter" or not (arn.scope == scope or public):
        raise ParameterRefused("ParameterNotFound", NOT_FOUND.format(name=reference))
    return rest if records.get(Parameter, (*scope, rest)) is not None else f"/{rest}"


def chosen(records: Records, scope: Scope, name: str, selector: str) -> ParameterVersion:
    """The version of a parameter that a selector means; without one the newest. Raises ParameterRefused."""
    parameter = records.get(Parameter, (*scope, name))
    if parameter is None:
        raise ParameterRefused("ParameterNotFound", NOT_FOUND.format(name=name))
    if not selector or selector.isdecimal():
        number = selector.lstrip("0") or ("0" if selector else str(parameter.version))
        version = records.get(ParameterVersion, (*scope, name, number))
        text = NO_VERSION
    else:
        labelled = records.select(ParameterVersion, "label", (*scope, name, selector))
        version = labelled[0] if labelled else None
        text = NO_LABEL
    if version is None:
        raise ParameterRefused("ParameterVersionNotFound", text.format(version=selector, name=name))
    return version


def sealed(scope: Scope, version: ParameterVersion) -> Sealed | None:
    """How a version is encrypted; None: not at all."""
    if version.type != "SecureString":
        return None
    key_id = opened(base64.b64decode(version.value)).key_id
    return Sealed(key_id, parameter_context(parameter_arn(scope, version.parameter_name)))


def secret_named(records: Records, scope: Scope, name: str, selector: str, now: float) -> tuple[Secret, SecretVersion]:
    """The secret that `/aws/reference/secretsmanager/…` means; the selector is a staging label or a version's id.

    Raises SecretRefused.
    """
    secret = find_secret(records, scope, name.removeprefix(SECRETS), now)
    by_stage = not selector or selector in secret.stages
    asked = {"stage": selector or CURRENT} if by_stage else {"version_id": selector}
    return secret, chosen_version(records, secret, **asked)


def reading_of(
    records: Records, vault: Vault, scope: Scope, version: ParameterVersion, now: float, *, decryption: bool
) -> Reading:
    """What a version holds: of a SecureString the ciphertext, unless it is to be decrypted."""
    name, value = version.parameter_name, version.value
    arn = parameter_arn(scope, name)
    if version.type == "SecureString" and decryption:
        try:
            value = decrypt_text(records, vault, scope, value, parameter_context(arn), now).decode()
        except KeyRefused as refusal:
            raise ParameterRefused("InvalidKeyId", f"{refusal.text} ({refusal.code})") from refusal
    return Reading(name, version.type, value, version.version, version.modified_at, arn, data_type=version.data_type)


def _secret(
    records: Records, vault: Vault, scope: Scope, name: str, selector: str, now: float, *, decryption: bool
) -> Reading:
    """A secret of Secrets Manager."""
    if not decryption:
        raise ParameterRefused("ValidationException", NEEDS_DECRYPTION)
    try:
        secret, version = secret_named(records, scope, name, selector, now)
        raw = value_of(records, vault, secret, version, now)
    except SecretRefused as refusal:
        text = f"An error occurred ({refusal.code}) when referencing Secrets Manager: Secret {name} can't be read."
        raise ParameterRefused("ParameterNotFound", text) from refusal
    if version.binary:
        raise ParameterRefused("ParameterNotFound", f"Secret {name} holds bytes, and a parameter's value is text.")
    value = raw.decode()
    source = {
        "ARN": secret.arn,
        "name": secret.name,
        "versionId": version.version_id,
        "secretString": value,
        "versionStages": secret.stages_of(version.version_id),
        "createdDate": version.created_at,
    }
    return Reading(
        name,
        "SecureString",
        value,
        0,
        version.created_at,
        parameter_arn(scope, name),
        selector=f":{selector}" if selector else "",
        source=json.dumps(source),
    )
