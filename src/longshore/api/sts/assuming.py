"""AssumeRole: a role's credentials, for whoever its trust policy and the caller's own policies let."""

from typing import Any

from longshore.api.access.access import answer, refusal
from longshore.api.access.asking import Ask, Need, Values
from longshore.api.access.context import of_caller, of_principal
from longshore.api.access.grants import Held
from longshore.api.callers.credentials import Principal
from longshore.api.operation import Call, Operation
from longshore.api.sts.identity import unique_id
from longshore.api.sts.sessions import NO_PADDING, credentials_view
from longshore.decide.policy.document import PolicyRefused, parse
from longshore.decide.policy.evaluate import Decision, Named, Question, stance_of
from longshore.domain.arn import Arn
from longshore.domain.iam import Role, iam_key_of, session_arn
from longshore.domain.tag import Tags
from longshore.wire.errors import ApiError

DURATION_DEFAULT_S = 3600
CHAINED_MOST_S = 3600
PACKED_MOST = 2048
ACTION = "sts:AssumeRole"
BESIDE = {"Tags": "sts:TagSession", "SourceIdentity": "sts:SetSourceIdentity"}
"""Actions that members take beside the operation's own."""


def assume_role(call: Call) -> dict[str, Any]:
    """AssumeRole."""
    params = call.params
    role_arn = params["RoleArn"]
    key = iam_key_of(role_arn, "role")
    if key is None:
        raise ApiError("ValidationError", f"{role_arn[:2048]} is invalid", status=400)
    role = call.tx.get(Role, key)
    if role is not None and role.arn != role_arn:
        role = None
    _check_allowed(call, role, role_arn)
    duration = _duration(call, role)
    policies = (params["Policy"],) if params.get("Policy") else ()
    _check_policies(policies)
    account = _account(role_arn)
    session = Principal(
        session_arn(role_arn, params["RoleSessionName"], account),
        account,
        source=role_arn,
        unique_id=role.unique_id if role else "",
        session=True,
        issued_at=call.now,
        policies=policies,
        policy_arns=tuple(each["arn"] for each in params.get("PolicyArns") or () if each.get("arn")),
        tags=_session_tags(call),
    )
    keys = call.access.credentials.for_session(session, call.now + duration, call.ids.hex(16))
    identity = f"{unique_id(call, session)}:{params['RoleSessionName']}"
    return {
        "Credentials": credentials_view(keys),
        "AssumedRoleUser": {"AssumedRoleId": identity, "Arn": session.arn},
        "PackedPolicySize": _packed(policies, session),
    }


def _check_allowed(call: Call, role: Role | None, role_arn: str) -> None:
    """Raise AccessDenied unless the role trusts the caller and the caller's policies allow it, with all that is asked.

    The root may assume every role that trusts its account, which on AWS it may not: without --auth everybody is the
    root. Where roles need not exist (see `access.py`), one that nobody has made can be assumed.
    """
    principal = call.caller.principal
    found = call.access.held(call.tx, principal, "query") if principal.source else None
    free = found is None
    if role is None:
        if call.access.enforce or not free:
            need = Need(ACTION, role_arn)
            raise _denied(principal, need, f"because no identity-based policy allows the {ACTION} action")
        return
    values = {
        **of_caller(call.caller, call.now, ""),
        **of_principal(principal, unique_id(call, principal), found.tags if found else {}),
        **_asked_values(call),
    }
    for action in (ACTION, *(beside for member, beside in BESIDE.items() if call.params.get(member))):
        _check_action(call, role, Need(action, role_arn), found, values)


def _check_action(call: Call, role: Role, need: Need, found: Held | None, values: Values) -> None:
    """Raise AccessDenied unless one action is allowed. `found` is None for the root, who needs the trust alone."""
    principal = call.caller.principal
    assumer = Named(principal.account, tuple({principal.arn, principal.source} - {""}))
    how = stance_of(parse(role.trust, "trust"), assumer, Question(need.action, role.arn, values))
    if found is None and how in {"named", "account"}:
        return
    ask = Ask(call.tx, call.scope, "sts", "AssumeRole", call.params, principal.arn)
    own = answer(principal, ask, found, need, values) if found else Decision(allowed=False)
    if how == "denied":
        raise _denied(principal, need, "with an explicit deny in a resource-based policy")
    if how == "silent":
        raise _denied(principal, need, f"because no resource-based policy allows the {need.action} action")
    named_here = how == "named" and role.account == principal.account
    if own.explicit or not (own.allowed or named_here):
        raise refusal(principal, need, own, "query")


def _denied(principal: Principal, need: Need, reason: str) -> ApiError:
    return refusal(principal, need, Decision(allowed=False, reason=reason), "query")


def _asked_values(call: Call) -> dict[str, tuple[str, ...]]:
    """What a trust policy's conditions may look at of the call."""
    params = call.params
    values: dict[str, tuple[str, ...]] = {"sts:rolesessionname": (params["RoleSessionName"],)}
    for name, key in (("ExternalId", "sts:externalid"), ("SourceIdentity", "sts:sourceidentity")):
        if params.get(name):
            values[key] = (params[name],)
    tags = params.get("Tags") or ()
    values |= {f"aws:requesttag/{tag['Key'].lower()}": (tag["Value"],) for tag in tags}
    return {**values, "aws:tagkeys": tuple(tag["Key"] for tag in tags)} if tags else values


def _duration(call: Call, role: Role | None) -> int:
    duration = int(call.params.get("DurationSeconds") or DURATION_DEFAULT_S)
    most = role.max_session_s if role else 43200
    if duration > most:
        raise ApiError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if call.caller.principal.session and duration > CHAINED_MOST_S:
        text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        raise ApiError("ValidationError", text)
    return duration


def _check_policies(policies: tuple[str, ...]) -> None:
    for text in policies:
        try:
            parse(text)
        except PolicyRefused as refused:
            raise ApiError("MalformedPolicyDocument", str(refused)) from None


def _session_tags(call: Call) -> Tags:
    """`Tags`."""
    given = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or ()}
    if len({key.lower() for key in given}) < len(call.params.get("Tags") or ()):
        raise ApiError(
            "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    return given


def _packed(policies: tuple[str, ...], session: Principal) -> int | None:
    """How much of the room for policies and tags is taken, in per cent."""
    size = sum(map(len, policies)) + sum(map(len, session.policy_arns))
    size += sum(len(key) + len(value) for key, value in session.tags.items())
    if size > PACKED_MOST:
        raise ApiError("PackedPolicyTooLarge", f"The packed policies and tags take {size} of {PACKED_MOST} characters.")
    return 100 * size // PACKED_MOST if size else None


def _account(role_arn: str) -> str:
    parsed = Arn.parse(role_arn)
    return parsed.scope.account if parsed else ""


NO_TRANSITIVE = "A role that is assumed from the session does not get its tags."

OPERATIONS: dict[str, Operation] = {
    "AssumeRole": Operation(
        assume_role,
        refuses={
            "TransitiveTagKeys": NO_TRANSITIVE,
            "ProvidedContexts": "No identity context can be provided: no provider is known.",
            "SerialNumber": "Nobody has an MFA device here: leave it out.",
            "TokenCode": "Nobody has an MFA device here: leave it out.",
        },
        inert={
            "MinimumSessionTokenSize": NO_PADDING,
            "SourceIdentity": "A trust policy's conditions can look at it; it is not kept with the session.",
        },
    )
}
