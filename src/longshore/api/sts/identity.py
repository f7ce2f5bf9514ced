"""Who the caller is, and whose a key is."""

import base64
import hashlib
from typing import Any

from longshore.api.access.context import user_id
from longshore.api.access.grants import identity_of
from longshore.api.callers.credentials import Principal
from longshore.api.operation import Call, Operation
from longshore.domain.iam import AccessKey
from longshore.wire.errors import ApiError


def get_caller_identity(call: Call) -> dict[str, Any]:
    """The caller's ARN, account and unique id."""
    return {
        "Account": call.scope.account,
        "Arn": call.principal_arn,
        "UserId": user_id(call.caller.principal, unique_id(call, call.caller.principal)),
    }


def unique_id(call: Call, principal: Principal) -> str:
    """That of the user or role behind a caller. Of one that nobody has made it is derived from the ARN."""
    found = identity_of(call.tx, principal)
    if found is not None:
        return found.unique_id
    digest = base64.b32encode(hashlib.sha256(principal.source.encode()).digest()).decode()[:17]
    return ("AIDA" if principal.is_user else "AROA") + digest


def get_access_key_info(call: Call) -> dict[str, Any]:
    """GetAccessKeyInfo: the account of a key. That of a session's is not in its id, so only its own session can ask."""
    asked = call.params["AccessKeyId"]
    found = call.tx.select(AccessKey, "id", (asked,))
    if found:
        return {"Account": found[0].account}
    if asked == call.access.credentials.root().access_key_id:
        return {"Account": call.access.credentials.account}
    raise ApiError("ValidationError", f"Invalid access key id: {asked} is not one of this Longshore's.")


def decode_authorization_message(_call: Call) -> dict[str, Any]:
    """DecodeAuthorizationMessage: refusals say their reason in plain words here, so no message is encoded."""
    text = "Message is not valid: Longshore's refusals are in plain words and have nothing to decode."
    raise ApiError("InvalidAuthorizationMessageException", text)


NOTHING_ENCODED = "No refusal has an encoded message: every one is answered with the error."

OPERATIONS: dict[str, Operation] = {
    "DecodeAuthorizationMessage": Operation(decode_authorization_message, inert={"EncodedMessage": NOTHING_ENCODED}),
    "GetAccessKeyInfo": Operation(get_access_key_info),
    "GetCallerIdentity": Operation(get_caller_identity),
}
