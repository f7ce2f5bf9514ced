"""Simulation: what policies would allow, decided as requests are, without sending any."""

from collections.abc import Iterable, Iterator
from itertools import product

from longshore.api.access.context import of_principal
from longshore.api.access.grants import identity_of
from longshore.api.callers.credentials import Principal
from longshore.api.iam.lookup import Answer, listed, no_such
from longshore.api.operation import Call, Operation
from longshore.decide.policy.context import Values
from longshore.decide.policy.document import Document, PolicyRefused, Statement, parse
from longshore.decide.policy.evaluate import Decision, Grants, Question, Source, decide, speaks_of
from longshore.decide.policy.grants import grants_of
from longshore.decide.policy.managed import is_of_aws
from longshore.domain.arn import Arn
from longshore.domain.iam import Group, Identity, iam_key_of
from longshore.wire.errors import ApiError

INLINE_TYPES = ("user", "role", "group")


def simulate_principal_policy(call: Call) -> Answer:
    """SimulatePrincipalPolicy: of a user, a role or a group, with further policies where they are given."""
    identity = _identity(call, call.params["PolicySourceArn"])
    own = grants_of(call.tx, identity)
    grants = Grants((*own.identity, *_sources(call, "PolicyInputList")), _boundary(call) or own.boundary)
    values: Values = {}
    if not isinstance(identity, Group):
        principal = Principal(identity.arn, identity.account, source=identity.arn)
        values = of_principal(principal, identity.unique_id, identity.tags)
    return _results(call, grants, values)


def simulate_custom_policy(call: Call) -> Answer:
    """SimulateCustomPolicy: of the policies in the request alone."""
    return _results(call, Grants(_sources(call, "PolicyInputList"), _boundary(call)), {})


def get_context_keys_for_principal_policy(call: Call) -> Answer:
    """GetContextKeysForPrincipalPolicy: the keys that conditions and variables look at."""
    own = grants_of(call.tx, _identity(call, call.params["PolicySourceArn"]))
    return {"ContextKeyNames": _keys((*own.identity, *_sources(call, "PolicyInputList")))}


def get_context_keys_for_custom_policy(call: Call) -> Answer:
    """GetContextKeysForCustomPolicy."""
    return {"ContextKeyNames": _keys(_sources(call, "PolicyInputList"))}


def _results(call: Call, grants: Grants, own: Values) -> Answer:
    given = {
        entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ())
        for entry in call.params.get("ContextEntries") or ()
        if entry.get("ContextKeyName")
    }
    context = {**own, **given}
    asked = product(call.params["ActionNames"], call.params.get("ResourceArns") or ["*"])
    results = []
    for number, (action, resource) in enumerate(asked):
        _check(action, resource)
        question = Question(action, resource, context)
        results.append((number, _result(grants, question, decide(grants, question))))
    return listed(call, results, lambda each: f"{each[0]:07}", lambda each: each[1], "EvaluationResults")


def _check(action: str, resource: str) -> None:
    if action.count(":") != 1 or "*" in action:
        raise ApiError(
            "InvalidInput", f"Invalid Action Name {action[:128]}: give a service and an action, as in ecs:RunTask."
        )
    if resource != "*" and Arn.parse(resource) is None:
        raise ApiError("InvalidInput", f"Invalid Resource Arn {resource[:256]}.")


def _result(grants: Grants, question: Question, decision: Decision) -> Answer:
    sources = (*grants.identity, *((grants.boundary,) if grants.boundary else ()))
    result: Answer = {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny",
        "MatchedStatements": [
            {"SourcePolicyId": _short(name), "SourcePolicyType": _type(name)} for name, _ in decision.matched
        ],
        "MissingContextValues": _missing(sources, question),
    }
    if grants.boundary is not None:
        within = decide(Grants((grants.boundary,)), question).allowed
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    return result


def _missing(sources: Iterable[Source], question: Question) -> list[str]:
    """The keys that conditions of statements about this question look at, and that were not given."""
    found: dict[str, None] = {}
    for source in sources:
        for statement in source.document.statements:
            if speaks_of(statement, question, variables=source.document.variables):
                found |= dict.fromkeys(condition.key for condition in statement.conditions)
    return [key for key in found if key not in question.context]


def _keys(sources: Iterable[Source]) -> list[str]:
    found: dict[str, None] = {}
    for source in sources:
        for statement in source.document.statements:
            found |= dict.fromkeys(_keys_of(statement))
    return sorted(found)


def _keys_of(statement: Statement) -> Iterator[str]:
    for condition in statement.conditions:
        yield condition.key


def _short(name: str) -> str:
    return name.rpartition("/")[2] if name.startswith("arn:") else name


def _type(name: str) -> str:
    if name.startswith("arn:"):
        return "aws-managed" if is_of_aws(name) else "user-managed"
    kind = name.partition("_")[0]
    return kind if kind in INLINE_TYPES else "none"


def _identity(call: Call, arn: str) -> Identity:
    """The user, role or group of an ARN. Raises NoSuchEntity."""
    found: Identity | None = identity_of(call.tx, Principal(arn, call.scope.account, source=arn))
    if found is None:
        key = iam_key_of(arn, Group.arn_type)
        found = call.tx.get(Group, key) if key else None
    if found is None or found.arn != arn or found.account != call.scope.account:
        if Arn.parse(arn) is None:
            raise ApiError(
                "InvalidInput", f"Invalid Entity Arn: {arn[:256]} does not clearly define entity type and name."
            )
        raise no_such(f"The entity with ARN {arn[:256]} cannot be found.")
    return found


def _sources(call: Call, member: str) -> tuple[Source, ...]:
    texts = call.params.get(member) or ()
    return tuple(Source(f"{member}.{number}", _parsed(text)) for number, text in enumerate(texts, 1))


def _boundary(call: Call) -> Source | None:
    found = _sources(call, "PermissionsBoundaryPolicyInputList")
    if len(found) > 1:
        raise ApiError("InvalidInput", "PermissionsBoundaryPolicyInputList can have one policy at most.")
    return found[0] if found else None


def _parsed(text: str) -> Document:
    try:
        return parse(text)
    except PolicyRefused as refused:
        raise ApiError("InvalidInput", f"Invalid policy input: {refused}") from None


NO_RESOURCE_POLICY = "Policies of resources are not simulated: leave it out."
REFUSES = {"ResourcePolicy": NO_RESOURCE_POLICY, "ResourceOwner": NO_RESOURCE_POLICY}
INERT = {
    "CallerArn": "It would decide by policies of resources, which are not simulated.",
    "ContextEntries[].ContextKeyType": "Values are compared by the operator of the condition.",
    "ResourceHandlingOption": "It is for instances of EC2, of which there are none.",
}
OPERATIONS: dict[str, Operation] = {
    "GetContextKeysForCustomPolicy": Operation(get_context_keys_for_custom_policy),
    "GetContextKeysForPrincipalPolicy": Operation(get_context_keys_for_principal_policy),
    "SimulateCustomPolicy": Operation(
        simulate_custom_policy,
        refuses={
            **REFUSES,
            "OrderedOrganizationPolicyInputList": "There are no organizations here: leave it out.",
        },
        inert=INERT,
    ),
    "SimulatePrincipalPolicy": Operation(
        simulate_principal_policy,
        refuses={**REFUSES, "PolicyExclusionList": "All policies of the principal are simulated: leave it out."},
        inert=INERT,
    ),
}
