"""Resource policies: which services of AWS may write events. Kept and answered; no service of AWS is here to obey."""

import json
from typing import Any

from longshore.api.logs.lookup import Answer, group_arn, group_at, group_named, invalid, milliseconds
from longshore.api.operation import Call
from longshore.domain.log import LogGroup, LogResourcePolicy
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

PAGE = 50
MAX_POLICIES = 10
MAX_DOCUMENT = 5120
"""Of a policy of the account; one of a group may be ten times as long, which is the model's limit."""


def put_resource_policy(call: Call) -> Answer:
    """A new policy, of the account by name or of a group, or another document of one that is there."""
    group, name = _named(call)
    document = call.params.get("policyDocument")
    if document is None:
        raise invalid("policyDocument is required.")
    _check_document(document, of_group=group is not None)
    key = (*call.scope, group.name if group else "", name)
    present = call.tx.get(LogResourcePolicy, key)
    _check_revision(call, present, of_group=group is not None)
    if group is None and present is None and call.tx.count(LogResourcePolicy, "account", call.scope) >= MAX_POLICIES:
        raise ApiError("LimitExceededException", "Resource limit exceeded.")
    policy = LogResourcePolicy(
        account=call.scope.account,
        region=call.scope.region,
        name=name,
        group=group.name if group else "",
        document=document,
        revision=call.ids.hex(32),
        updated_at=call.now,
    )
    call.tx.put(policy)
    revision = {"revisionId": policy.revision} if group else {}
    return {"resourcePolicy": _view(call, policy), **revision}


def _named(call: Call) -> tuple[LogGroup | None, str]:
    """The group that a policy is of, or None and the policy's name."""
    name, arn = call.params.get("policyName") or "", call.params.get("resourceArn")
    if arn is not None:
        if name:
            raise invalid("policyName can't be combined with resourceArn.")
        return group_at(call, arn), ""
    if not name:
        raise invalid("Either policyName or resourceArn is required.")
    return None, name


def _check_document(text: str, *, of_group: bool) -> None:
    if not of_group and len(text) > MAX_DOCUMENT:
        raise invalid(f"A resource policy of an account can have at most {MAX_DOCUMENT} characters.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("The policy document is not JSON.") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    listed: list[Any] = statements if isinstance(statements, list) else [statements]
    if not listed or not all(isinstance(each, dict) for each in listed):
        raise invalid("The policy document has no Statement.")
    for each in listed:
        if each.get("Effect") not in {"Allow", "Deny"} or "Principal" not in each or "Action" not in each:
            raise invalid("Each Statement of the policy document needs an Effect, a Principal and an Action.")


def _check_revision(call: Call, present: LogResourcePolicy | None, *, of_group: bool) -> None:
    """Raises OperationAbortedException where a policy of a group is not what the caller has seen last."""
    expected = call.params.get("expectedRevisionId")
    if expected is not None and not of_group:
        raise invalid("expectedRevisionId is for policies with a resourceArn.")
    if of_group and expected != (present.revision if present else None):
        raise ApiError("OperationAbortedException", "The policy has another revision than expectedRevisionId.")


def describe_resource_policies(call: Call) -> Answer:
    """Those of the account by name, or the one of a group."""
    arn, scope = call.params.get("resourceArn"), call.params.get("policyScope")
    if (scope == "RESOURCE") != (arn is not None) and scope is not None:
        raise invalid("The scope RESOURCE goes with a resourceArn, and no other does.")
    if arn is not None:
        policy = call.tx.get(LogResourcePolicy, (*call.scope, group_at(call, arn).name, ""))
        found = [policy] if policy else []
    else:
        found = call.tx.select(LogResourcePolicy, "account", call.scope)
    shown, more = page(
        sorted(found, key=lambda each: each.name),
        lambda each: each.name,
        call.params.get("limit") or PAGE,
        call.params.get("nextToken"),
        operation="DescribeResourcePolicies",
    )
    return {"resourcePolicies": [_view(call, each) for each in shown], "nextToken": more}


def delete_resource_policy(call: Call) -> Answer:
    """DeleteResourcePolicy."""
    group, name = _named(call)
    key = (*call.scope, group.name if group else "", name)
    present = call.tx.get(LogResourcePolicy, key)
    if present is None:
        raise ApiError("ResourceNotFoundException", f"Policy with name [{name}] does not exist.")
    _check_revision(call, present, of_group=group is not None)
    call.tx.delete(LogResourcePolicy, key)
    return {}


def _view(call: Call, policy: LogResourcePolicy) -> Answer:
    view: Answer = {
        "policyDocument": policy.document,
        "lastUpdatedTime": milliseconds(policy.updated_at),
        "policyScope": "RESOURCE" if policy.group else "ACCOUNT",
    }
    if policy.group:
        return {**view, "resourceArn": group_arn(group_named(call, policy.group)), "revisionId": policy.revision}
    return {**view, "policyName": policy.name}
