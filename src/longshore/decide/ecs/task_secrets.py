"""What the `secrets` of a task definition hold when a task starts, or why the task can't. Pure.

Called by `control/ecs/tasks.py`. A reference is `valueFrom`: the ARN of a secret, with
`:json-key:version-stage:version-id` behind it where that is asked for, or the name or ARN of a parameter. What is wrong
is said in the words of the ECS agent of Fargate; a value is never part of them.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from longshore.decide.ecs.roles import Permit, freely
from longshore.decide.secrets import parameters, secrets
from longshore.decide.secrets.encryption import Sealed
from longshore.decide.secrets.parameters import SECRETS, ParameterRefused, chosen, read_parameter, secret_named
from longshore.decide.secrets.secrets import SecretRefused, chosen_version, find_secret, value_of
from longshore.domain.arn import Arn
from longshore.domain.ecs.launch import Hidden
from longshore.domain.record import Records, Scope
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.secrets.parameter import Parameter, parameter_arn
from longshore.domain.secrets.public_parameters import ROOT
from longshore.domain.secrets.vault import Vault

HEAD = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = HEAD + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
SSM = HEAD + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
NOT_FETCHED = "failed to fetch secret {arn} from secrets manager: {code}: {text}"
DENIED = "failed to fetch secret {arn} from secrets manager: {text}"
NO_KEY = "retrieved secret from Secrets Manager did not contain json key {key}"
NO_OBJECT = "retrieved secret from Secrets Manager is no JSON object, so that it has no json key {key}"
ODD_ARN = "unexpected ARN format with parameters when trying to retrieve ASM secret: {reference}"
BINARY = "the secret {arn} holds SecretBinary, and an environment variable takes SecretString"
HAS_NUL = "the value of {reference} has a NUL character, which no environment variable can have"
OTHER_ACCOUNT = "AccessDeniedException: {reference} is another account's, and accounts share nothing here"
NO_KMS = "AccessDeniedException: Access to KMS is not allowed"
MISSING = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})
PARTS = 5
"""Of `secret:NAME:json-key:version-stage:version-id`."""


class SecretsUnavailable(Exception):  # noqa: N818  named for what happened
    """A task that can't have its secrets; `reason` is for its stopped reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def needs_secrets(containers: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a container of them has variables from secrets."""
    return any(container.get("secrets") for container in containers)


def task_secrets(
    records: Records,
    vault: Vault,
    scope: Scope,
    containers: Iterable[Mapping[str, Any]],
    now: float,
    permit: Permit = freely,
) -> dict[str, dict[str, Hidden]]:
    """By container, its variables from secrets. `permit` is the execution role's. Raises SecretsUnavailable."""
    found: dict[str, dict[str, Hidden]] = {}
    for container in containers:
        for secret in container.get("secrets") or ():
            value = secret_value(records, vault, scope, secret["valueFrom"], now, permit)
            found.setdefault(container["name"], {})[secret["name"]] = Hidden(text=value)
    return found


def secret_value(
    records: Records, vault: Vault, scope: Scope, reference: str, now: float, permit: Permit = freely
) -> str:
    """What one reference means. Raises SecretsUnavailable."""
    arn = Arn.parse(reference)
    of_asm = arn is not None and arn.service == "secretsmanager"
    head = ASM if of_asm else SSM
    if arn is not None and arn.scope.account not in {scope.account, ""}:
        raise SecretsUnavailable(head + OTHER_ACCOUNT.format(reference=reference))
    if arn is not None and of_asm:
        value = _of_asm(records, vault, arn, reference, now, permit)
    else:
        value = _of_ssm(records, vault, scope, arn, reference, now, permit)
    if "\0" in value:
        raise SecretsUnavailable(head + HAS_NUL.format(reference=reference))
    return value


