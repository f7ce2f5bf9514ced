"""Users, the groups that they are in, and groups."""

from longshore.api.iam.identities import check_bare
from longshore.api.iam.lookup import (
    PREFIXES,
    Answer,
    attachable,
    boundary_member,
    check_free,
    checked_tags,
    find,
    global_scope,
    listed,
    new_id,
    no_such,
    of_path,
    paged,
    tags_member,
)
from longshore.api.operation import Call, Operation
from longshore.domain.iam import AccessKey, Global, Group, User
from longshore.wire.errors import ApiError

GROUPS_MOST = 10
NONE = "There is none to choose from."


def create_user(call: Call) -> Answer:
    """CreateUser."""
    params = call.params
    check_free(call, User, params["UserName"])
    boundary = params.get("PermissionsBoundary") or ""
    if boundary:
        attachable(call, boundary)
    user = User(
        account=call.scope.account,
        region=global_scope(call).region,
        name=params["UserName"],
        path=params.get("Path") or "/",
        unique_id=new_id(call, PREFIXES[User]),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
        boundary_arn=boundary,
    )
    call.tx.put(user)
    return {"User": user_view(user)}


def get_user(call: Call) -> Answer:
    """GetUser: without a name, the one who asks."""
    name = call.params.get("UserName")
    return {"User": user_view(find(call, User, name)) if name else _caller(call)}


def list_users(call: Call) -> Answer:
    """ListUsers: without tags, as on AWS."""
    return listed(call, of_path(call, User), lambda user: user.name, short_view, "Users")


def update_user(call: Call) -> Answer:
    """UpdateUser: another name or path. Its keys and groups go with it."""
    user = find(call, User, call.params["UserName"])
    name = call.params.get("NewUserName") or user.name
    if name.lower() != user.name.lower():
        check_free(call, User, name)
    call.tx.delete(User, user.key)
    call.tx.put(user.but(name=name, path=call.params.get("NewPath") or user.path))
    for key in call.tx.select(AccessKey, "user", (user.account, user.name)):
        call.tx.put(key.but(user_name=name))
    return {}


def delete_user(call: Call) -> Answer:
    """DeleteUser, once it has no keys, no policies and no groups."""
    user = find(call, User, call.params["UserName"])
    if call.tx.count(AccessKey, "user", (user.account, user.name)):
        raise ApiError("DeleteConflict", "Cannot delete entity, must delete access keys first.")
    if user.groups:
        raise ApiError("DeleteConflict", "Cannot delete entity, must remove users from group first.")
    check_bare(user)
    call.tx.delete(User, user.key)
    return {}


def get_login_profile(call: Call) -> Answer:
    """GetLoginProfile: there is no console to log in to, so nobody has one."""
    user = find(call, User, calling_user(call))
    raise no_such(f"Login Profile for User {user.name} cannot be found.")


def delete_login_profile(call: Call) -> Answer:
    """DeleteLoginProfile: as above."""
    return get_login_profile(call)


def _nothing_of_user(member: str) -> Operation:
    """A list of what no user can have here: it is empty."""

    def list_nothing(call: Call) -> Answer:
        _check_owner(call)
        return listed(call, [], str, str, member)

    return Operation(list_nothing)


def list_service_specific_credentials(call: Call) -> Answer:
    """ListServiceSpecificCredentials: no user has any."""
    _check_owner(call)
    return {"ServiceSpecificCredentials": []}


def list_virtual_mfa_devices(call: Call) -> Answer:
    """ListVirtualMFADevices: there are none."""
    return listed(call, [], str, str, "VirtualMFADevices")


def _check_owner(call: Call) -> None:
    """Raise unless the user who is meant is there; the root always is."""
    if not is_root(call):
        find(call, User, calling_user(call))


def is_root(call: Call) -> bool:
    """Whether no user is named and the root asks, so that the root itself is meant."""
    return not call.params.get("UserName") and call.principal_arn.endswith(":root")


def calling_user(call: Call) -> str:
    """`UserName`, or the name of the user who asks. Raises where neither is there."""
    name = call.params.get("UserName")
    if name:
        return str(name)
    kind, _, path = call.principal_arn.partition("::")[2].partition(":")[2].partition("/")
    if kind != "user":
        raise ApiError("ValidationError", "Must specify userName when calling with non-User credentials")
    return path.rpartition("/")[2]


def _caller(call: Call) -> Answer:
    if is_root(call):
        account = call.scope.account
        return {
            "Path": "/",
            "UserName": "root",
            "UserId": account,
            "Arn": call.principal_arn,
            "CreateDate": 0.0,
        }
    return user_view(find(call, User, calling_user(call)))


