"""Which resources an operation of IAM or STS is about."""

from longshore.api.access.asking import ANY, Ask, Need, On, Rule, on
from longshore.domain.iam import AccessKey, Global, Group, InstanceProfile, Policy, Role, User, iam_arn, provider_arn
from longshore.domain.names.zone import GLOBAL

KINDS: dict[str, type[Global]] = {
    "RoleName": Role,
    "UserName": User,
    "GroupName": Group,
    "InstanceProfileName": InstanceProfile,
    "PolicyName": Policy,
}
OF_OWN_USER = frozenset(
    {
        "CreateAccessKey",
        "DeleteAccessKey",
        "DeleteLoginProfile",
        "GetLoginProfile",
        "GetUser",
        "ListAccessKeys",
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "ListSigningCertificates",
        "UpdateAccessKey",
    }
)
"""Operations that are about the caller where they name no user."""
BOUNDED = frozenset(
    {
        "AttachRolePolicy",
        "AttachUserPolicy",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DeleteUserPermissionsBoundary",
        "DeleteUserPolicy",
        "DetachRolePolicy",
        "DetachUserPolicy",
        "GetRole",
        "PutRolePolicy",
        "PutUserPolicy",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    }
)
"""Operations whose `iam:PermissionsBoundary` is that of the role or user; of others it is the one in the request."""
ALL = frozenset(
    {
        "GetAccountAuthorizationDetails",
        "GetAccountPasswordPolicy",
        "GetAccountSummary",
        "ListAccountAliases",
        "ListGroups",
        "ListInstanceProfiles",
        "ListOpenIDConnectProviders",
        "ListPolicies",
        "ListRoles",
        "ListUsers",
    }
)


def iam(ask: Ask) -> On:
    """Any operation of IAM: what it names, and the managed policy in its input as a condition."""
    if ask.operation in ALL:
        return On((ANY,))
    special = _SPECIAL.get(ask.operation)
    if special is not None:
        return special(ask)
    values = {}
    arn = ask.text("PolicyArn")
    boundary = _boundary(ask) if ask.operation in BOUNDED else ask.text("PermissionsBoundary")
    if boundary:
        values["iam:permissionsboundary"] = (boundary,)
    found = [_named(ask, member) for member in ("RoleName", "UserName", "GroupName", "InstanceProfileName")]
    owners = [each for each in found if each]
    if ask.operation in {"AddUserToGroup", "RemoveUserFromGroup"}:
        owners = [_named(ask, "GroupName")]
    if arn and owners:
        values["iam:policyarn"] = (arn,)
        return on(owners, values)
    if arn or ask.text("OpenIDConnectProviderArn"):
        return on([arn or ask.text("OpenIDConnectProviderArn")], values)
    if not owners and ask.operation in OF_OWN_USER:
        owners = [ask.principal_arn]
    more = [Need(f"iam:Tag{_noun(ask)}", each) for each in owners if ask.params.get("Tags") and _creates(ask)]
    return on(owners, values, more)


def _boundary(ask: Ask) -> str:
    """The boundary of the role or user that an operation names; empty where it has none."""
    for member, kind in KINDS.items():
        found = ask.reader.get(kind, (ask.scope.account, GLOBAL, ask.text(member))) if ask.text(member) else None
        if isinstance(found, Role | User):
            return found.boundary_arn
    return ""


def _creates(ask: Ask) -> bool:
    return ask.operation.startswith("Create")


def _noun(ask: Ask) -> str:
    return ask.operation.removeprefix("Create")


def _named(ask: Ask, member: str) -> str:
    """The ARN of what a member names, with the path that it has, or is to have."""
    name = ask.text(member)
    if not name:
        return ""
    kind = KINDS[member]
    known = ask.reader.get(kind, (ask.scope.account, GLOBAL, name))
    path = known.path if known else (ask.text("Path") or "/")
    return iam_arn(ask.scope.account, f"{kind.arn_type}{path}{name}")


def _create_policy(ask: Ask) -> On:
    arn = _named(ask, "PolicyName")
    return on([arn], more=[Need("iam:TagPolicy", arn)] if ask.params.get("Tags") else [])


def _create_provider(ask: Ask) -> On:
    arn = provider_arn(ask.scope.account, ask.text("Url").removeprefix("https://"))
    return on([arn], more=[Need("iam:TagOpenIDConnectProvider", arn)] if ask.params.get("Tags") else [])


def _service_linked(ask: Ask) -> On:
    service = ask.text("AWSServiceName")
    arn = iam_arn(ask.scope.account, f"role/aws-service-role/{service}/*")
    return on([arn], {"iam:awsservicename": (service,)})


def _add_role(ask: Ask) -> On:
    """A role in an instance profile is passed to EC2."""
    passed = Need("iam:PassRole", _named(ask, "RoleName"), values={"iam:passedtoservice": ("ec2.amazonaws.com",)})
    return on([_named(ask, "InstanceProfileName")], more=[passed])


def _of_source(ask: Ask) -> On:
    return on(ask.texts("PolicySourceArn"))


def _last_used(ask: Ask) -> On:
    """A key is a matter of its user; of one that is not there, nobody's."""
    key = ask.reader.get(AccessKey, (ask.scope.account, GLOBAL, ask.text("AccessKeyId")))
    user = ask.reader.get(User, (key.account, key.region, key.user_name)) if key else None
    return on([user.arn] if user else [])


def _deletion(ask: Ask) -> On:
    """`task/aws-service-role/SERVICE/ROLE/ID` names the role."""
    path, slash, _ = ask.text("DeletionTaskId").removeprefix("task/").rpartition("/")
    return on([iam_arn(ask.scope.account, f"role/{path}")] if slash else [])


_SPECIAL: dict[str, Rule] = {
    "AddRoleToInstanceProfile": _add_role,
    "CreateOpenIDConnectProvider": _create_provider,
    "CreatePolicy": _create_policy,
    "CreateServiceLinkedRole": _service_linked,
    "GetAccessKeyLastUsed": _last_used,
    "GetContextKeysForPrincipalPolicy": _of_source,
    "GetServiceLinkedRoleDeletionStatus": _deletion,
    "SimulatePrincipalPolicy": _of_source,
}

FREE = frozenset(
    {
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithSAML"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "GetCallerIdentity"),
        ("sts", "GetSessionToken"),
    }
)
"""What needs no permission of the chain's: everybody may, or the handler itself asks policies (AssumeRole)."""
