"""Finds what IAM's names and ARNs name, and checks what all of its operations share."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from longshore.api.operation import Call
from longshore.decide.policy.document import Kind, PolicyRefused, parse
from longshore.decide.policy.managed import is_of_aws
from longshore.domain.iam import Global, Group, Identity, InstanceProfile, Policy, Role, User, iam_key_of
from longshore.domain.names.zone import GLOBAL
from longshore.domain.record import Scope
from longshore.domain.tag import Tags, tags_list
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

G = TypeVar("G", bound=Global)
T = TypeVar("T")
Answer = dict[str, Any]

MAX_ITEMS = 100
UNIQUE_LENGTH = 17
PREFIXES: dict[type[Global], str] = {Role: "AROA", User: "AIDA", Group: "AGPA", InstanceProfile: "AIPA"}
_MISSING: dict[type[Global], str] = {
    Role: "The role with name {} cannot be found.",
    User: "The user with name {} cannot be found.",
    Group: "The group with name {} cannot be found.",
    InstanceProfile: "Instance Profile {} cannot be found.",
}
_TAKEN: dict[type[Global], str] = {
    Role: "Role with name {} already exists.",
    User: "User with name {} already exists.",
    Group: "Group with name {} already exists.",
    InstanceProfile: "Instance Profile {} already exists.",
}


def global_scope(call: Call) -> Scope:
    """Where IAM's records are kept: one place for all regions of an account."""
    return Scope(call.scope.account, GLOBAL)


def find(call: Call, kind: type[G], name: str) -> G:
    """The role, user, group or instance profile of a name. Raises NoSuchEntity."""
    found = call.tx.get(kind, (*global_scope(call), name))
    if found is None:
        raise no_such(_MISSING[kind].format(name))
    return found


def find_to_change(call: Call, kind: type[G], name: str) -> G:
    """The same, for a change: a service-linked role is its service's to change. Raises UnmodifiableEntity."""
    found = find(call, kind, name)
    if isinstance(found, Role) and found.service:
        text = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        raise ApiError("UnmodifiableEntity", text)
    return found


def no_such(text: str) -> ApiError:
    """NoSuchEntity."""
    return ApiError("NoSuchEntity", text)


def check_free(call: Call, kind: type[G], name: str) -> None:
    """Raise EntityAlreadyExists where a name is taken, whatever its case."""
    if call.tx.count(kind, "name", (call.scope.account, name.lower())):
        raise ApiError("EntityAlreadyExists", _TAKEN[kind].format(name))


def check_free_policy(call: Call, name: str) -> None:
    """The same for policies, which have another text."""
    if call.tx.count(Policy, "name", (call.scope.account, name.lower())):
        text = f"A policy called {name} already exists. Duplicate names are not allowed."
        raise ApiError("EntityAlreadyExists", text)


def new_id(call: Call, prefix: str) -> str:
    """A unique id, such as `AROA` and 17 capital letters and digits."""
    return prefix + call.ids.token(UNIQUE_LENGTH).upper()


def checked_document(text: str, kind: Kind = "identity") -> str:
    """A document that IAM takes. Raises MalformedPolicyDocument."""
    try:
        parse(text, kind)
    except PolicyRefused as refused:
        raise ApiError("MalformedPolicyDocument", str(refused)) from None
    return text


def attachable(call: Call, arn: str) -> None:
    """Raise NoSuchEntity for what no policy of this account, or of AWS, has as its ARN."""
    if is_of_aws(arn):
        return
    key = iam_key_of(arn, "policy")
    policy = call.tx.get(Policy, key) if key else None
    if policy is None or policy.arn != arn or policy.account != call.scope.account:
        if not arn.startswith("arn:"):
            raise ApiError("ValidationError", f"ARN {arn} is not valid.")
        raise ApiError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def size_of(document: str) -> int:
    """What counts of a document against a quota: all but its white space."""
    return sum(1 for character in document if not character.isspace())


def listed(call: Call, items: Iterable[T], key: Callable[[T], str], view: Callable[[T], Any], member: str) -> Answer:
    """A page of items, in the order of their keys."""
    shown, more = paged(call, items, key)
    return {member: [view(each) for each in shown], **more}


def paged(call: Call, items: Iterable[T], key: Callable[[T], str]) -> tuple[Sequence[T], Answer]:
    """The items of this page, and `IsTruncated` and `Marker`."""
    ordered = sorted(items, key=key)
    limit = call.params.get("MaxItems") or MAX_ITEMS
    marker = call.params.get("Marker")
    shown, token = page(ordered, key, limit, marker, operation="iam", code="ValidationError")
    return shown, {"IsTruncated": token is not None, "Marker": token}


def of_path(call: Call, kind: type[G]) -> list[G]:
    """An account's records of a kind, below `PathPrefix` where it is given."""
    prefix = call.params.get("PathPrefix") or "/"
    return [each for each in call.tx.select(kind, "scope", global_scope(call)) if each.path.startswith(prefix)]


MAX_TAGS = 50


def checked_tags(given: Iterable[dict[str, str]] | None, before: Tags | None = None) -> Tags:
    """Tags with those given over those before. Raises as IAM does."""
    pairs = list(given or ())
    keys = [pair["Key"].lower() for pair in pairs]
    if len(set(keys)) < len(keys):
        raise ApiError("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    tags = dict(before or {})
    for pair in pairs:
        if pair["Key"].lower().startswith("aws:"):
            raise ApiError("InvalidInput", "Tag keys beginning with aws: are reserved: choose another key.")
        same = next((key for key in tags if key.lower() == pair["Key"].lower()), pair["Key"])
        tags.pop(same, None)
        tags[pair["Key"]] = pair["Value"]
    if len(tags) > MAX_TAGS:
        raise ApiError("LimitExceeded", f"The number of tags has reached the maximum limit: {MAX_TAGS}.")
    return tags


def tags_member(tags: Tags) -> Answer:
    """`Tags`, where there are any."""
    return {"Tags": tags_list(tags, "Key", "Value")} if tags else {}


def boundary_member(identity: Identity) -> Answer:
    """`PermissionsBoundary`, where there is one."""
    if not identity.boundary_arn:
        return {}
    kind = "PermissionsBoundaryPolicy"
    view = {"PermissionsBoundaryType": kind, "PermissionsBoundaryArn": identity.boundary_arn}
    return {"PermissionsBoundary": view}
