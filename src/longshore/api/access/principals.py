"""Whether whom policies and grants name is there: asked before they are kept, where roles must exist.

Elsewhere (`--iam open`) a stack may name roles that nobody has made here. Called by KMS and Secrets Manager.
"""

from longshore.api.operation import Call
from longshore.decide.policy.document import Document
from longshore.domain.arn import Arn
from longshore.domain.iam import Role, User
from longshore.domain.names.zone import GLOBAL

KINDS: dict[str, type[Role | User]] = {"role": Role, "user": User}


def names_nobody(call: Call, document: Document) -> bool:
    """Whether a statement names a role or user that is not there, and such must exist."""
    pairs = (pair for each in document.statements if each.principals is not None for pair in each.principals.pairs)
    return any(kind == "AWS" and not is_there(call, name) for kind, name in pairs)


def is_there(call: Call, name: str) -> bool:
    """Whether a principal is there. What is neither the ARN of a role nor of a user, the policy's own rules tell."""
    arn = Arn.parse(name)
    if not call.access.enforce or arn is None or arn.service != "iam":
        return True
    kind = KINDS.get(arn.resource.partition("/")[0])
    if kind is None:
        return True
    found = call.tx.get(kind, (arn.scope.account, GLOBAL, arn.resource.rpartition("/")[2]))
    return found is not None and found.arn == name
