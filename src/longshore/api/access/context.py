"""What conditions may look at of any request: who asks, from where, when, for which region."""

from longshore.api.callers.auth import Caller
from longshore.api.callers.credentials import Principal
from longshore.decide.policy.conditions import moment
from longshore.domain.iam import User
from longshore.domain.tag import Tags

Values = dict[str, tuple[str, ...]]


def of_caller(caller: Caller, now: float, user_agent: str) -> Values:
    """Of the request itself. Keys are in small letters."""
    values: Values = {
        **moment(now),
        "aws:requestedregion": (caller.region,),
        "aws:securetransport": (str(caller.secure).lower(),),
        "aws:viaawsservice": ("false",),
        "aws:principalisawsservice": ("false",),
    }
    if caller.source_ip:
        values["aws:sourceip"] = (caller.source_ip,)
    if user_agent:
        values["aws:useragent"] = (user_agent,)
    return values


def of_principal(principal: Principal, unique_id: str, tags: Tags) -> Values:
    """Of who asks. A session of a role is known by its role's ARN."""
    values: Values = {
        "aws:principalaccount": (principal.account,),
        "aws:principalarn": (principal.source or principal.arn,),
        "aws:principaltype": (_kind(principal),),
        "aws:userid": (user_id(principal, unique_id),),
    }
    if principal.is_user:
        values["aws:username"] = (principal.source.rpartition("/")[2],)
    if principal.session:
        values["aws:multifactorauthpresent"] = ("false",)
    values |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in tags.items()}
    return values


def user_id(principal: Principal, unique_id: str) -> str:
    """`aws:userid`, and STS's `UserId`: the account for its root, AROA…:SESSION for a session, AIDA… for a user."""
    if not principal.source:
        return principal.account
    return unique_id if principal.is_user else f"{unique_id}:{principal.arn.rpartition('/')[2]}"


def _kind(principal: Principal) -> str:
    if not principal.source:
        return "Account"
    return User.__name__ if principal.is_user else "AssumedRole"
