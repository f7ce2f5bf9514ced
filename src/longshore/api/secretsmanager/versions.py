"""New versions of a secret, and where the staging labels go.

Called by CreateSecret, PutSecretValue and UpdateSecret.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from longshore.api.kms.lookup import encrypt_under, symmetric_key
from longshore.api.operation import Call
from longshore.api.secretsmanager.lookup import invalid, key_reference, secret_errors, versions_of
from longshore.decide.secrets.encryption import KeyRefused
from longshore.decide.secrets.secrets import value_of
from longshore.domain.secrets.secret import CURRENT, MOVED_STAGES, PREVIOUS, Secret, SecretVersion, secret_context
from longshore.wire.errors import ApiError

MAX_VERSIONS = 100
MAX_STAGES = 20
KEPT_S = 86_400.0
"""A version younger than this is not removed, labels or not."""
MAX_BYTES = 65_536


class Value(NamedTuple):
    """What a version is to hold."""

    raw: bytes
    binary: bool


def value_in(params: Mapping[str, Any]) -> Value | None:
    """The value that a request brings; None where it brings none."""
    text, binary = params.get("SecretString"), params.get("SecretBinary")
    if text is not None and binary is not None:
        raise invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
    if binary is not None:
        value = Value(binary, binary=True)
    elif text is not None:
        value = Value(_encoded(text), binary=False)
    else:
        return None
    if len(value.raw) > MAX_BYTES:
        raise invalid(f"The secret value can have at most {MAX_BYTES} bytes.")
    return value


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid("SecretString must be valid UTF-8: it holds half of a surrogate pair.") from None


def version_id_of(call: Call) -> str:
    """The id of a request's version: its ClientRequestToken, which SDKs always send, or chance."""
    token: str = call.params.get("ClientRequestToken") or call.ids.uuid()
    return token


def put_version(call: Call, secret: Secret, value: Value, stages: Sequence[str]) -> tuple[Secret, str]:
    """The secret with a new version that has these labels, and the version's id. Both are put.

    A repeated request, as its token tells, changes nothing. Raises ResourceExistsException, EncryptionFailure.
    """
    version_id = version_id_of(call)
    known = call.tx.get(SecretVersion, (*secret.scope, secret.name, version_id))
    if known is not None:
        if not _holds(call, secret, known, value):
            text = (
                f"You can't use ClientRequestToken {version_id} because that value is already in use for a version "
                f"of secret {secret.arn}."
            )
            raise ApiError("ResourceExistsException", text)
        return secret, version_id
    _make_room(call, secret)
    call.tx.put(_encrypted(call, secret, version_id, value))
    changed = secret.but(changed_at=call.now, stages=moved(secret.stages, stages, version_id))
    call.tx.put(changed)
    return changed, version_id


def moved(stages: Mapping[str, str], labels: Sequence[str], version_id: str) -> dict[str, str]:
    """The labels after some were moved to a version. Where AWSCURRENT goes, AWSPREVIOUS is left behind."""
    after = dict(stages)
    current = stages.get(CURRENT)
    if CURRENT in labels and current and current != version_id:
        after[PREVIOUS] = current
    after.update(dict.fromkeys(labels, version_id))
    if len([owner for owner in after.values() if owner == version_id]) > MAX_STAGES:
        raise ApiError("LimitExceededException", f"A version can have at most {MAX_STAGES} staging labels.")
    if after.get(PREVIOUS) == after.get(CURRENT) == version_id and PREVIOUS not in labels:
        del after[PREVIOUS]
    return after


def _holds(call: Call, secret: Secret, version: SecretVersion, value: Value) -> bool:
    with secret_errors():
        return Value(value_of(call.tx, call.vault, secret, version, call.now), version.binary) == value


def encrypt_anew(call: Call, secret: Secret) -> None:
    """The versions that matter, under the key that the secret has now: as AWS does when it gets another one."""
    for stage in MOVED_STAGES:
        version = call.tx.get(SecretVersion, (*secret.scope, secret.name, secret.stages.get(stage, "")))
        if version is None:
            continue
        with secret_errors():
            raw = value_of(call.tx, call.vault, secret, version, call.now)
        made = _encrypted(call, secret, version.version_id, Value(raw, version.binary))
        call.tx.put(version.but(blob=made.blob, key_id=made.key_id))


def _encrypted(call: Call, secret: Secret, version_id: str, value: Value) -> SecretVersion:
    try:
        key = symmetric_key(call, key_reference(secret))
        blob = encrypt_under(call, key, value.raw, secret_context(secret.arn, version_id))
    except KeyRefused as refusal:
        text = f"Secrets Manager can't encrypt the protected secret text using the provided KMS key. {refusal.text}"
        raise ApiError("EncryptionFailure", text) from refusal
    return SecretVersion(
        account=secret.account,
        region=secret.region,
        secret_name=secret.name,
        version_id=version_id,
        blob=base64.b64encode(blob).decode(),
        binary=value.binary,
        key_id=key.key_id,
        created_at=call.now,
    )


def _make_room(call: Call, secret: Secret) -> None:
    """Remove what no label names, oldest first, once a secret has as many versions as it may."""
    known = versions_of(call, secret)
    surplus = len(known) + 1 - MAX_VERSIONS
    if surplus <= 0:
        return
    labelled = set(secret.stages.values())
    old = [v for v in known if v.version_id not in labelled and v.created_at + KEPT_S <= call.now]
    if len(old) < surplus:
        text = (
            f"You've exceeded the limit of {MAX_VERSIONS} versions of a secret: write it at most every ten minutes, so "
            "that old ones can be removed."
        )
        raise ApiError("LimitExceededException", text)
    for version in old[:surplus]:
        call.tx.delete(SecretVersion, version.key)
