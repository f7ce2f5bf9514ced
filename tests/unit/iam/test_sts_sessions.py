"""STS: which sessions are given, what they take besides the role, and what is known of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from longshore.api import iam, sts
from longshore.api.access.access import Asked
from longshore.api.access.asking import Ask
from longshore.api.access.context import of_principal
from longshore.api.callers.auth import Caller, root_of
from longshore.api.callers.credentials import Principal
from longshore.wire.errors import ApiError
from tests.support.api import SCOPE, Api
from tests.support.identities import allow, document

ACCOUNT = SCOPE.account
IAM = f"arn:aws:iam::{ACCOUNT}"
ROLE = f"{IAM}:role/app"
ASKED: dict[str, Any] = {"RoleArn": ROLE, "RoleSessionName": "s"}
TAGGED: dict[str, Any] = {**ASKED, "Tags": [{"Key": "team", "Value": "a"}]}
SOURCED: dict[str, Any] = {**ASKED, "SourceIdentity": "ann"}
ALL = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def made(api: Api, operation: str, **params: Any) -> dict[str, Any]:
    """Call an operation of IAM, whose answers are not STS's."""
    with api.transaction() as tx:
        return api.operations[operation].handler(api.call(tx, params))


def trusting(principal: str, *actions: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def api() -> Api:
    found = Api(iam.OPERATIONS, sts.SERVICE.operations, service="sts")
    found.principal = root_of(ACCOUNT)
    return found


def as_user(api: Api, *actions: str) -> Principal:
    """From now on a user asks, whose policy allows these actions."""
    user = made(api, "CreateUser", UserName="ann")["User"]
    if actions:
        own = document(allow(*actions))
        made(api, "PutUserPolicy", UserName="ann", PolicyName="own", PolicyDocument=own)
    api.principal = Principal(user["Arn"], ACCOUNT, source=user["Arn"], unique_id=user["UserId"])
    return api.principal


@pytest.mark.parametrize(
    ("asked", "action"), [(TAGGED, "sts:TagSession"), (SOURCED, "sts:SetSourceIdentity")], ids=["tags", "identity"]
)
def test_tags_and_source_identities_are_the_trust_policys_to_allow(
    api: Api, asked: dict[str, Any], action: str
) -> None:
    made(api, "CreateRole", RoleName="app", AssumeRolePolicyDocument=trusting(ACCOUNT, "sts:AssumeRole"))
    root = api.principal
    for caller in (root, as_user(api, "sts:*")):
        api.principal = caller
        assert api("AssumeRole", **ASKED)["Credentials"]
        error = api.error("AssumeRole", **asked)
        assert (error.code, error.status) == ("AccessDenied", 403)
        assert f"is not authorized to perform: {action} on resource: {ROLE}" in error.message
    api.principal = root
    made(api, "UpdateAssumeRolePolicy", RoleName="app", PolicyDocument=trusting(ACCOUNT, "sts:AssumeRole", action))
    assert api("AssumeRole", **asked)["Credentials"]


@pytest.mark.parametrize(
    ("asked", "action"), [(TAGGED, "sts:TagSession"), (SOURCED, "sts:SetSourceIdentity")], ids=["tags", "identity"]
)
def test_where_a_role_trusts_the_account_the_callers_policies_allow_each_of_them(
    api: Api, asked: dict[str, Any], action: str
) -> None:
    made(api, "CreateRole", RoleName="app", AssumeRolePolicyDocument=trusting(ACCOUNT, *ALL))
    root = api.principal
    caller = as_user(api, "sts:AssumeRole")
    assert api("AssumeRole", **ASKED)["Credentials"]
    assert f"no identity-based policy allows the {action} action" in api.error("AssumeRole", **asked).message
    api.principal = root
    own = document(allow("sts:AssumeRole", action))
    made(api, "PutUserPolicy", UserName="ann", PolicyName="own", PolicyDocument=own)
    api.principal = caller
    assert api("AssumeRole", **asked)["Credentials"]


def test_who_a_role_names_needs_no_policy_for_tags_and_source_identities(api: Api) -> None:
    root = api.principal
    caller = as_user(api)
    api.principal = root
    made(api, "CreateRole", RoleName="app", AssumeRolePolicyDocument=trusting(caller.arn, *ALL))
    api.principal = caller
    assert api("AssumeRole", **{**TAGGED, **SOURCED})["Credentials"]


def principal_of(api: Api, credentials: dict[str, Any]) -> Principal:
    return api.access.credentials.principal(credentials["AccessKeyId"], credentials["SessionToken"], api.now)


def test_conditions_know_when_a_session_began(api: Api) -> None:
    made(api, "CreateRole", RoleName="app", AssumeRolePolicyDocument=trusting(ACCOUNT, "sts:AssumeRole"))
    began = "2023-11-14T22:13:20Z"
    for operation, asked in (("AssumeRole", ASKED), ("GetSessionToken", {})):
        session = principal_of(api, api(operation, **asked)["Credentials"])
        assert of_principal(session, "X", {})["aws:tokenissuetime"] == (began,), operation
    assert "aws:tokenissuetime" not in of_principal(Principal(ROLE, ACCOUNT, source=f"{IAM}:user/a"), "X", {})
    old = Principal(ROLE, ACCOUNT, source=ROLE, session=True)  # its token is of an older Longshore, that kept no time
    assert "aws:tokenissuetime" not in of_principal(old, "X", {})


def test_no_provider_is_asked_for_the_keys_of_its_tokens(api: Api) -> None:
    of_provider = "e30.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.c2ln"  # of https://id.example.com
    asked = {"RoleArn": ROLE, "RoleSessionName": "s", "WebIdentityToken": of_provider}
    error = api.error("AssumeRoleWithWebIdentity", **asked)
    unknown = "No OpenIDConnect provider found in your account for https://id.example.com"
    assert (error.code, error.message.startswith(unknown)) == ("InvalidIdentityToken", True)
    made(api, "CreateOpenIDConnectProvider", Url="https://id.example.com")
    error = api.error("AssumeRoleWithWebIdentity", **asked)
    known = "Couldn't retrieve verification key from your identity provider https://id.example.com: "
    assert (error.code, error.message.startswith(known)) == ("InvalidIdentityToken", True)


@pytest.mark.parametrize("who", ["user", "root"])
def test_a_session_without_a_role_has_no_iam_and_little_of_sts(api: Api, who: str) -> None:
    if who == "user":
        as_user(api, "*")
    plain = api.principal
    session = principal_of(api, api("GetSessionToken")["Credentials"])

    def refused(principal: Principal, service: str, operation: str) -> tuple[str, str] | None:
        ask = Ask(api.store, SCOPE, service, operation, {}, principal.arn)
        try:
            api.access.check(Asked(Caller(principal, SCOPE.region), ask, "query", api.now))
        except ApiError as error:
            return error.code, error.message
        return None

    code, text = refused(session, "iam", "ListRoles") or ("", "")
    assert (code, text.partition(":")[0]) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    )
    told = refused(session, "sts", "GetAccessKeyInfo")
    assert told == ("AccessDenied", "Cannot call GetAccessKeyInfo with session credentials")
    for service, operation in (("sts", "AssumeRole"), ("sts", "GetCallerIdentity"), ("ecs", "ListClusters")):
        assert refused(session, service, operation) is None
    for service, operation in (("iam", "ListRoles"), ("sts", "GetAccessKeyInfo")):
        assert refused(plain, service, operation) is None
