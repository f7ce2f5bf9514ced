"""What the `secrets` of a task definition hold when a task starts, or why the task can't. Pure.

Called by `control/tasks.py`. A reference is `valueFrom`: the ARN of a secret, with `:json-key:version-stage:version-id`
behind it where that is asked for, or the name or ARN of a parameter. What is wrong is said in the words of the ECS
agent of Fargate; a value is never part of them.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from longshore.decide.encryption import KeyRefused, find_key
from longshore.decide.execution_role import ExecutionRole
from longshore.decide.parameters import SECRETS, ParameterRefused, name_in, read_parameter
from longshore.decide.secrets import SecretRefused, chosen_version, find_secret, value_of
from longshore.domain.arn import Arn
from longshore.domain.encryption_key import EncryptionKey
from longshore.domain.launch import Hidden
from longshore.domain.parameter import Parameter, ParameterVersion, parameter_arn, split_selector
from longshore.domain.public_parameters import ROOT
from longshore.domain.record import Records, Scope
from longshore.domain.secret import Secret
from longshore.domain.vault import Vault

HEAD = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = HEAD + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
SSM = HEAD + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
NOT_FETCHED = "failed to fetch secret {arn} from secrets manager: {code}: {text}"
NO_KEY = "retrieved secret from Secrets Manager did not contain json key {key}"
NO_OBJECT = "retrieved secret from Secrets Manager is no JSON object, so that it has no json key {key}"
ODD_ARN = "unexpected ARN format with parameters when trying to retrieve ASM secret: {reference}"
BINARY = "the secret {arn} holds SecretBinary, and an environment variable takes SecretString"
HAS_NUL = "the value of {reference} has a NUL character, which no environment variable can have"
OTHER_ACCOUNT = "AccessDeniedException: {reference} is another account's, and accounts share nothing here"
DENIED = "AccessDeniedException"
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


class Reading(NamedTuple):
    """Where, when and as whom secrets are read."""

    records: Records
    vault: Vault
    scope: Scope
    now: float
    role: ExecutionRole | None = None
    """None: nothing holds who reads."""


def task_secrets(reading: Reading, containers: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Hidden]]:
    """By container, its variables from secrets. Raises SecretsUnavailable."""
    found: dict[str, dict[str, Hidden]] = {}
    for container in containers:
        for secret in container.get("secrets") or ():
            value = secret_value(reading, secret["valueFrom"])
            found.setdefault(container["name"], {})[secret["name"]] = Hidden(text=value)
    return found


def secret_value(reading: Reading, reference: str) -> str:
    """What one reference means. Raises SecretsUnavailable."""
    scope, arn = reading.scope, Arn.parse(reference)
    of_asm = arn is not None and arn.service == "secretsmanager"
    head = ASM if of_asm else SSM
    if arn is not None and arn.scope.account not in {scope.account, ""}:
        raise SecretsUnavailable(head + OTHER_ACCOUNT.format(reference=reference))
    value = _of_asm(reading, arn, reference) if arn is not None and of_asm else _of_ssm(reading, arn, reference)
    if "\0" in value:
        raise SecretsUnavailable(head + HAS_NUL.format(reference=reference))
    return value


def _of_asm(reading: Reading, arn: Arn, reference: str) -> str:
    parts = arn.resource.split(":")
    if len(parts) not in {2, PARTS}:
        raise SecretsUnavailable(ASM + ODD_ARN.format(reference=reference))
    _, name, key, stage, version_id = parts if len(parts) == PARTS else (*parts, "", "", "")
    bare = str(arn._replace(resource=f"secret:{name}"))
    records, now = reading.records, reading.now
    try:
        secret = find_secret(records, arn.scope, bare, now)
        _may_read_secret(reading, secret)
        version = chosen_version(records, secret, version_id, stage)
        raw = value_of(records, reading.vault, secret, version, now)
    except SecretRefused as refusal:
        text = NOT_FETCHED.format(arn=bare, code=refusal.code, text=refusal.text)
        raise SecretsUnavailable(ASM + text) from refusal
    if version.binary:
        raise SecretsUnavailable(ASM + BINARY.format(arn=bare))
    return _under_key(raw.decode(), key) if key else raw.decode()


def _may_read_secret(reading: Reading, secret: Secret) -> None:
    """Raises SecretRefused where the task's execution role may not."""
    role, region = reading.role, secret.region
    if role is None:
        return
    refusal = role.refusal("secretsmanager:GetSecretValue", secret.arn, region, secret.tags)
    refusal = refusal or role.refuses_key(_key(reading, secret.scope, secret.key_reference), "secretsmanager", region)
    if refusal:
        raise SecretRefused(DENIED, refusal)


def _of_ssm(reading: Reading, arn: Arn | None, reference: str) -> str:
    scope = Scope(reading.scope.account, arn.scope.region) if arn is not None else reading.scope
    try:
        _may_read_parameter(reading, scope, reference)
        return read_parameter(reading.records, reading.vault, scope, reference, reading.now, decryption=True).value
    except ParameterRefused as refusal:
        missing = refusal.code in MISSING
        text = f"invalid ssm parameters: {reference}" if missing else f"{refusal.code}: {refusal.text}"
        raise SecretsUnavailable(SSM + text) from refusal


def _may_read_parameter(reading: Reading, scope: Scope, reference: str) -> None:
    """Raises ParameterRefused where the task's execution role may not. What AWS publishes everybody may read."""
    role, records = reading.role, reading.records
    name = name_in(records, scope, split_selector(reference)[0])
    if role is None or name.startswith(ROOT):
        return
    parameter = records.get(Parameter, (*scope, name))
    newest = records.get(ParameterVersion, (*scope, name, str(parameter.version))) if parameter else None
    arn, tags = parameter_arn(scope, name), parameter.tags if parameter else {}
    refusal = role.refusal("ssm:GetParameters", arn, scope.region, tags)
    if newest is not None:
        refusal = refusal or role.refuses_key(_key(reading, scope, newest.key_reference), "ssm", scope.region)
    if name.startswith(SECRETS):
        refusal = refusal or _refused_secret(reading, scope, name.removeprefix(SECRETS))
    if refusal:
        raise ParameterRefused(DENIED, refusal)


def _refused_secret(reading: Reading, scope: Scope, name: str) -> str:
    """Why the secret behind a parameter may not be read; one that is not there is missed later."""
    try:
        _may_read_secret(reading, find_secret(reading.records, scope, name, reading.now))
    except SecretRefused as refusal:
        return refusal.text if refusal.code == DENIED else ""
    return ""


def _key(reading: Reading, scope: Scope, reference: str) -> EncryptionKey | None:
    """The key that is named; None where it is the service's own or is not there."""
    try:
        return find_key(reading.records, scope, reference, reading.now) if reference else None
    except KeyRefused:
        return None


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
