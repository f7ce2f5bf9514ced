"""Whether a request is allowed: an explicit Deny wins; then everything that applies must allow it; else it is refused.

What is asked is one action on one resource. The identity's own policies grant, and so does the resource's where it
names the caller; the identity's boundary and the policies of its session only narrow. Called by the request chain
(`api/access`), for tasks (`decide/ecs/roles.py`), and by IAM's simulation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from longshore.decide.policy.conditions import holds
from longshore.decide.policy.document import Document, Principals, Statement
from longshore.decide.policy.patterns import Context, like


@dataclass(frozen=True, slots=True)
class Source:
    """A policy, and what tells it from others: its ARN, or its name where it is inline."""

    name: str
    document: Document


@dataclass(frozen=True, slots=True)
class Grants:
    """All policies that a caller is held to."""

    identity: tuple[Source, ...]
    boundary: Source | None = None
    session: tuple[Source, ...] | None = None
    """None where the session has no policies of its own."""


@dataclass(frozen=True, slots=True)
class Question:
    """One action on one resource."""

    action: str
    """Such as `ecs:RunTask`."""
    resource: str
    """An ARN, or `*` where the action has none."""
    context: Context
    also: tuple[str, ...] = ()
    """Other ways to write the resource: what is said of any of them is said of it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `reason` continues the sentence that tells a caller of a refusal."""

    allowed: bool
    explicit: bool = False
    """Whether a Deny says so."""
    reason: str = ""
    matched: tuple[tuple[str, str], ...] = ()
    """`(policy, statement id)` of the statements that decided."""


Stance = Literal["named", "account", "denied", "silent"]
"""What a policy with principals says of a caller: names it, names only its account, so that the caller's own policies
must allow it, too; denies it; or does not mention it."""


@dataclass(frozen=True, slots=True)
class OfResource:
    """What a resource's own policy says of the caller and what is asked."""

    stance: Stance
    closed: bool = False
    """Whether nobody may whom it does not mention, as with keys of KMS."""


Layer = Literal["identity-based policy", "permissions boundary", "session policy"]


def decide(grants: Grants, question: Question, of_resource: OfResource | None = None) -> Decision:
    """Whether the caller may. `of_resource`: None where what is asked about has no policy of its own."""
    layers: list[tuple[Layer, tuple[Source, ...]]] = [("identity-based policy", grants.identity)]
    if grants.boundary is not None:
        layers.append(("permissions boundary", (grants.boundary,)))
    if grants.session is not None:
        layers.append(("session policy", grants.session))
    for layer, sources in layers:
        denied = matched(sources, question, allows=False)
        if denied:
            article = "an" if layer[0] in "aeiou" else "a"
            return Decision(False, True, f"with an explicit deny in {article} {layer}", denied)
    stance = of_resource.stance if of_resource is not None else "silent"
    if stance == "denied":
        return Decision(False, True, "with an explicit deny in a resource-based policy")
    if of_resource is not None and of_resource.closed and stance == "silent":
        return Decision(False, False, f"because no resource-based policy allows the {question.action} action")
    granted: tuple[tuple[str, str], ...] = ()
    for layer, sources in layers:
        allowed = matched(sources, question, allows=True)
        if not allowed and not (layer == "identity-based policy" and stance == "named"):
            return Decision(False, False, f"because no {layer} allows the {question.action} action")
        granted += allowed
    return Decision(True, matched=granted)


def matched(sources: Iterable[Source], question: Question, *, allows: bool) -> tuple[tuple[str, str], ...]:
    """The statements with this effect that speak of what is asked."""
    return tuple(
        (source.name, statement.sid)
        for source in sources
        for statement in source.document.statements
        if statement.allows is allows and _decides(statement, question, variables=source.document.variables)
    )


def _decides(statement: Statement, question: Question, *, variables: bool) -> bool:
    if not statement.allows and question.action.endswith(":*"):
        return touches(statement, question, variables=variables)
    return applies(statement, question, variables=variables)


def applies(statement: Statement, question: Question, *, variables: bool) -> bool:
    """Whether a statement speaks of what is asked, and its conditions are met."""
    return speaks_of(statement, question, variables=variables) and all(
        holds(condition, question.context, variables=variables) for condition in statement.conditions
    )


def touches(statement: Statement, question: Question, *, variables: bool) -> bool:
    """Whether a Deny is about anything of a service, where all of it is asked for (`s3:*`): then it can't be had."""
    service = question.action.partition(":")[0].lower()
    if statement.other_actions:
        named = not any(like(pattern, question.action.lower(), {}, variables=False) for pattern in statement.actions)
    else:
        services = (pattern.partition(":")[0] for pattern in statement.actions)
        named = any(like(pattern, service, {}, variables=False) for pattern in services)
    return named and all(holds(condition, question.context, variables=variables) for condition in statement.conditions)


def speaks_of(statement: Statement, question: Question, *, variables: bool) -> bool:
    """Whether a statement is about this action on this resource."""
    action = question.action.lower()
    named = any(like(pattern, action, {}, variables=False) for pattern in statement.actions)
    if named is statement.other_actions:
        return False
    reached = any(
        like(pattern, resource, question.context, variables=variables, arn=True)
        for pattern in statement.resources
        for resource in (question.resource, *question.also)
    )
    return reached is not statement.other_resources


# ------------------------------------------------------------------------------------------------------ principals


@dataclass(frozen=True, slots=True)
class Named:
    """Who asks: all names under which a policy with principals may speak of it."""

    account: str
    arns: tuple[str, ...] = ()
    """The caller's own, and its role's where it is a session."""
    services: tuple[str, ...] = ()


def stance_of(document: Document, named: Named, question: Question) -> Stance:
    """What a role's trust policy, or a resource's own policy, says of somebody."""
    found: Stance = "silent"
    for statement in document.statements:
        how = _names(statement.principals, named, allows=statement.allows)
        if how == "silent" or not applies(statement, question, variables=document.variables):
            continue
        if not statement.allows:
            return "denied"
        if found != "named":
            found = how
    return found


def _names(principals: Principals | None, named: Named, *, allows: bool) -> Stance:
    """All but some: who is named itself is not meant; nor, where that is allowed, is anybody of an account that is."""
    if principals is None:
        return "silent"
    ways = {_way(kind, name, named) for kind, name in principals.pairs}
    if principals.others:
        spared = {"named", "account"} if allows else {"named"}
        return "silent" if ways & spared else "named"
    return "named" if "named" in ways else "account" if "account" in ways else "silent"


def _way(kind: str, name: str, asks: Named) -> Stance:
    if name == "*" and kind in {"*", "AWS"}:
        return "named"
    if kind == "Service":
        return "named" if name in asks.services else "silent"
    if kind != "AWS":
        return "silent"
    if name in asks.arns:
        return "named"
    of_account = {asks.account, f"arn:aws:iam::{asks.account}:root"}
    return "account" if asks.account and name in of_account else "silent"
