"""STS: who calls, and whose a key is."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.api import iam, sts
from longshore.api.access.context import user_id
from longshore.api.callers.auth import root_of
from longshore.api.callers.credentials import Principal
from tests.support.api import ME, SCOPE, Api
from tests.support.identities import TASKS

ACCOUNT = SCOPE.account
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"


def session(name: str, role: str = ROLE) -> Principal:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/{name}"
    return Principal(arn, ACCOUNT, source=role, session=True)


@pytest.fixture
def api() -> Api:
    return Api(iam.OPERATIONS, sts.SERVICE.operations, service="sts")


def made(api: Api, operation: str, **params: Any) -> dict[str, Any]:
    with api.transaction() as tx:
        return api.operations[operation].handler(api.call(tx, params))


def test_identity_names_the_caller(api: Api) -> None:
    answer = api("GetCallerIdentity")
    assert (answer["Account"], answer["Arn"]) == (ACCOUNT, ME)
    assert answer["UserId"].startswith("AIDA")


def test_the_root_is_known_by_its_account(api: Api) -> None:
    api.principal = root_of(ACCOUNT)
    assert api("GetCallerIdentity")["UserId"] == ACCOUNT


def test_users_and_roles_are_known_by_their_unique_ids(api: Api) -> None:
    user = made(api, "CreateUser", UserName="me")["User"]
    assert api("GetCallerIdentity")["UserId"] == user["UserId"]
    role = made(api, "CreateRole", RoleName="app", AssumeRolePolicyDocument=TASKS)["Role"]
    api.principal = session("task1")
    assert api("GetCallerIdentity")["UserId"] == f"{role['RoleId']}:task1"


def test_a_role_that_nobody_made_has_one_id_in_all_its_sessions(api: Api) -> None:
    found = []
    for name in ("a", "b"):
        api.principal = session(name)
        found.append(api("GetCallerIdentity")["UserId"])
    assert [each.split(":")[1] for each in found] == ["a", "b"]
    assert found[0].split(":")[0] == found[1].split(":")[0]
    assert (found[0][:4], found[0].index(":")) == ("AROA", 21)


def test_unique_ids_have_the_form_of_their_kind() -> None:
    assert user_id(root_of(ACCOUNT), "") == ACCOUNT
    assert user_id(session("s"), "AROAX") == "AROAX:s"
    assert user_id(Principal(ME, ACCOUNT, source=ME), "AIDAX") == "AIDAX"


def test_the_account_of_a_key_is_told(api: Api) -> None:
    made(api, "CreateUser", UserName="me")
    key = made(api, "CreateAccessKey", UserName="me")["AccessKey"]["AccessKeyId"]
    root = api.access.credentials.root().access_key_id
    assert [api("GetAccessKeyInfo", AccessKeyId=each)["Account"] for each in (key, root)] == [ACCOUNT] * 2
    assert api.error("GetAccessKeyInfo", AccessKeyId="AKIANOBODYS000000000").code == "ValidationError"


def test_nothing_is_encoded_in_refusals(api: Api) -> None:
    assert api.error("DecodeAuthorizationMessage", EncodedMessage="x").code == "InvalidAuthorizationMessageException"
