"""What roles, users and groups have in common: policies written into them, and managed ones attached to them.

Each operation is made for the three kinds: `PutRolePolicy`, `PutUserPolicy`, `PutGroupPolicy`.
"""

from collections.abc import Callable
from urllib.parse import quote

from longshore.api.iam.lookup import (
    Answer,
    attachable,
    checked_document,
    find,
    find_to_change,
    listed,
    no_such,
    size_of,
)
from longshore.api.operation import Call, Operation
from longshore.decide.policy.managed import policy_name
from longshore.domain.iam import Group, Identity, Role, User
from longshore.wire.errors import ApiError

KINDS: dict[str, type[Identity]] = {"Role": Role, "User": User, "Group": Group}
INLINE_MOST = {"Role": 10240, "User": 2048, "Group": 5120}
"""Characters of all inline policies of one, white space not counted."""
ATTACHED_MOST = 10
Handler = Callable[[Call], Answer]


def encoded(document: str) -> str:
    """A document as IAM answers it: URL-encoded (RFC 3986)."""
    return quote(document, safe="-._~")


def _put(noun: str) -> Handler:
    kind = KINDS[noun]

    def put_policy(call: Call) -> Answer:
        """Put…Policy: an inline policy, new or in the place of the one of its name."""
        owner = find_to_change(call, kind, call.params[f"{noun}Name"])
        document = checked_document(call.params["PolicyDocument"])
        inline = {**owner.inline, call.params["PolicyName"]: document}
        if sum(map(size_of, inline.values())) > INLINE_MOST[noun]:
            text = f"Maximum policy size of {INLINE_MOST[noun]} bytes exceeded for {noun.lower()} {owner.name}"
            raise ApiError("LimitExceeded", text)
        call.tx.put(owner.but(inline=inline))
        return {}

    return put_policy


def _get(noun: str) -> Handler:
    kind = KINDS[noun]

    def get_policy(call: Call) -> Answer:
        """Get…Policy."""
        owner, name = find(call, kind, call.params[f"{noun}Name"]), call.params["PolicyName"]
        if name not in owner.inline:
            raise _no_inline(noun, name)
        return {f"{noun}Name": owner.name, "PolicyName": name, "PolicyDocument": encoded(owner.inline[name])}

    return get_policy


def _delete(noun: str) -> Handler:
    kind = KINDS[noun]

    def delete_policy(call: Call) -> Answer:
        """Delete…Policy."""
        owner, name = find_to_change(call, kind, call.params[f"{noun}Name"]), call.params["PolicyName"]
        if name not in owner.inline:
            raise _no_inline(noun, name)
        call.tx.put(owner.but(inline={key: text for key, text in owner.inline.items() if key != name}))
        return {}

    return delete_policy


def _list(noun: str) -> Handler:
    kind = KINDS[noun]

    def list_policies(call: Call) -> Answer:
        """List…Policies: the names of inline ones."""
        owner = find(call, kind, call.params[f"{noun}Name"])
        return listed(call, owner.inline, str, str, "PolicyNames")

    return list_policies


def _attach(noun: str) -> Handler:
    kind = KINDS[noun]

    def attach_policy(call: Call) -> Answer:
        """Attach…Policy; again changes nothing."""
        owner, arn = find_to_change(call, kind, call.params[f"{noun}Name"]), call.params["PolicyArn"]
        attachable(call, arn)
        if arn not in owner.attached:
            if len(owner.attached) >= ATTACHED_MOST:
                raise ApiError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{noun}: {ATTACHED_MOST}")
            call.tx.put(owner.but(attached=(*owner.attached, arn)))
        return {}

    return attach_policy


def _detach(noun: str) -> Handler:
    kind = KINDS[noun]

    def detach_policy(call: Call) -> Answer:
        """Detach…Policy."""
        owner, arn = find_to_change(call, kind, call.params[f"{noun}Name"]), call.params["PolicyArn"]
        if arn not in owner.attached:
            raise no_such(f"Policy {arn} was not found.")
        call.tx.put(owner.but(attached=tuple(each for each in owner.attached if each != arn)))
        return {}

    return detach_policy


def _list_attached(noun: str) -> Handler:
    kind = KINDS[noun]

    def list_attached_policies(call: Call) -> Answer:
        """ListAttached…Policies."""
        owner = find(call, kind, call.params[f"{noun}Name"])
        prefix = call.params.get("PathPrefix") or "/"
        within = [arn for arn in owner.attached if arn.partition(":policy")[2].startswith(prefix)]
        return listed(call, within, str, attached_view, "AttachedPolicies")

    return list_attached_policies


def _put_boundary(noun: str) -> Handler:
    kind = KINDS[noun]

    def put_permissions_boundary(call: Call) -> Answer:
        """Put…PermissionsBoundary."""
        owner, arn = find_to_change(call, kind, call.params[f"{noun}Name"]), call.params["PermissionsBoundary"]
        attachable(call, arn)
        call.tx.put(owner.but(boundary_arn=arn))
        return {}

    return put_permissions_boundary


def _delete_boundary(noun: str) -> Handler:
    kind = KINDS[noun]

    def delete_permissions_boundary(call: Call) -> Answer:
        """Delete…PermissionsBoundary."""
        owner = find_to_change(call, kind, call.params[f"{noun}Name"])
        if not owner.boundary_arn:
            raise no_such(f"{noun} {owner.name} does not have a permissions boundary set.")
        call.tx.put(owner.but(boundary_arn=""))
        return {}

    return delete_permissions_boundary


def attached_view(arn: str) -> Answer:
    """A managed policy that is attached."""
    return {"PolicyName": policy_name(arn), "PolicyArn": arn}


def _no_inline(noun: str, name: str) -> ApiError:
    return no_such(f"The {noun.lower()} policy with name {name} cannot be found.")


def check_bare(owner: Identity) -> None:
    """Raise DeleteConflict for what still has policies."""
    if owner.attached:
        raise ApiError("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    if owner.inline:
        raise ApiError("DeleteConflict", "Cannot delete entity, must delete policies first.")


OPERATIONS: dict[str, Operation] = {
    **{f"Put{noun}Policy": Operation(_put(noun)) for noun in KINDS},
    **{f"Get{noun}Policy": Operation(_get(noun)) for noun in KINDS},
    **{f"Delete{noun}Policy": Operation(_delete(noun)) for noun in KINDS},
    **{f"List{noun}Policies": Operation(_list(noun)) for noun in KINDS},
    **{f"Attach{noun}Policy": Operation(_attach(noun)) for noun in KINDS},
    **{f"Detach{noun}Policy": Operation(_detach(noun)) for noun in KINDS},
    **{f"ListAttached{noun}Policies": Operation(_list_attached(noun)) for noun in KINDS},
    **{f"Put{noun}PermissionsBoundary": Operation(_put_boundary(noun)) for noun in ("Role", "User")},
    **{f"Delete{noun}PermissionsBoundary": Operation(_delete_boundary(noun)) for noun in ("Role", "User")},
}
