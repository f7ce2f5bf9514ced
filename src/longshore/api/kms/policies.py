"""Key policies: one of each key, `default`. Checked, kept and answered."""

import json

from longshore.api.kms.lookup import Answer, find_by_id, find_own
from longshore.api.operation import Call, Operation
from longshore.wire.errors import ApiError

NAME = "default"
MAX_BYTES = 32_768
NO_EFFECT = "Checked for its form, kept and answered; no request is allowed or refused by it."


def get_key_policy(call: Call) -> Answer:
    """GetKeyPolicy."""
    _check_name(call)
    return {"Policy": find_by_id(call).policy, "PolicyName": NAME}


def list_key_policies(call: Call) -> Answer:
    """ListKeyPolicies."""
    find_by_id(call)
    if call.params.get("Marker"):
        raise ApiError("InvalidMarkerException", "The marker is not valid: a key has one policy, so there is one page.")
    return {"PolicyNames": [NAME], "Truncated": False}


def put_key_policy(call: Call) -> Answer:
    """PutKeyPolicy."""
    _check_name(call)
    key = find_own(call)
    call.tx.put(key.but(policy=checked_policy(call.params["Policy"])))
    return {}


def _check_name(call: Call) -> None:
    if call.params.get("PolicyName") not in {None, NAME}:
        raise ApiError("NotFoundException", "No such policy exists")


def checked_policy(text: str) -> str:
    """A policy whose form is right. Raises MalformedPolicyDocumentException."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ApiError("LimitExceededException", f"A key policy can have at most {MAX_BYTES} bytes.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError("MalformedPolicyDocumentException", "Policy document is not valid JSON.") from None
    found = document.get("Statement") if isinstance(document, dict) else None
    statements = found if isinstance(found, list) else [found]
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in {"Allow", "Deny"}:
            text = "Policy contains a statement without an Effect of Allow or Deny."
            raise ApiError("MalformedPolicyDocumentException", text)
        if not ({"Principal", "NotPrincipal"} & statement.keys() and {"Action", "NotAction"} & statement.keys()):
            text = "Policy contains a statement without one or more principals, or without an action."
            raise ApiError("MalformedPolicyDocumentException", text)
    return text


OPERATIONS: dict[str, Operation] = {
    "GetKeyPolicy": Operation(get_key_policy),
    "ListKeyPolicies": Operation(
        list_key_policies, inert={"Limit": "A key has one policy, so that there is always one page."}
    ),
    "PutKeyPolicy": Operation(
        put_key_policy,
        inert={"Policy": NO_EFFECT, "BypassPolicyLockoutSafetyCheck": "Nobody is locked out by a policy here."},
    ),
}
