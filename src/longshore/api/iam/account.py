"""What an account has of IAM: its alias, what it asks of passwords, and a summary."""

from longshore.api.iam.lookup import Answer, global_scope, listed
from longshore.api.operation import Call, Operation
from longshore.domain.iam import (
    AccountAlias,
    Group,
    IdentityProvider,
    InstanceProfile,
    PasswordPolicy,
    Policy,
    Role,
    User,
)
from longshore.domain.record import Key
from longshore.wire.errors import ApiError

QUOTAS = {
    "AccessKeysPerUserQuota": 2,
    "AssumeRolePolicySizeQuota": 2048,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "GroupPolicySizeQuota": 5120,
    "GroupsPerUserQuota": 10,
    "PolicySizeQuota": 6144,
    "RolePolicySizeQuota": 10240,
    "UserPolicySizeQuota": 2048,
    "VersionsPerPolicyQuota": 5,
}
"""Those that are kept here; others are not said, since they don't hold."""


UNASKED = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
}
"""What a password policy has that says nothing of it."""
PASSWORD_MEMBERS = (*UNASKED, "MaxPasswordAge", "PasswordReusePrevention", "HardExpiry")
NO_PASSWORDS = "Nobody has a password: there is no console to log in to."


def get_account_summary(call: Call) -> Answer:
    """GetAccountSummary."""
    scope = global_scope(call)
    policies = call.tx.select(Policy, "scope", scope)
    counts = {
        "Groups": call.tx.count(Group, "scope", scope),
        "InstanceProfiles": call.tx.count(InstanceProfile, "scope", scope),
        "Policies": len(policies),
        "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
        "Roles": call.tx.count(Role, "scope", scope),
        "Users": call.tx.count(User, "scope", scope),
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "Providers": call.tx.count(IdentityProvider, "scope", scope),
        "ServerCertificates": 0,
        "AccountAccessKeysPresent": 1,
        "AccountMFAEnabled": 0,
    }
    return {"SummaryMap": {**counts, **QUOTAS}}


def create_account_alias(call: Call) -> Answer:
    """CreateAccountAlias, in the place of another one."""
    alias = call.params["AccountAlias"]
    taken = call.tx.select(AccountAlias, "alias", (alias,))
    if any(each.account != call.scope.account for each in taken):
        raise ApiError("EntityAlreadyExists", f"The account alias {alias} already exists.")
    call.tx.put(AccountAlias(account=call.scope.account, region=global_scope(call).region, alias=alias))
    return {}


def delete_account_alias(call: Call) -> Answer:
    """DeleteAccountAlias."""
    found = call.tx.get(AccountAlias, _key(call))
    if found is None or found.alias != call.params["AccountAlias"]:
        raise ApiError("NoSuchEntity", f"The account alias {call.params['AccountAlias']} cannot be found.")
    call.tx.delete(AccountAlias, found.key)
    return {}


def list_account_aliases(call: Call) -> Answer:
    """ListAccountAliases: one at most."""
    found = call.tx.get(AccountAlias, _key(call))
    return listed(call, [found.alias] if found else [], str, str, "AccountAliases")


def update_account_password_policy(call: Call) -> Answer:
    """UpdateAccountPasswordPolicy: what is not given is as at first again, as on AWS."""
    settings = {name: call.params[name] for name in PASSWORD_MEMBERS if call.params.get(name) is not None}
    place = global_scope(call)
    call.tx.put(PasswordPolicy(account=place.account, region=place.region, settings=settings))
    return {}


def get_account_password_policy(call: Call) -> Answer:
    """GetAccountPasswordPolicy."""
    settings = _password_policy(call).settings
    return {"PasswordPolicy": {**UNASKED, "ExpirePasswords": "MaxPasswordAge" in settings, **settings}}


def delete_account_password_policy(call: Call) -> Answer:
    """DeleteAccountPasswordPolicy."""
    call.tx.delete(PasswordPolicy, _password_policy(call).key)
    return {}


def _password_policy(call: Call) -> PasswordPolicy:
    found = call.tx.get(PasswordPolicy, _key(call))
    if found is None:
        text = f"The Password Policy with domain name {call.scope.account} cannot be found."
        raise ApiError("NoSuchEntity", text)
    return found


def _key(call: Call) -> Key:
    return (*global_scope(call),)


OPERATIONS: dict[str, Operation] = {
    "CreateAccountAlias": Operation(create_account_alias),
    "DeleteAccountAlias": Operation(delete_account_alias),
    "DeleteAccountPasswordPolicy": Operation(delete_account_password_policy),
    "GetAccountPasswordPolicy": Operation(get_account_password_policy),
    "GetAccountSummary": Operation(get_account_summary),
    "ListAccountAliases": Operation(list_account_aliases),
    "UpdateAccountPasswordPolicy": Operation(
        update_account_password_policy, inert=dict.fromkeys(PASSWORD_MEMBERS, NO_PASSWORDS)
    ),
}
