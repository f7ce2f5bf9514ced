"""Finds secrets, and says with Secrets Manager's codes what can't be had."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from longshore.api.operation import Call
from longshore.decide.secrets.secrets import DELETED, SecretRefused, find_secret
from longshore.domain.secrets.secret import DEFAULT_ALIAS, Secret, SecretVersion
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
INVALID_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
)


def invalid(text: str) -> ApiError:
    """The error for a parameter that Secrets Manager does not take."""
    return ApiError("InvalidParameterException", text)


def refused(text: str) -> ApiError:
    """The error for a request that the secret's state does not allow."""
    return ApiError("InvalidRequestException", text)


@contextmanager
def secret_errors() -> Iterator[None]:
    """Secrets Manager's own errors for what a secret refuses."""
    try:
        yield
    except SecretRefused as refusal:
        raise ApiError(refusal.code, refusal.text) from refusal


def find(call: Call, reference: str | None = None) -> Secret:
    """The secret at the call's `SecretId` (or another reference), one that was marked for deletion too."""
    name: str = reference or call.params["SecretId"]
    if not name.startswith("arn:") and not NAME.fullmatch(name):
        raise ApiError("ValidationException", INVALID_NAME)
    with secret_errors():
        return find_secret(call.tx, call.scope, name, call.now)


def find_live(call: Call) -> Secret:
    """The secret at the call's `SecretId`, which must not be marked for deletion."""
    secret = find(call)
    if secret.deleted_at is not None:
        raise refused(DELETED)
    return secret


def versions_of(call: Call, secret: Secret) -> list[SecretVersion]:
    """All its versions, oldest first."""
    found = call.tx.select(SecretVersion, "secret", (*secret.scope, secret.name))
    return sorted(found, key=lambda version: (version.created_at, version.version_id))


def key_reference(secret: Secret) -> str:
    """The key that its values are encrypted under."""
    return secret.key_reference or DEFAULT_ALIAS


def day_of(moment: float) -> float:
    """The day of a moment: what LastAccessedDate tells."""
    return moment - moment % 86_400.0
