"""Everything that an account has of IAM at once: identities with their policies, and managed policies with versions."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from longshore.api.iam import users
from longshore.api.iam.identities import attached_view, encoded
from longshore.api.iam.instance_profiles import short_profile_view
from longshore.api.iam.lookup import Answer, boundary_member, global_scope, paged, tags_member
from longshore.api.iam.policies import managed_details, own_details
from longshore.api.iam.roles import short_view
from longshore.api.operation import Call, Operation
from longshore.decide.policy.managed import MANAGED
from longshore.domain.iam import Group, Identity, InstanceProfile, Policy, Role, User

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
NOT_TOLD = ("Description", "MaxSessionDuration")
"""Of a role, what is not among the details."""


class _Item(NamedTuple):
    kind: str
    """As `Filter` has it."""
    member: str
    name: str
    view: Answer


def get_account_authorization_details(call: Call) -> Answer:
    """GetAccountAuthorizationDetails. Of AWS's policies, those that are in use."""
    wanted = call.params.get("Filter") or ()
    items = [item for item in _items(call) if not wanted or item.kind in wanted]
    shown, more = paged(call, items, lambda item: f"{item.kind} {item.name}")
    return {member: [item.view for item in shown if item.member == member] for member in LISTS} | more


def _items(call: Call) -> Iterator[_Item]:
    place = global_scope(call)
    for user in call.tx.select(User, "scope", place):
        view = {**users.user_view(user), **_policies(user, "User"), "GroupList": list(user.groups)}
        yield _Item("User", "UserDetailList", user.name, view)
    for group in call.tx.select(Group, "scope", place):
        yield _Item("Group", "GroupDetailList", group.name, {**users.group_view(group), **_policies(group, "Group")})
    for role in call.tx.select(Role, "scope", place):
        yield _Item("Role", "RoleDetailList", role.name, _role(call, role))
    for policy in call.tx.select(Policy, "scope", place):
        yield _Item("LocalManagedPolicy", "Policies", policy.arn, own_details(call, policy))
    for managed in MANAGED.values():
        view = managed_details(call, managed)
        if view["AttachmentCount"] or view["PermissionsBoundaryUsageCount"]:
            yield _Item("AWSManagedPolicy", "Policies", managed.arn, view)


def _role(call: Call, role: Role) -> Answer:
    profiles: Iterable[InstanceProfile] = call.tx.select(InstanceProfile, "role", (role.account, role.name))
    own = {name: value for name, value in short_view(role).items() if name not in NOT_TOLD}
    return {
        **own,
        **_policies(role, "Role"),
        **boundary_member(role),
        **tags_member(role.tags),
        "InstanceProfileList": [short_profile_view(call, profile) for profile in profiles],
        "RoleLastUsed": {},
    }


def _policies(owner: Identity, noun: str) -> dict[str, Any]:
    inline = [{"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in owner.inline.items()]
    return {f"{noun}PolicyList": inline, "AttachedManagedPolicies": [attached_view(arn) for arn in owner.attached]}


OPERATIONS: dict[str, Operation] = {
    "GetAccountAuthorizationDetails": Operation(get_account_authorization_details),
}
