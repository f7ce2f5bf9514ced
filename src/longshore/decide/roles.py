"""The roles that a task is given, and whether it may have them. Pure; asked before a task is made and before it starts.

Only where roles must exist (`--iam enforce`): elsewhere a task may name a role that nobody has made.
"""

from collections.abc import Callable, Mapping
from typing import Any

from longshore.decide.policy.document import PolicyRefused, parse
from longshore.decide.policy.evaluate import Assumer, Question, trusted
from longshore.domain.iam import TASK_SESSIONS, Role, iam_arn, iam_key_of
from longshore.domain.record import Key

TASK_ROLE, EXECUTION_ROLE = "taskRoleArn", "executionRoleArn"
UNASSUMABLE = (
    "ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
TASKS = Assumer("", services=(TASK_SESSIONS,))

FindRole = Callable[[Key], Role | None]


def role_arn(name: str, account: str, overrides: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The ARN of a task's `taskRoleArn` or `executionRoleArn`: the overrides' before the definition's; or nothing."""
    given = str(overrides.get(name) or document.get(name) or "")
    return given if not given or given.startswith("arn:") else iam_arn(account, f"role/{given}")


def refused_role(find: FindRole, account: str, overrides: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    """Why a task can't have its roles, in ECS's words; None if it can."""
    for name in (TASK_ROLE, EXECUTION_ROLE):
        arn = role_arn(name, account, overrides, document)
        if arn and not assumable(find, arn, account):
            return UNASSUMABLE.format(arn=arn)
    return None


def assumable(find: FindRole, arn: str, account: str) -> bool:
    """Whether a role is there, is of the task's account, and trusts the service that gives it to tasks."""
    key = iam_key_of(arn, "role")
    role = find(key) if key and key[0] == account else None
    if role is None or role.arn != arn:
        return False
    try:
        document = parse(role.trust, "trust")
    except PolicyRefused:
        return False
    return trusted(document, TASKS, Question("sts:AssumeRole", arn, {"aws:sourceaccount": (account,)})) == "named"
