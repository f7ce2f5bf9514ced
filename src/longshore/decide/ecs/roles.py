"""The roles that a task is given: whether it may have them, and what its execution role may read for it. Pure.

A role must exist only where that is asked for (`--iam enforce`): elsewhere a task may name one that nobody has made,
and nothing holds it then. One that exists holds everywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from longshore.decide.policy.context import principal_values, record_values, request_values, resource_values, way_values
from longshore.decide.policy.document import PolicyRefused, parse
from longshore.decide.policy.evaluate import Named, Question, decide, stance_of
from longshore.decide.policy.grants import grants_of
from longshore.decide.policy.resources import of_resource
from longshore.decide.secrets.encryption import context_values
from longshore.domain.arn import Arn
from longshore.domain.ecs.task import Task
from longshore.domain.iam import TASK_SESSIONS, Role, iam_arn, iam_key_of, session_arn
from longshore.domain.record import Key, Records
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.tag import Tags

TASK_ROLE, EXECUTION_ROLE = "taskRoleArn", "executionRoleArn"
UNASSUMABLE = (
    "ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
TASKS = Named("", services=(TASK_SESSIONS,))

FindRole = Callable[[Key], Role | None]


def role_arn(name: str, account: str, overrides: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The ARN of a task's `taskRoleArn` or `executionRoleArn`: the overrides' before the definition's; or nothing."""
    given = str(overrides.get(name) or document.get(name) or "")
    return given if not given or given.startswith("arn:") else iam_arn(account, f"role/{given}")


def refused_role(
    find: FindRole, task_arn: str, account: str, overrides: Mapping[str, Any], document: Mapping[str, Any]
) -> str | None:
    """Why a task can't have its roles, in ECS's words; None if it can."""
    for name in (TASK_ROLE, EXECUTION_ROLE):
        arn = role_arn(name, account, overrides, document)
        if arn and not assumable(find, arn, account, task_arn):
            return UNASSUMABLE.format(arn=arn)
    return None


def assumable(find: FindRole, arn: str, account: str, task_arn: str) -> bool:
    """Whether a role is there, is of the task's account, and trusts the service that gives it to tasks."""
    key = iam_key_of(arn, "role")
    role = find(key) if key and key[0] == account else None
    if role is None or role.arn != arn:
        return False
    try:
        document = parse(role.trust, "trust")
    except PolicyRefused:
        return False
    context = {"aws:sourceaccount": (account,), "aws:sourcearn": (task_arn,)}
    return stance_of(document, TASKS, Question("sts:AssumeRole", arn, context)) == "named"


class Permit(Protocol):
    """What somebody may do."""

    def __call__(
        self, action: str, arn: str, tags: Tags, /, *, via: str = "", context: Mapping[str, str] | None = None
    ) -> str | None:
        """Why not, or None. `tags` are those of what the ARN names; `via` is the service that asks in its place.

        `context` is the encryption context that is asked in.
        """
        ...


def freely(
    _action: str,
    _arn: str,
    _tags: Tags,
    /,
    *,
    via: str = "",  # noqa: ARG001  as Permit has it
    context: Mapping[str, str] | None = None,  # noqa: ARG001
) -> str | None:
    """Where nothing holds a task."""
    return None


def permit_of(records: Records, task: Task, document: Mapping[str, Any], now: float) -> Permit:
    """What a task's execution role may read for it; everything where it has none, or one that nobody has made."""
    arn = role_arn(EXECUTION_ROLE, task.account, task.overrides, document)
    key = iam_key_of(arn, "role")
    role = records.get(Role, key) if key else None
    if role is None or role.arn != arn:
        return freely
    grants = grants_of(records, role)
    who = session_arn(arn, task.task_id, task.account)
    named = Named(task.account, (who, arn, role.unique_id))
    user_id = f"{role.unique_id}:{task.task_id}"
    principal = principal_values(task.account, arn, "AssumedRole", user_id, role.tags, session=True, issued_at=now)

    def refused(
        action: str, resource: str, tags: Tags, /, *, via: str = "", context: Mapping[str, str] | None = None
    ) -> str | None:
        parsed = Arn.parse(resource)
        region = parsed.scope.region if parsed else task.region
        values = {
            **request_values(now, region, secure=True),
            **principal,
            **resource_values(task.account, action.partition(":")[0], tags),
            **record_values(_key_of(records, parsed)),
            **(way_values(via, region) if via else {}),
            **context_values(context or {}),
        }
        question = Question(action, resource, values)
        decision = decide(grants, question, of_resource(records, named, question))
        if decision.allowed:
            return None
        return (
            f"AccessDeniedException: User: {who} is not authorized to perform: {action} on resource: {resource} "
            f"{decision.reason}"
        )

    return refused


def _key_of(records: Records, arn: Arn | None) -> EncryptionKey | None:
    """The key that an ARN names, if it names one: conditions may look at what kind it is."""
    if arn is None or arn.service != "kms":
        return None
    return records.get(EncryptionKey, (*arn.scope, arn.resource.removeprefix("key/")))
