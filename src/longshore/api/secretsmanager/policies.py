"""Resource policies of secrets. What they say decides, with IAM's policies (`decide/policy/resources.py`)."""

import json
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.secretsmanager.lookup import Answer, find, find_live
from longshore.decide.policy.document import PolicyRefused, parse
from longshore.wire.errors import ApiError

NAMED = "Secrets have one policy here, without a name: leave PolicyName out."
PUBLIC = (
    "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the "
    "secret."
)


def get_resource_policy(call: Call) -> Answer:
    """GetResourcePolicy."""
    secret = find(call)
    return {"ARN": secret.arn, "Name": secret.name, "ResourcePolicy": secret.policy or None}


def put_resource_policy(call: Call) -> Answer:
    """PutResourcePolicy."""
    secret, text = find_live(call), call.params["ResourcePolicy"]
    statements = _statements(text)
    if call.params.get("BlockPublicPolicy") and any(_is_public(statement) for statement in statements):
        raise ApiError("PublicPolicyException", PUBLIC)
    call.tx.put(secret.but(policy=text))
    return {"ARN": secret.arn, "Name": secret.name}


def delete_resource_policy(call: Call) -> Answer:
    """DeleteResourcePolicy. A secret without one is answered alike."""
    secret = find_live(call)
    call.tx.put(secret.but(policy=""))
    return {"ARN": secret.arn, "Name": secret.name}


def validate_resource_policy(call: Call) -> Answer:
    """ValidateResourcePolicy: whether PutResourcePolicy would take it, public access blocked."""
    if call.params.get("SecretId"):
        find(call)
    errors = []
    if any(_is_public(statement) for statement in _statements(call.params["ResourcePolicy"])):
        errors.append({"CheckName": "PUBLIC_POLICY", "ErrorMessage": "The policy grants access to everybody."})
    return {"PolicyValidationPassed": not errors, "ValidationErrors": errors}


def _statements(text: str) -> list[dict[str, Any]]:
    """The statements of a policy. Raises MalformedPolicyDocumentException."""
    try:
        parse(text, "resource")
    except PolicyRefused as refusal:
        raise ApiError(
            "MalformedPolicyDocumentException", f"This resource policy contains a syntax error: {refusal}"
        ) from None
    found = json.loads(text)["Statement"]
    return found if isinstance(found, list) else [found]


def _is_public(statement: dict[str, Any]) -> bool:
    """Whether a statement allows anybody, under no condition."""
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    everybody = named == "*" or (isinstance(named, list) and "*" in named) or "NotPrincipal" in statement
    return statement["Effect"] == "Allow" and everybody and not statement.get("Condition")


OPERATIONS: dict[str, Operation] = {
    "DeleteResourcePolicy": Operation(delete_resource_policy, refuses={"PolicyName": NAMED}),
    "GetResourcePolicy": Operation(get_resource_policy, refuses={"PolicyName": NAMED}),
    "PutResourcePolicy": Operation(put_resource_policy, refuses={"PolicyName": NAMED}),
    "ValidateResourcePolicy": Operation(validate_resource_policy),
}
