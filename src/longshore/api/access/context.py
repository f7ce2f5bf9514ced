"""What conditions may look at of any request: who asks, from where, when, for which region."""

from longshore.api.callers.auth import Caller
from longshore.api.callers.credentials import Principal
from longshore.decide.policy.context import PrincipalKind, Values, principal_values, request_values
from longshore.domain.tag import Tags


def of_caller(caller: Caller, now: float, user_agent: str) -> Values:
    """Of the request itself. Keys are in small letters."""
    values = request_values(now, caller.region, secure=caller.secure)
    if caller.source_ip:
        values["aws:sourceip"] = (caller.source_ip,)
    if user_agent:
        values["aws:useragent"] = (user_agent,)
    return values


def of_principal(principal: Principal, unique_id: str, tags: Tags) -> Values:
    """Of who asks."""
    return principal_values(
        principal.account,
        principal.source or principal.arn,
        _kind(principal),
        user_id(principal, unique_id),
        tags,
        session=principal.session,
        issued_at=principal.issued_at,
    )


def user_id(principal: Principal, unique_id: str) -> str:
    """`aws:userid`, and STS's `UserId`: the account for its root, AROA…:SESSION for a session, AIDA… for a user."""
    if not principal.source:
        return principal.account
    return unique_id if principal.is_user else f"{unique_id}:{principal.arn.rpartition('/')[2]}"


def _kind(principal: Principal) -> PrincipalKind:
    if not principal.source:
        return "Account"
    return "User" if principal.is_user else "AssumedRole"
