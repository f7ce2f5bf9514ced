"""What a resource's own policy says of a caller: of secrets, keys and repositories, from their records. Pure.

Accounts share nothing here, so that a policy speaks of its own account's users, roles and sessions.
"""

from longshore.decide.policy.document import Document, PolicyRefused, parse
from longshore.decide.policy.evaluate import Named, OfResource, Question, Stance, stance_of
from longshore.domain.arn import Arn
from longshore.domain.ecr.repository import Repository
from longshore.domain.record import Records
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyGrant
from longshore.domain.secrets.secret import Secret

GRANT_ID = "longshore:grantid"
"""In a question's context, the grant that is to be retired: that one decides, and no other of the key."""
OPERATIONS = "kms:grantoperations"
"""In a question's context, what a grant that is to be made would give."""
WITHOUT_CONTEXT = frozenset({"DescribeKey", "RetireGrant"})
"""What a grant gives whatever encryption context it asks for."""


def of_resource(records: Records, named: Named, question: Question) -> OfResource | None:
    """What the policy of the resource that is asked about says; None where it has none."""
    arn = Arn.parse(question.resource)
    if arn is None:
        return None
    match arn.service:
        case "kms":
            return _of_key(records, arn, named, question)
        case "secretsmanager":
            secret = next(iter(records.select(Secret, "arn", (question.resource,))), None)
            return _of_text(secret.policy, named, question) if secret is not None else None
        case "ecr":
            name = arn.resource.removeprefix("repository/")
            repository = records.get(Repository, (*arn.scope, name))
            return _of_text(repository.policy, named, question) if repository is not None else None
    return None


def _of_text(text: str, named: Named, question: Question) -> OfResource | None:
    document = _parsed(text)
    return OfResource(stance_of(document, named, question)) if document is not None else None


def _parsed(text: str) -> Document | None:
    """None for a text that an older Longshore took and this one doesn't."""
    try:
        return parse(text, "resource") if text else None
    except PolicyRefused:
        return None


def _of_key(records: Records, arn: Arn, named: Named, question: Question) -> OfResource | None:
    """Who is not mentioned may nothing with a key, but for what grants give. AWS's own keys have no say."""
    key = records.get(EncryptionKey, (*arn.scope, arn.resource.removeprefix("key/")))
    if key is None or key.manager == "AWS":
        return None
    document = _parsed(key.policy)
    stance: Stance = stance_of(document, named, question) if document is not None else "account"
    if stance in {"account", "silent"}:
        grants = records.select(KeyGrant, "key", (*key.scope, key.key_id))
        if any(_gives(grant, named, question) for grant in grants):
            stance = "named"
    return OfResource(stance, closed=True)


def _gives(grant: KeyGrant, named: Named, question: Question) -> bool:
    """Whether a grant gives the caller what is asked."""
    operation, context = question.action.partition(":")[2], question.context
    if operation == "RetireGrant":
        if context.get(GRANT_ID) != (grant.grant_id,):
            return False
        if grant.retiring in named.arns:
            return True
    if grant.grantee not in named.arns or operation not in grant.operations:
        return False
    if operation == "CreateGrant":  # on AWS as narrow a one at least: here no wider, and by one without constraints
        return not grant.constraints and set(context.get(OPERATIONS, ())) <= set(grant.operations)
    return operation in WITHOUT_CONTEXT or _in_context(grant, question)


def _in_context(grant: KeyGrant, question: Question) -> bool:
    """Whether the constraints of a grant hold: on the encryption context that is asked in, and on nothing else."""
    context, constraints = question.context, grant.constraints
    exact = constraints.get("EncryptionContextEquals") or {}
    part = {**(constraints.get("EncryptionContextSubset") or {}), **exact}
    if set(constraints) - {"EncryptionContextEquals", "EncryptionContextSubset"}:
        return False
    if any(context.get(f"kms:encryptioncontext:{name.lower()}") != (value,) for name, value in part.items()):
        return False
    asked = {name.lower() for name in context.get("kms:encryptioncontextkeys", ())}
    return not exact or asked == {name.lower() for name in exact}
