"""Whether a request is allowed: an explicit Deny wins; then everything that applies must allow it; else it is refused.

What is asked is one action on one resource. The identity's own policies grant; its boundary and the policies of its
session only narrow. Called by the request chain (`api/access`) and by IAM's simulation.
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


Layer = Literal["identity-based policy", "permissions boundary", "session policy"]


def decide(grants: Grants, question: Question) -> Decision:
    """Whether the caller may."""
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
    granted: tuple[tuple[str, str], ...] = ()
    for layer, sources in layers:
        allowed = matched(sources, question, allows=True)
        if not allowed:
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


# ----------------------------------------------------------------------------------------------------------- trust


@dataclass(frozen=True, slots=True)
class Assumer:
    """Who wants to assume a role: all names under which a trust policy may speak of it."""

    account: str
    arns: tuple[str, ...] = ()
    """The caller's own, and its role's where it is a session."""
    services: tuple[str, ...] = ()


Trust = Literal["named", "account", "denied", "silent"]
"""Named itself; only its account is named, so that its own policies must allow it, too; denied; not mentioned."""


def trusted(document: Document, assumer: Assumer, question: Question) -> Trust:
    """What a role's trust policy says of somebody who wants to assume it."""
    found: Trust = "silent"
    for statement in document.statements:
        how = _names(statement.principals, assumer)
        if how == "silent" or not applies(statement, question, variables=document.variables):
            continue
        if not statement.allows:
            return "denied"
        if found != "named":
            found = how
    return found


def _names(principals: Principals | None, assumer: Assumer) -> Trust:
    if principals is None:
        return "silent"
    ways = {_way(kind, name, assumer) for kind, name in principals.pairs}
    if principals.others:
        return "silent" if ways & {"named", "account"} else "named"
    return "named" if "named" in ways else "account" if "account" in ways else "silent"


def _way(kind: str, name: str, assumer: Assumer) -> Trust:
    if name == "*":
        return "named"
    if kind == "Service":
        return "named" if name in assumer.services else "silent"
    if kind != "AWS":
        return "silent"
    if name in assumer.arns:
        return "named"
    of_account = {assumer.account, f"arn:aws:iam::{assumer.account}:root"}
    return "account" if assumer.account and name in of_account else "silent"
