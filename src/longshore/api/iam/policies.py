"""Managed policies: a customer's own, with up to five versions, and AWS's, which nobody changes."""

from collections.abc import Iterator
from itertools import chain

from longshore.api.iam.identities import encoded
from longshore.api.iam.lookup import (
    Answer,
    check_free_policy,
    checked_document,
    checked_tags,
    global_scope,
    listed,
    new_id,
    no_such,
    paged,
    size_of,
    tags_member,
)
from longshore.api.operation import Call, Operation
from longshore.decide.policy.managed import MANAGED, document_of, is_of_aws, policy_name
from longshore.decide.policy.managed.policy import ManagedPolicy
from longshore.domain.iam import Group, Policy, PolicyVersion, Role, User, iam_key_of
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError

SIZE_MOST = 6144
VERSIONS_MOST = 5
MANAGED_SINCE = 1_423_180_800.0
"""When AWS's own policies are said to have been made: 2015-02-06, when managed policies came."""
IDENTITIES = (Role, User, Group)


def create_policy(call: Call) -> Answer:
    """CreatePolicy."""
    params = call.params
    name, path = params["PolicyName"], params.get("Path") or "/"
    document = _checked(params["PolicyDocument"])
    check_free_policy(call, name)
    policy = Policy(
        account=call.scope.account,
        region=global_scope(call).region,
        name=name,
        path=path,
        unique_id=new_id(call, "ANPA"),
        created_at=call.now,
        updated_at=call.now,
        tags=checked_tags(params.get("Tags")),
        description=params.get("Description") or "",
        versions=(PolicyVersion(number=1, document=document, created_at=call.now),),
    )
    call.tx.put(policy)
    return {"Policy": {**_short_view(call, policy), **tags_member(policy.tags)}}


def get_policy(call: Call) -> Answer:
    """GetPolicy."""
    arn = call.params["PolicyArn"]
    managed = MANAGED.get(arn)
    if managed is not None:
        return {"Policy": {**_managed_view(call, managed), "Description": managed.description, "Tags": []}}
    policy = find_policy(call, arn)
    view = {**_short_view(call, policy), "Tags": tags_list(policy.tags, "Key", "Value")}
    return {"Policy": {**view, "Description": policy.description} if policy.description else view}


def list_policies(call: Call) -> Answer:
    """ListPolicies: AWS's, the account's own, or all; without descriptions and tags, as on AWS."""
    params = call.params
    wanted, prefix = params.get("Scope") or "All", params.get("PathPrefix") or "/"
    usage = params.get("PolicyUsageFilter")
    views: Iterator[Answer] = chain(
        (_managed_view(call, each) for each in MANAGED.values() if wanted != "Local"),
        (_short_view(call, each) for each in call.tx.select(Policy, "scope", global_scope(call)) if wanted != "AWS"),
    )
    shown = [view for view in views if view["Path"].startswith(prefix)]
    if params.get("OnlyAttached") or usage == "PermissionsPolicy":
        shown = [view for view in shown if view["AttachmentCount"]]
    if usage == "PermissionsBoundary":
        shown = [view for view in shown if view["PermissionsBoundaryUsageCount"]]
    return listed(call, shown, lambda view: str(view["Arn"]), lambda view: view, "Policies")


