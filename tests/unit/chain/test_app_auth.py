"""Hosts, listening addresses and key pairs."""

import base64
import json

import pytest

from longshore.api.callers.auth import ListenRefused, check_listen, is_local
from longshore.api.callers.credentials import TASK_CREDENTIALS_S, Credentials, Principal, TokenRefused

ACCOUNT = "123456789012"
TASK = f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/default/0123456789abcdef0123456789abcdef"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"
KEYS = Credentials(b"k" * 32, ACCOUNT)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:4566",
        "ecs.localhost",
        "ecs.localhost:80",
        "127.0.0.1",
        "169.254.170.2:4566",
        "[::1]",
        "[::1]:4566",
        "host.docker.internal:4566",
        "localhost.localstack.cloud.localhost",
        "data-localhost:4566",
        "data-127.0.0.1:4566",
        "data-169.254.170.2",
    ],
)
def test_own_hosts(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "xlocalhost",
        "127.0.0.1.evil.example",
        "localhost@evil",
        "[",
        "1",
        "data-evil.example",
        "data-data-localhost",
        "evil-data-localhost",
    ],
)
def test_foreign_hosts(host: str) -> None:
    assert not is_local(host)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_may_be_listened_on_without_authentication(address: str) -> None:
    check_listen(address, auth=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.10", "myhost"])  # noqa: S104  refused
def test_other_addresses_need_authentication(address: str) -> None:
    check_listen(address, auth=True)
    with pytest.raises(ListenRefused, match="--auth"):
        check_listen(address, auth=False)


def test_key_pairs_come_from_the_master_key_alone() -> None:
    assert Credentials(b"k" * 32, ACCOUNT).root() == KEYS.root()
    assert Credentials(b"j" * 32, ACCOUNT).root() != KEYS.root()
    pair = KEYS.root()
    assert pair.access_key_id.startswith("AKIA")
    assert (len(pair.access_key_id), len(pair.secret_access_key)) == (20, 40)
    assert KEYS.secret_for(pair.access_key_id) == pair.secret_access_key


def test_master_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Credentials(b"short", ACCOUNT)


def test_unknown_keys_have_no_secret() -> None:
    assert KEYS.secret_for("AKIAAAAAAAAAAAAAAAAA") is None
    assert KEYS.secret_for("") is None


def test_task_credentials_are_good_until_they_expire() -> None:
    made = KEYS.for_task(TASK, ROLE, 1000.0)
    assert KEYS.secret_for(made["AccessKeyId"]) == made["SecretAccessKey"]
    assert made["RoleArn"] == ROLE
    assert made["Expiration"] == "1970-01-01T06:16:40Z"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{TASK.rpartition('/')[2]}"
    expected = Principal(arn, ACCOUNT, source=ROLE, session=True, issued_at=1000.0)
    assert KEYS.principal(made["AccessKeyId"], made["Token"], 1000.0 + TASK_CREDENTIALS_S) == expected
    with pytest.raises(TokenRefused, match="expired"):
        KEYS.principal(made["AccessKeyId"], made["Token"], 1001.0 + TASK_CREDENTIALS_S)


def test_credentials_of_two_moments_are_two_pairs() -> None:
    first, second = (KEYS.for_task(TASK, ROLE, now)["AccessKeyId"] for now in (1000.0, 2000.0))
    assert first != second


@pytest.mark.parametrize("change", ["role", "task", "until", "signature", "key", "cut", "none"])
def test_changed_tokens_are_refused(change: str) -> None:
    made = KEYS.for_task(TASK, ROLE, 1000.0)
    raw = base64.b64decode(made["Token"])
    signature, claims = raw[:32], json.loads(raw[32:])
    key = made["AccessKeyId"]
    if change in claims:
        claims[change] = 9_999_999_999 if change == "until" else claims[change].replace("web", "admin") + "x"
    elif change == "signature":
        signature = bytes(32)
    elif change == "key":
        key = KEYS.for_task(TASK, ROLE, 2000.0)["AccessKeyId"]
    body = json.dumps(claims, separators=(",", ":"), sort_keys=True).encode()
    token = base64.b64encode(signature + body).decode()
    with pytest.raises(TokenRefused, match="invalid"):
        KEYS.principal(key, {"cut": token[:40], "none": None}.get(change, token), 1000.0)
