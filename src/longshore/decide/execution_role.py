"""What the execution role of a task lets ECS read for it: secrets, parameters, and the keys that they are under. Pure.

A role that nobody has made here lets everything be read, as a stack on a laptop expects whose roles are elsewhere;
where roles must exist, a task without them does not get this far (`decide/roles.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from longshore.decide.policy.evaluate import Grants, Question, decide
from longshore.decide.policy.holders import grants_of
from longshore.decide.roles import EXECUTION_ROLE, role_arn
from longshore.domain.encryption_key import EncryptionKey
from longshore.domain.iam import Role, iam_key_of, session_arn
from longshore.domain.record import Records
from longshore.domain.tag import Tags
from longshore.domain.task import Task

NOT_AUTHORIZED = "User: {user} is not authorized to perform: {action} on resource: {resource} {reason}"
NO_KMS = "Access to KMS is not allowed"


@dataclass(frozen=True, slots=True)
class ExecutionRole:
    """A role, in the session of one task."""

    grants: Grants
    arn: str
    account: str
    session_arn: str
    tags: Tags

    def refusal(self, action: str, resource: str, region: str, tags: Tags) -> str:
        """Why the role may not do something, as its service says it; empty if it may."""
        decision = decide(self.grants, Question(action, resource, self._context(action, region, tags)))
        if decision.allowed:
            return ""
        return NOT_AUTHORIZED.format(user=self.session_arn, action=action, resource=resource, reason=decision.reason)

    def refuses_key(self, key: EncryptionKey | None, service: str, region: str) -> str:
        """Why the role may not decrypt under a key by way of a service; AWS's own keys allow it the whole account."""
        if key is None or key.manager == "AWS":
            return ""
        via = {"kms:viaservice": (f"{service}.{region}.amazonaws.com",)}
        question = Question("kms:Decrypt", key.arn, {**self._context("kms:Decrypt", region, key.tags), **via})
        return "" if decide(self.grants, question).allowed else NO_KMS

    def _context(self, action: str, region: str, tags: Tags) -> dict[str, tuple[str, ...]]:
        service = action.partition(":")[0]
        return {
            "aws:principalarn": (self.arn,),
            "aws:principalaccount": (self.account,),
            "aws:principaltype": ("AssumedRole",),
            "aws:resourceaccount": (self.account,),
            "aws:requestedregion": (region,),
            **{f"aws:principaltag/{name.lower()}": (value,) for name, value in self.tags.items()},
            **{
                f"{prefix}:resourcetag/{name.lower()}": (value,)
                for prefix in ("aws", service)
                for name, value in tags.items()
            },
        }


def execution_role(records: Records, task: Task, document: Mapping[str, Any]) -> ExecutionRole | None:
    """The execution role of a task; None where nothing holds what is read for it."""
    arn = role_arn(EXECUTION_ROLE, task.account, task.overrides, document)
    key = iam_key_of(arn, "role") if arn else None
    role = records.get(Role, key) if key else None
    if role is None or role.arn != arn:
        return None
    session = session_arn(role.arn, task.task_id, role.account)
    return ExecutionRole(grants_of(records, role), role.arn, role.account, session, role.tags)