def delete_policy(call: Call) -> Answer:
    """DeletePolicy, once nothing has it and its default version is its only one."""
    policy = _own(call, call.params["PolicyArn"])
    if _uses(call, policy.arn, "policy") or _uses(call, policy.arn, "boundary"):
        raise ApiError("DeleteConflict", "Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        text = (
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
        raise ApiError("DeleteConflict", text)
    call.tx.delete(Policy, policy.key)
    return {}


def list_entities_for_policy(call: Call) -> Answer:
    """ListEntitiesForPolicy."""
    params = call.params
    arn, usage = params["PolicyArn"], params.get("PolicyUsageFilter")
    if arn not in MANAGED and not is_of_aws(arn):
        find_policy(call, arn)
    indexes = {"PermissionsPolicy": ("policy",), "PermissionsBoundary": ("boundary",)}
    prefix, only = params.get("PathPrefix") or "/", params.get("EntityFilter")
    found = {
        f"{kind.__name__} {record.name}": record
        for kind in IDENTITIES
        for index in indexes.get(usage or "", ("policy", "boundary"))
        for record in call.tx.select(kind, index, (call.scope.account, arn))
        if record.path.startswith(prefix) and only in {None, kind.__name__}
    }
    shown, more = paged(call, found, str)
    answer: Answer = {f"Policy{kind.__name__}s": [] for kind in IDENTITIES}
    for key in shown:
        noun, name = key.split(" ")
        answer[f"Policy{noun}s"].append({f"{noun}Name": name, f"{noun}Id": found[key].unique_id})
    return {**answer, **more}


# -------------------------------------------------------------------------------------------------------- versions


def create_policy_version(call: Call) -> Answer:
    """CreatePolicyVersion."""
    policy = _own(call, call.params["PolicyArn"])
    document = _checked(call.params["PolicyDocument"])
    if len(policy.versions) >= VERSIONS_MOST:
        text = (
            f"A managed policy can have up to {VERSIONS_MOST} versions. Before you create a new version, you must "
            "delete an existing version."
        )
        raise ApiError("LimitExceeded", text)
    number = policy.last_number + 1
    version = PolicyVersion(number=number, document=document, created_at=call.now)
    policy = policy.but(
        versions=(*policy.versions, version),
        last_number=number,
        default_number=number if call.params.get("SetAsDefault") else policy.default_number,
        updated_at=call.now,
    )
    call.tx.put(policy)
    view = _version_view(policy, version)
    del view["Document"]
    return {"PolicyVersion": view}


def get_policy_version(call: Call) -> Answer:
    """GetPolicyVersion."""
    arn, version_id = call.params["PolicyArn"], call.params["VersionId"]
    managed = MANAGED.get(arn)
    if managed is not None:
        if version_id != "v1":
            raise _no_version(arn, version_id)
        return {"PolicyVersion": _managed_version(managed)}
    policy = find_policy(call, arn)
    return {"PolicyVersion": _version_view(policy, _version(policy, version_id))}


def list_policy_versions(call: Call) -> Answer:
    """ListPolicyVersions, newest first, without documents, as on AWS."""
    arn = call.params["PolicyArn"]
    managed = MANAGED.get(arn)
    if managed is not None:
        views = [_managed_version(managed)]
    else:
        policy = find_policy(call, arn)
        views = [_version_view(policy, version) for version in policy.versions]
    for view in views:
        del view["Document"]
    return listed(call, views, _newest_first, lambda view: view, "Versions")


def own_details(call: Call, policy: Policy) -> Answer:
    """A customer's policy with its description and all its versions, newest first."""
    versions = sorted((_version_view(policy, version) for version in policy.versions), key=_newest_first)
    described = {"Description": policy.description} if policy.description else {}
    return {**_short_view(call, policy), **described, "PolicyVersionList": versions}


def managed_details(call: Call, policy: ManagedPolicy) -> Answer:
    """The same of one that AWS manages."""
    versions = [_managed_version(policy)]
    return {**_managed_view(call, policy), "Description": policy.description, "PolicyVersionList": versions}


def _newest_first(view: Answer) -> str:
    return f"{10**9 - int(view['VersionId'].removeprefix('v')):010}"


def set_default_policy_version(call: Call) -> Answer:
    """SetDefaultPolicyVersion."""
    policy = _own(call, call.params["PolicyArn"])
    version = _version(policy, call.params["VersionId"])
    call.tx.put(policy.but(default_number=version.number, updated_at=call.now))
    return {}


def delete_policy_version(call: Call) -> Answer:
    """DeletePolicyVersion: any but the default one."""
    policy = _own(call, call.params["PolicyArn"])
    version = _version(policy, call.params["VersionId"])
    if version.number == policy.default_number:
        raise ApiError("DeleteConflict", "Cannot delete the default version of a policy.")
    call.tx.put(policy.but(versions=tuple(each for each in policy.versions if each is not version)))
    return {}


# ---------------------------------------------------------------------------------------------------------- finding


def find_policy(call: Call, arn: str) -> Policy:
    """A customer's policy. Raises NoSuchEntity."""
    key = iam_key_of(arn, "policy")
    policy = call.tx.get(Policy, key) if key else None
    if policy is None or policy.arn != arn or policy.account != call.scope.account:
        if is_of_aws(arn):
            text = (
                f"Policy {arn} was not found: Longshore has no document of it. It can be attached, and grants nothing."
            )
            raise no_such(text)
        if key is None:
            raise ApiError("ValidationError", f"Invalid ARN: {arn[:256]} is not one of a policy.")
        raise no_such(f"Policy {arn} was not found.")
    return policy


def _own(call: Call, arn: str) -> Policy:
    """A policy that the account may change. Raises AccessDenied for AWS's."""
    if is_of_aws(arn):
        raise ApiError("AccessDenied", f"User: {call.principal_arn} cannot change {arn}: AWS manages it.", status=403)
    return find_policy(call, arn)


def _version(policy: Policy, version_id: str) -> PolicyVersion:
    for version in policy.versions:
        if version.version_id == version_id:
            return version
    raise _no_version(policy.arn, version_id)


def _no_version(arn: str, version_id: str) -> ApiError:
    return no_such(f"Policy {arn} version {version_id} does not exist or is not attachable.")


def _checked(document: str) -> str:
    checked_document(document)
    if size_of(document) > SIZE_MOST:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for PolicySize: {SIZE_MOST}")
    return document


def _uses(call: Call, arn: str, index: str) -> int:
    return sum(call.tx.count(kind, index, (call.scope.account, arn)) for kind in IDENTITIES)


# ------------------------------------------------------------------------------------------------------------ views


def _short_view(call: Call, policy: Policy) -> Answer:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.unique_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default.version_id,
        "AttachmentCount": _uses(call, policy.arn, "policy"),
        "PermissionsBoundaryUsageCount": _uses(call, policy.arn, "boundary"),
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }


