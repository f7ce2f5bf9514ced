"""GetCallerIdentity, for each kind of caller."""

import pytest

from longshore.api import sts
from longshore.api.sts.identity import user_id
from tests.support.api import ME, Api

ACCOUNT = "123456789012"


def test_identity_names_the_caller() -> None:
    answer = Api(sts.SERVICE.operations, service="sts")("GetCallerIdentity")
    assert answer["Account"] == ACCOUNT
    assert answer["Arn"] == ME
    assert answer["UserId"].startswith("AIDA")


@pytest.mark.parametrize(
    ("arn", "shown"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", lambda text: text == ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/task1", lambda text: text[:4] == "AROA" and text[21:] == ":task1"),
        (f"arn:aws:iam::{ACCOUNT}:user/deep/me", lambda text: text[:4] == "AIDA" and len(text) == 21),
    ],
)
def test_unique_ids_have_the_form_of_their_kind(arn: str, shown: object) -> None:
    assert callable(shown)
    assert shown(user_id(arn, ACCOUNT))
    assert user_id(arn, ACCOUNT) == user_id(arn, ACCOUNT)


def test_two_sessions_of_a_role_share_its_id() -> None:
    one, two = (user_id(f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{name}", ACCOUNT) for name in ("a", "b"))
    assert one.split(":")[0] == two.split(":")[0]
