"""Key policies: one of each key, `default`. They decide, with IAM's policies (`decide/policy/resources.py`)."""

from longshore.api.access.access import common_values, named_as
from longshore.api.access.principals import names_nobody
from longshore.api.kms.lookup import Answer, find_by_id, find_own
from longshore.api.operation import Call, Operation
from longshore.decide.policy.document import PolicyRefused, parse
from longshore.decide.policy.evaluate import Question, stance_of
from longshore.wire.errors import ApiError

NAME = "default"
MAX_BYTES = 32_768
NOBODY = "Policy contains a statement with one or more invalid principals."
LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."


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
    text = checked_policy(call, call.params["Policy"], key.arn)
    call.tx.put(key.but(policy=text))
    return {}


def _check_name(call: Call) -> None:
    if call.params.get("PolicyName") not in {None, NAME}:
        raise ApiError("NotFoundException", "No such policy exists")


def checked_policy(call: Call, text: str, key_arn: str) -> str:
    """A policy that a key may have. Raises ApiError.

    It must let the caller change it again, unless the caller takes that upon itself. The root always may.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ApiError("LimitExceededException", f"A key policy can have at most {MAX_BYTES} bytes.")
    try:
        document = parse(text, "resource")
    except PolicyRefused as refusal:
        raise ApiError("MalformedPolicyDocumentException", str(refusal)) from None
    if names_nobody(call, document):
        raise ApiError("MalformedPolicyDocumentException", NOBODY)
    principal, unchecked = call.caller.principal, call.params.get("BypassPolicyLockoutSafetyCheck")
    found = call.access.held(call.tx, principal, "json") if principal.source else None
    if found is not None and not unchecked:
        question = Question("kms:PutKeyPolicy", key_arn, common_values(call.caller, found, call.now))
        if stance_of(document, named_as(principal, found), question) not in {"named", "account"}:
            raise ApiError("MalformedPolicyDocumentException", LOCKED_OUT)
    return text


OPERATIONS: dict[str, Operation] = {
    "GetKeyPolicy": Operation(get_key_policy),
    "ListKeyPolicies": Operation(
        list_key_policies, inert={"Limit": "A key has one policy, so that there is always one page."}
    ),
    "PutKeyPolicy": Operation(put_key_policy),
}
