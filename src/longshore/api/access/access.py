"""Whether a caller may: the request chain asks before every handler, and STS before a role is assumed.

An account's root may do everything. A user or role may do what its policies say, in both modes. They differ where a
task names a role that nobody has made: `open` lets it do everything, as a stack that runs on a laptop expects whose
roles are elsewhere; `enforce` takes no such role.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from longshore.api.access.asking import ANY, Ask, Need, On, Values
from longshore.api.access.context import of_caller, of_principal
from longshore.api.access.ecs import RULES as ECS
from longshore.api.access.grants import Held, held
from longshore.api.access.identity import FREE, iam
from longshore.api.access.network import ec2, elbv2
from longshore.api.access.others import OTHERS, any_arn
from longshore.api.access.smaller import SMALLER, nothing
from longshore.api.access.tags import request_tags, values_of
from longshore.api.callers.auth import Caller, bad_token
from longshore.api.callers.credentials import Credentials, Principal
from longshore.decide.policy.evaluate import Decision, Named, Question, decide
from longshore.decide.policy.resources import of_resource
from longshore.store.store import Reader
from longshore.wire.errors import ApiError

PREFIXES = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
}
"""What actions begin with where it is not botocore's name of the service."""
ARN = "arn:"
TAG_ON_CREATE = frozenset({"CreateCluster", "CreateService", "CreateTaskSet", "RegisterTaskDefinition", "RunTask"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is to be decided: who sent it, and how."""

    caller: Caller
    ask: Ask
    protocol: str
    now: float
    user_agent: str = ""


class Access:
    """Decides by policies."""

    def __init__(self, credentials: Credentials, *, enforce: bool = False) -> None:
        self.credentials = credentials
        self.enforce = enforce

    def check(self, asked: Asked) -> None:
        """Raise the refusal that the request's client understands, unless the caller may."""
        _check_session(asked)
        if not asked.caller.principal.source or (asked.ask.service, asked.ask.operation) in FREE:
            return
        found = self.held(asked.ask.reader, asked.caller.principal, asked.protocol)
        if found is None:
            return
        common = {**common_values(asked.caller, found, asked.now, asked.user_agent), **request_tags(asked.ask)}
        for need in needs(asked.ask):
            decision = answer(asked.caller.principal, asked.ask, found, need, common)
            if not decision.allowed:
                raise refusal(asked.caller.principal, need, decision, asked.protocol)

    def held(self, reader: Reader, principal: Principal, protocol: str) -> Held | None:
        """What a caller is held to; None where nothing holds it. Raises for a role or user that is gone."""
        found = held(reader, principal)
        if found is None and (self.enforce or principal.is_user):
            raise bad_token("invalid", protocol)
        return found


def _check_session(asked: Asked) -> None:
    """Raise for what sessions of users and the root may not, whatever their policies say: nobody has an MFA device."""
    principal, service, operation = asked.caller.principal, asked.ask.service, asked.ask.operation
    if not principal.session or not (principal.is_user or not principal.source):
        return
    if service == "iam":
        text = (
            "The security token included in the request is invalid: a session of GetSessionToken can't call IAM. Sign "
            "with the key pair itself."
        )
        raise ApiError("InvalidClientTokenId", text, status=403)
    if service == "sts" and (service, operation) not in FREE:
        raise ApiError("AccessDenied", f"Cannot call {operation} with session credentials", status=403)


def common_values(caller: Caller, found: Held, now: float, user_agent: str = "") -> Values:
    """What conditions may look at of any request of a caller."""
    return {
        **of_caller(caller, now, user_agent),
        **of_principal(caller.principal, found.identity.unique_id, found.tags),
    }


def named_as(principal: Principal, found: Held) -> Named:
    """Under which names policies of resources may speak of a caller."""
    return Named(principal.account, (principal.arn, principal.source, found.identity.unique_id))


def answer(principal: Principal, ask: Ask, found: Held, need: Need, common: Values) -> Decision:
    """Whether one action is allowed on one resource."""
    context = {**common, **values_of(ask.reader, need.resource, ask.scope.account), **need.values}
    question = Question(need.action, need.resource, context, need.also)
    return decide(found.grants, question, of_resource(ask.reader, named_as(principal, found), question))


def needs(ask: Ask) -> Iterator[Need]:
    """Everything that a request asks for."""
    prefix = PREFIXES.get(ask.service, ask.service)
    action = f"{prefix}:{ask.operation}"
    found = _on(ask)
    for resource in found.resources:
        named = resource if resource.startswith(ARN) else ANY  # what is no ARN is no resource: its handler says so
        yield Need(action, named, found.also.get(resource, ()), found.values)
    yield from (need for need in found.more if need.resource == ANY or need.resource.startswith(ARN))
    if ask.service == "ecs" and ask.operation in TAG_ON_CREATE and ask.params.get("tags"):
        yield Need("ecs:TagResource", _created(ask), values={"ecs:createaction": (ask.operation,)})


def _on(ask: Ask) -> On:
    match ask.service:
        case "ecs":
            return ECS.get(ask.operation, nothing)(ask)
        case "ec2":
            return ec2(ask)
        case "elbv2":
            return elbv2(ask)
        case "iam":
            return iam(ask)
    return SMALLER.get(ask.service, OTHERS.get(ask.service, any_arn))(ask)


def _created(ask: Ask) -> str:
    """The ARN of what an operation of ECS is about to make, as far as it is known before."""
    match ask.operation:
        case "CreateCluster":
            return ask.arn("ecs", f"cluster/{ask.text('clusterName') or 'default'}")
        case "CreateService" | "CreateTaskSet":
            cluster = (ask.text("cluster") or "default").rpartition("/")[2]
            name = ask.text("serviceName") or ask.text("service").rpartition("/")[2]
            kind, tail = ("service", "") if ask.operation == "CreateService" else ("task-set", "/*")
            return ask.arn("ecs", f"{kind}/{cluster}/{name}{tail}")
        case "RunTask":
            return ask.arn("ecs", f"task/{(ask.text('cluster') or 'default').rpartition('/')[2]}/*")
    return ask.arn("ecs", f"task-definition/{ask.text('family')}:*")


def refusal(principal: Principal, need: Need, decision: Decision, protocol: str) -> ApiError:
    """The error of a request that is not allowed, in AWS's words and the protocol's code."""
    where = "" if need.resource == ANY and protocol == "ec2" else f" on resource: {need.resource}"
    text = f"User: {principal.arn} is not authorized to perform: {need.action}{where} {decision.reason}"
    if protocol == "ec2":
        return ApiError(
            "UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", status=403
        )
    if protocol in {"query", "rest-xml"}:
        return ApiError("AccessDenied", text, status=403)
    return ApiError("AccessDeniedException", text, status=403 if protocol == "rest-json" else 400)