def _of_asm(records: Records, vault: Vault, arn: Arn, reference: str, now: float, permit: Permit) -> str:
    parts = arn.resource.split(":")
    if len(parts) not in {2, PARTS}:
        raise SecretsUnavailable(ASM + ODD_ARN.format(reference=reference))
    _, name, key, stage, version_id = parts if len(parts) == PARTS else (*parts, "", "", "")
    bare = str(arn._replace(resource=f"secret:{name}"))
    try:
        secret = find_secret(records, arn.scope, bare, now)
        denied = permit("secretsmanager:GetSecretValue", secret.arn, secret.tags)
        version = chosen_version(records, secret, version_id, stage) if denied is None else None
        if version is not None:
            denied = _denied_key(records, arn.scope, secrets.sealed(secret, version), permit, "secretsmanager")
        if denied is not None or version is None:
            raise SecretsUnavailable(ASM + DENIED.format(arn=bare, text=denied))
        raw = value_of(records, vault, secret, version, now)
    except SecretRefused as refusal:
        text = NOT_FETCHED.format(arn=bare, code=refusal.code, text=refusal.text)
        raise SecretsUnavailable(ASM + text) from refusal
    if version.binary:
        raise SecretsUnavailable(ASM + BINARY.format(arn=bare))
    return _under_key(raw.decode(), key) if key else raw.decode()


def _of_ssm(
    records: Records, vault: Vault, scope: Scope, arn: Arn | None, reference: str, now: float, permit: Permit
) -> str:
    place = Scope(scope.account, arn.scope.region) if arn is not None else scope
    try:
        reading = read_parameter(records, vault, place, reference, now, decryption=True)
    except ParameterRefused as refusal:
        missing = refusal.code in MISSING
        text = f"invalid ssm parameters: {reference}" if missing else f"{refusal.code}: {refusal.text}"
        raise SecretsUnavailable(SSM + text) from refusal
    denied = _denied_parameter(records, place, reading.name, reading.selector[1:], now, permit)
    if denied is not None:
        raise SecretsUnavailable(SSM + denied)
    return reading.value


def _denied_parameter(
    records: Records, scope: Scope, name: str, selector: str, now: float, permit: Permit
) -> str | None:
    """Why a parameter that is there may not be read. What AWS publishes everybody may read."""
    if name.startswith(ROOT):
        return None
    parameter = records.get(Parameter, (*scope, name))
    denied = permit("ssm:GetParameters", parameter_arn(scope, name), parameter.tags if parameter else {})
    if denied is not None:
        return denied
    if name.startswith(SECRETS):
        secret, version = secret_named(records, scope, name, selector, now)
        denied = permit("secretsmanager:GetSecretValue", secret.arn, secret.tags)
        return denied or _denied_key(records, scope, secrets.sealed(secret, version), permit, "secretsmanager")
    return _denied_key(records, scope, parameters.sealed(scope, chosen(records, scope, name, selector)), permit, "ssm")


def _denied_key(records: Records, scope: Scope, sealed: Sealed | None, permit: Permit, via: str) -> str | None:
    """Why the user's own key may not be used by way of a service; AWS's own keys allow it the whole account."""
    key = records.get(EncryptionKey, (*scope, sealed.key_id)) if sealed is not None else None
    if sealed is None or key is None or key.manager == "AWS":
        return None
    denied = permit("kms:Decrypt", key.arn, key.tags, via=via, context=sealed.context)
    return None if denied is None else NO_KMS


def _under_key(text: str, key: str) -> str:
    """The value of a key of a JSON object."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SecretsUnavailable(ASM + NO_OBJECT.format(key=key))
    if key not in document:
        raise SecretsUnavailable(ASM + NO_KEY.format(key=key))
    return go_text(document[key])


def go_text(value: Any) -> str:
    """A value as the agent writes it, which is Go's `%v`: a number is a float64, an object `map[a:1 b:2]`.

    `10000000` becomes `1e+07`, as on AWS: a secret's large numbers are best strings.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{go_text(value[name])}" for name in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    return _number(value)


def _number(value: float) -> str:
    """The shortest digits that mean the number; with an exponent below 0.0001 and from a million on."""
    try:
        real = float(value)
    except OverflowError:
        real = float("inf") if value > 0 else float("-inf")
    if real in {float("inf"), float("-inf")}:
        return "+Inf" if real > 0 else "-Inf"
    if real != real:  # noqa: PLR0124  the one number that is not itself
        return "NaN"
    if real == 0:
        return "-0" if str(real).startswith("-") else "0"
    sign, digits, exponent = Decimal(repr(real)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise TypeError("a finite number has a finite exponent")
    minus, text = "-" if sign else "", "".join(str(digit) for digit in digits)
    power = len(text) + exponent - 1
    if power < -4 or power >= 6:
        mantissa = text[0] + (f".{text[1:]}" if len(text) > 1 else "")
        return f"{minus}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02}"
    return minus + format(Decimal((0, digits, exponent)), "f")
