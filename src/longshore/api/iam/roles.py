"""Roles: made, described, changed and deleted; and what ECS's own linked roles are made with."""

from longshore.api.iam.identities import check_bare, encoded
from longshore.api.iam.lookup import (
    PREFIXES,
    Answer,
    attachable,
    boundary_member,
    check_free,
    checked_document,
    checked_tags,
    find,
    find_to_change,
    global_scope,
    listed,
    new_id,
    of_path,
    size_of,
    tags_member,
)
from longshore.api.operation import Call, Operation
from longshore.decide.policy.document import parse
from longshore.domain.arn import Arn
from longshore.domain.iam import InstanceProfile, Role, User
from longshore.domain.names.zone import GLOBAL
from longshore.wire.errors import ApiError

TRUST_MOST = 2048
SESSION_S = range(3600, 43201)
SERVICE_PATH = "/aws-service-role/"


def create_role(call: Call) -> Answer:
    """CreateRole."""
    params = call.params
    name = params["RoleName"]
    if (params.get("Path") or "/").startswith(SERVICE_PATH):
        text = "The specified path is reserved for service-linked roles: use CreateServiceLinkedRole."
        raise ApiError("ValidationError", text)
    trust = _checked_trust(call, params["AssumeRolePolicyDocument"])
    check_free(call, Role, name)
    boundary = params.get("PermissionsBoundary") or ""
    if boundary:
        attachable(call, boundary)
    role = Role(
        account=call.scope.account,
        region=global_scope(call).region,
        name=name,
        path=params.get("Path") or "/",
        unique_id=new_id(call, PREFIXES[Role]),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
        trust=trust,
        description=params.get("Description") or "",
        max_session_s=params.get("MaxSessionDuration") or SESSION_S.start,
        boundary_arn=boundary,
    )
    call.tx.put(role)
    return {"Role": role_view(role)}


def get_role(call: Call) -> Answer:
    """GetRole."""
    return {"Role": {**role_view(find(call, Role, call.params["RoleName"])), "RoleLastUsed": {}}}


def list_roles(call: Call) -> Answer:
    """ListRoles: without tags and boundaries, as on AWS."""
    return listed(call, of_path(call, Role), lambda role: role.name, short_view, "Roles")


def update_role(call: Call) -> Answer:
    """UpdateRole. What is not given is as a new role has it, as on AWS. Of a service-linked role, its description."""
    described_only = not call.params.get("MaxSessionDuration")
    role = (find if described_only else find_to_change)(call, Role, call.params["RoleName"])
    changed = role.but(
        description=call.params.get("Description", role.description),
        max_session_s=call.params.get("MaxSessionDuration") or SESSION_S.start,
    )
    call.tx.put(changed)
    return {}


def update_role_description(call: Call) -> Answer:
    """UpdateRoleDescription."""
    role = find(call, Role, call.params["RoleName"]).but(description=call.params["Description"])
    call.tx.put(role)
    return {"Role": role_view(role)}


def update_assume_role_policy(call: Call) -> Answer:
    """UpdateAssumeRolePolicy."""
    role = find_to_change(call, Role, call.params["RoleName"])
    call.tx.put(role.but(trust=_checked_trust(call, call.params["PolicyDocument"])))
    return {}


def delete_role(call: Call) -> Answer:
    """DeleteRole, once it has no policies and no instance profile."""
    role = find_to_change(call, Role, call.params["RoleName"])
    if call.tx.count(InstanceProfile, "role", (role.account, role.name)):
        raise ApiError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    check_bare(role)
    call.tx.delete(Role, role.key)
    return {}


def _checked_trust(call: Call, text: str) -> str:
    """A trust policy that IAM takes. Whom it names must be there, where roles must exist (see `api/access`)."""
    checked_document(text, "trust")
    if size_of(text) > TRUST_MOST:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_MOST}")
    if call.access.enforce:
        for statement in parse(text, "trust").statements:
            for kind, name in statement.principals.pairs if statement.principals else ():
                if kind == "AWS" and not _is_there(call, name):
                    raise ApiError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')
    return text


def _is_there(call: Call, name: str) -> bool:
    """Whether a principal is everybody, an account, or a role, user or session of a role that exists."""
    arn = Arn.parse(name)
    if arn is None:
        known = (each for kind in (Role, User) for each in call.tx.select(kind, "scope", global_scope(call)))
        return name == "*" or name.isdecimal() or any(each.unique_id == name for each in known)
    kind, _, path = arn.resource.partition("/")
    match arn.service, kind:
        case "iam", "root":
            return True
        case "sts", "assumed-role":
            return call.tx.get(Role, (arn.scope.account, GLOBAL, path.partition("/")[0])) is not None
        case "iam", "role" | "user":
            key = (arn.scope.account, GLOBAL, path.rpartition("/")[2])
            found = call.tx.get(Role, key) if kind == "role" else call.tx.get(User, key)
            return found is not None and found.arn == name
    return arn.service == "sts"


def short_view(role: Role) -> Answer:
    """A role in lists and in instance profiles."""
    view: Answer = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.unique_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(role.trust),
        "MaxSessionDuration": role.max_session_s,
    }
    return {**view, "Description": role.description} if role.description else view


def role_view(role: Role) -> Answer:
    """A role by itself."""
    return {**short_view(role), **boundary_member(role), **tags_member(role.tags)}


OPERATIONS: dict[str, Operation] = {
    "CreateRole": Operation(create_role),
    "DeleteRole": Operation(delete_role),
    "GetRole": Operation(get_role),
    "ListRoles": Operation(list_roles),
    "UpdateAssumeRolePolicy": Operation(update_assume_role_policy),
    "UpdateRole": Operation(update_role),
    "UpdateRoleDescription": Operation(update_role_description),
}