def short_view(user: User) -> Answer:
    """A user in lists."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.unique_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }


def user_view(user: User) -> Answer:
    """A user by itself."""
    return {**short_view(user), **boundary_member(user), **tags_member(user.tags)}


# ---------------------------------------------------------------------------------------------------------- groups


def create_group(call: Call) -> Answer:
    """CreateGroup."""
    check_free(call, Group, call.params["GroupName"])
    group = Group(
        account=call.scope.account,
        region=global_scope(call).region,
        name=call.params["GroupName"],
        path=call.params.get("Path") or "/",
        unique_id=new_id(call, PREFIXES[Group]),
        created_at=call.now,
    )
    call.tx.put(group)
    return {"Group": group_view(group)}


def get_group(call: Call) -> Answer:
    """GetGroup, with the users in it."""
    group = find(call, Group, call.params["GroupName"])
    users, more = paged(call, call.tx.select(User, "group", (group.account, group.name)), _name)
    return {"Group": group_view(group), "Users": [short_view(user) for user in users], **more}


def list_groups(call: Call) -> Answer:
    """ListGroups."""
    return listed(call, of_path(call, Group), _name, group_view, "Groups")


def update_group(call: Call) -> Answer:
    """UpdateGroup: another name or path."""
    group = find(call, Group, call.params["GroupName"])
    name = call.params.get("NewGroupName") or group.name
    if name.lower() != group.name.lower():
        check_free(call, Group, name)
    users = call.tx.select(User, "group", (group.account, group.name))
    call.tx.delete(Group, group.key)
    call.tx.put(group.but(name=name, path=call.params.get("NewPath") or group.path))
    for user in users:
        call.tx.put(user.but(groups=tuple(name if each == group.name else each for each in user.groups)))
    return {}


def delete_group(call: Call) -> Answer:
    """DeleteGroup, once it has no users and no policies."""
    group = find(call, Group, call.params["GroupName"])
    if call.tx.count(User, "group", (group.account, group.name)):
        raise ApiError("DeleteConflict", "Cannot delete entity, must remove users from group first.")
    check_bare(group)
    call.tx.delete(Group, group.key)
    return {}


def add_user_to_group(call: Call) -> Answer:
    """AddUserToGroup; again changes nothing."""
    group = find(call, Group, call.params["GroupName"])
    user = find(call, User, call.params["UserName"])
    if group.name not in user.groups:
        if len(user.groups) >= GROUPS_MOST:
            raise ApiError("LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {GROUPS_MOST}")
        call.tx.put(user.but(groups=(*user.groups, group.name)))
    return {}


def remove_user_from_group(call: Call) -> Answer:
    """RemoveUserFromGroup."""
    group = find(call, Group, call.params["GroupName"])
    user = find(call, User, call.params["UserName"])
    if group.name not in user.groups:
        raise no_such(f"The user with name {user.name} cannot be found in the group {group.name}.")
    call.tx.put(user.but(groups=tuple(each for each in user.groups if each != group.name)))
    return {}


def list_groups_for_user(call: Call) -> Answer:
    """ListGroupsForUser."""
    user = find(call, User, call.params["UserName"])
    return listed(call, [find(call, Group, name) for name in user.groups], _name, group_view, "Groups")


def group_view(group: Group) -> Answer:
    """A group."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.unique_id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


def _name(record: Global) -> str:
    return record.name


OPERATIONS: dict[str, Operation] = {
    "AddUserToGroup": Operation(add_user_to_group),
    "CreateGroup": Operation(create_group),
    "CreateUser": Operation(create_user),
    "DeleteGroup": Operation(delete_group),
    "DeleteLoginProfile": Operation(delete_login_profile),
    "DeleteUser": Operation(delete_user),
    "GetGroup": Operation(get_group),
    "GetLoginProfile": Operation(get_login_profile),
    "GetUser": Operation(get_user),
    "ListGroups": Operation(list_groups),
    "ListGroupsForUser": Operation(list_groups_for_user),
    "ListMFADevices": _nothing_of_user("MFADevices"),
    "ListSSHPublicKeys": _nothing_of_user("SSHPublicKeys"),
    "ListServiceSpecificCredentials": Operation(
        list_service_specific_credentials, inert=dict.fromkeys(("ServiceName", "AllUsers", "Marker", "MaxItems"), NONE)
    ),
    "ListSigningCertificates": _nothing_of_user("Certificates"),
    "ListUsers": Operation(list_users),
    "ListVirtualMFADevices": Operation(list_virtual_mfa_devices, inert={"AssignmentStatus": NONE}),
    "RemoveUserFromGroup": Operation(remove_user_from_group),
    "UpdateGroup": Operation(update_group),
    "UpdateUser": Operation(update_user),
}
