"""What the house of `house.py` has of Secrets Manager, Parameter Store and KMS, and what their operations take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longshore.domain.secret import Secret, SecretVersion

if TYPE_CHECKING:
    from tests.support.house import House

SERVICES = frozenset({"secretsmanager"})
POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}'
)


async def furnish_secrets(house: House) -> None:
    """A few of each."""
    for name in ("db", "shop/key"):
        await house.ok("secretsmanager", "CreateSecret", Name=name, SecretString='{"user": "me"}')
        await house.ok("secretsmanager", "PutSecretValue", SecretId=name, SecretString="two")


def known_secrets(house: House) -> dict[str, list[str]]:
    """Names of what exists, by the members that take them."""
    secrets = list(house.store.all(Secret))
    versions = [version.version_id for version in house.store.all(SecretVersion)]
    names = [each for secret in secrets for each in (secret.name, secret.arn, secret.arn[:-7])]
    return {
        **dict.fromkeys(("secretid", "secretidlist"), names),
        **dict.fromkeys(("versionid", "movetoversionid", "removefromversionid"), versions),
        "versionstage": ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "BLUE"],
        "versionstages": ["AWSCURRENT", "AWSPENDING", "BLUE"],
    }


def secret_examples(house: House, service: str) -> dict[str, dict[str, Any]]:
    """What an operation takes that hardly takes anything drawn at random."""
    if service == "secretsmanager":
        return _secretsmanager(house)
    return {}


def _secretsmanager(house: House) -> dict[str, dict[str, Any]]:
    names = [secret.name for secret in house.store.all(Secret)]
    secret = {"SecretId": names[house.ids.choice(len(names))] if names else "db"}
    rotation = {"RotationLambdaARN": "arn:f", "RotationRules": {"AutomaticallyAfterDays": 3}}
    tags = [{"Key": "a", "Value": "b"}]
    return {
        "CreateSecret": {"Name": f"new-{house.ids.hex(2)}", "SecretString": "x"},
        "PutSecretValue": {**secret, "SecretString": "x"},
        "UpdateSecret": {**secret, "SecretString": "x"},
        "GetSecretValue": secret,
        "DescribeSecret": secret,
        "DeleteSecret": {**secret, "RecoveryWindowInDays": 7},
        "RotateSecret": {**secret, **rotation},
        "CancelRotateSecret": secret,
        "BatchGetSecretValue": {"SecretIdList": names[:5] or ["db"]},
        "ListSecrets": {"Filters": [{"Key": "name", "Values": ["d"]}]},
        "PutResourcePolicy": {**secret, "ResourcePolicy": POLICY},
        "ValidateResourcePolicy": {"ResourcePolicy": POLICY},
        "TagResource": {**secret, "Tags": tags},
        "UntagResource": {**secret, "TagKeys": ["a"]},
    }
