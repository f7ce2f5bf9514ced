"""Client tokens: a request that is sent again is answered as before, and makes nothing twice."""

import hashlib
from typing import Any, TypeVar

import msgspec

from longshore.api.operation import Call
from longshore.domain.record import Record
from longshore.wire.errors import ApiError

NOT_COUNTED = ("ClientToken", "DryRun")


R = TypeVar("R", bound=Record)


def repeated(call: Call, cls: type[R]) -> R | None:
    """What an earlier request with this token has made. Raises where that request was another one."""
    token = call.params.get("ClientToken")
    if not token:
        return None
    for record in call.tx.select(cls, "token", (*call.scope, token)):
        made: Any = record
        if made.request_digest != _digest(call):
            text = (
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s) "
                f"with the client token '{token[:64]}'."
            )
            raise ApiError("IdempotentParameterMismatch", text)
        return record
    return None


def token_fields(call: Call) -> dict[str, Any]:
    """What a record keeps of the request that made it."""
    token = call.params.get("ClientToken")
    return {"client_token": token, "request_digest": _digest(call)} if token else {}


def _digest(call: Call) -> str:
    asked = {name: value for name, value in call.params.items() if name not in NOT_COUNTED}
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
