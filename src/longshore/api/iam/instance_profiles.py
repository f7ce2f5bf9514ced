"""Instance profiles, and the one role that each can have."""

from longshore.api.iam.lookup import (
    PREFIXES,
    Answer,
    check_free,
    checked_tags,
    find,
    find_to_change,
    global_scope,
    listed,
    new_id,
    of_path,
    tags_member,
)
from longshore.api.iam.roles import short_view
from longshore.api.operation import Call, Operation
from longshore.domain.iam import InstanceProfile, Role
from longshore.wire.errors import ApiError


def create_instance_profile(call: Call) -> Answer:
    """CreateInstanceProfile."""
    params = call.params
    check_free(call, InstanceProfile, params["InstanceProfileName"])
    profile = InstanceProfile(
        account=call.scope.account,
        region=global_scope(call).region,
        name=params["InstanceProfileName"],
        path=params.get("Path") or "/",
        unique_id=new_id(call, PREFIXES[InstanceProfile]),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
    )
    call.tx.put(profile)
    return {"InstanceProfile": profile_view(call, profile)}


def get_instance_profile(call: Call) -> Answer:
    """GetInstanceProfile."""
    return {"InstanceProfile": profile_view(call, _found(call))}


def list_instance_profiles(call: Call) -> Answer:
    """ListInstanceProfiles: without tags, as on AWS."""
    found = of_path(call, InstanceProfile)
    return listed(
        call, found, lambda profile: profile.name, lambda each: short_profile_view(call, each), "InstanceProfiles"
    )


def list_instance_profiles_for_role(call: Call) -> Answer:
    """ListInstanceProfilesForRole."""
    role = find(call, Role, call.params["RoleName"])
    found = call.tx.select(InstanceProfile, "role", (role.account, role.name))
    return listed(
        call, found, lambda profile: profile.name, lambda each: short_profile_view(call, each), "InstanceProfiles"
    )


def add_role_to_instance_profile(call: Call) -> Answer:
    """AddRoleToInstanceProfile: one role at most."""
    profile = _found(call)
    role = find_to_change(call, Role, call.params["RoleName"])
    if profile.role:
        raise ApiError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    call.tx.put(profile.but(role=role.name))
    return {}


def remove_role_from_instance_profile(call: Call) -> Answer:
    """RemoveRoleFromInstanceProfile."""
    profile = _found(call)
    role = find(call, Role, call.params["RoleName"])
    if profile.role != role.name:
        text = f"The role with name {role.name} cannot be found in the instance profile {profile.name}."
        raise ApiError("NoSuchEntity", text)
    call.tx.put(profile.but(role=""))
    return {}


def delete_instance_profile(call: Call) -> Answer:
    """DeleteInstanceProfile, once it has no role."""
    profile = _found(call)
    if profile.role:
        raise ApiError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    call.tx.delete(InstanceProfile, profile.key)
    return {}


def _found(call: Call) -> InstanceProfile:
    return find(call, InstanceProfile, call.params["InstanceProfileName"])


def short_profile_view(call: Call, profile: InstanceProfile) -> Answer:
    """An instance profile in lists."""
    role = call.tx.get(Role, (*profile.scope, profile.role)) if profile.role else None
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.unique_id,
        "Arn": profile.arn,
        "CreateDate": profile.created_at,
        "Roles": [short_view(role)] if role else [],
    }


def profile_view(call: Call, profile: InstanceProfile) -> Answer:
    """An instance profile by itself."""
    return {**short_profile_view(call, profile), **tags_member(profile.tags)}


OPERATIONS: dict[str, Operation] = {
    "AddRoleToInstanceProfile": Operation(add_role_to_instance_profile),
    "CreateInstanceProfile": Operation(create_instance_profile),
    "DeleteInstanceProfile": Operation(delete_instance_profile),
    "GetInstanceProfile": Operation(get_instance_profile),
    "ListInstanceProfiles": Operation(list_instance_profiles),
    "ListInstanceProfilesForRole": Operation(list_instance_profiles_for_role),
    "RemoveRoleFromInstanceProfile": Operation(remove_role_from_instance_profile),
}