def _managed_view(call: Call, policy: ManagedPolicy) -> Answer:
    return {
        "PolicyName": policy_name(policy.arn),
        "PolicyId": policy.unique_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": "v1",
        "AttachmentCount": _uses(call, policy.arn, "policy"),
        "PermissionsBoundaryUsageCount": _uses(call, policy.arn, "boundary"),
        "IsAttachable": True,
        "CreateDate": MANAGED_SINCE,
        "UpdateDate": MANAGED_SINCE,
    }


def _version_view(policy: Policy, version: PolicyVersion) -> Answer:
    return {
        "Document": encoded(version.document),
        "VersionId": version.version_id,
        "IsDefaultVersion": version.number == policy.default_number,
        "CreateDate": version.created_at,
    }


def _managed_version(policy: ManagedPolicy) -> Answer:
    return {
        "Document": encoded(document_of(policy)),
        "VersionId": "v1",
        "IsDefaultVersion": True,
        "CreateDate": MANAGED_SINCE,
    }


OPERATIONS: dict[str, Operation] = {
    "CreatePolicy": Operation(create_policy),
    "CreatePolicyVersion": Operation(create_policy_version),
    "DeletePolicy": Operation(delete_policy),
    "DeletePolicyVersion": Operation(delete_policy_version),
    "GetPolicy": Operation(get_policy),
    "GetPolicyVersion": Operation(get_policy_version),
    "ListEntitiesForPolicy": Operation(list_entities_for_policy),
    "ListPolicies": Operation(list_policies),
    "ListPolicyVersions": Operation(list_policy_versions),
    "SetDefaultPolicyVersion": Operation(set_default_policy_version),
}
