"""Resource policies of secrets. What they say decides, with IAM's policies (`decide/policy/resources.py`)."""

from longshore.api.access.principals import names_nobody
from longshore.api.operation import Call, Operation
from longshore.api.secretsmanager.lookup import Answer, find, find_live
from longshore.decide.policy.document import Document, PolicyRefused, Statement, parse
from longshore.wire.errors import ApiError

NAMED = "Secrets have one policy here, without a name: leave PolicyName out."
EVERYBODY = frozenset({("*", "*"), ("AWS", "*")})
NOBODY = "This resource policy contains an unsupported principal."
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
    document = _document(text)
    if names_nobody(call, document):
        raise ApiError("MalformedPolicyDocumentException", NOBODY)
    statements = document.statements
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
    if any(_is_public(statement) for statement in _document(call.params["ResourcePolicy"]).statements):
        errors.append({"CheckName": "PUBLIC_POLICY", "ErrorMessage": "The policy grants access to everybody."})
    return {"PolicyValidationPassed": not errors, "ValidationErrors": errors}


def _document(text: str) -> Document:
    """A policy. Raises MalformedPolicyDocumentException."""
    try:
        return parse(text, "resource")
    except PolicyRefused as refusal:
        raise ApiError(
            "MalformedPolicyDocumentException", f"This resource policy contains a syntax error: {refusal}"
        ) from None


def _is_public(statement: Statement) -> bool:
    """Whether a statement allows anybody, under no condition."""
    named = statement.principals.pairs if statement.principals is not None else ()
    return statement.allows and bool(EVERYBODY.intersection(named)) and not statement.conditions


OPERATIONS: dict[str, Operation] = {
    "DeleteResourcePolicy": Operation(delete_resource_policy, refuses={"PolicyName": NAMED}),
    "GetResourcePolicy": Operation(get_resource_policy, refuses={"PolicyName": NAMED}),
    "PutResourcePolicy": Operation(put_resource_policy, refuses={"PolicyName": NAMED}),
    "ValidateResourcePolicy": Operation(validate_resource_policy),
}
