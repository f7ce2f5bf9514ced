"""What `tests/unit/test_coverage_truth.py` plays of Secrets Manager, Parameter Store and KMS: each operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.api import Api

TAGS = [{"Key": "k", "Value": "v"}]
POLICY = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}'
TOKENS = ["1" * 32, "2" * 32]


def play_secretsmanager(call: Callable[..., dict[str, Any]], _api: Api) -> None:
    """Each operation of Secrets Manager."""
    asked = {"Description": "d", "Tags": TAGS, "KmsKeyId": "alias/aws/secretsmanager", "ClientRequestToken": TOKENS[0]}
    call("CreateSecret", Name="a", SecretString="x", **asked)
    call("CreateSecret", Name="b", SecretBinary=b"x")
    secret = {"SecretId": "a"}
    call("PutSecretValue", **secret, SecretString="y", ClientRequestToken=TOKENS[1], VersionStages=["AWSCURRENT"])
    call("PutSecretValue", SecretId="b", SecretBinary=b"y")
    call("UpdateSecret", **secret, SecretString="z", **{**asked, "Tags": None, "ClientRequestToken": "3" * 32})
    call("UpdateSecret", SecretId="b", SecretBinary=b"z")
    call("GetSecretValue", **secret, VersionId=TOKENS[1], VersionStage="AWSPREVIOUS")
    filters = [{"Key": "name", "Values": ["a"]}]
    call("BatchGetSecretValue", Filters=filters, MaxResults=1)
    call("BatchGetSecretValue", SecretIdList=["a"])
    call("ListSecrets", Filters=filters, SortBy="name", SortOrder="asc", IncludePlannedDeletion=True, MaxResults=1)
    call("ListSecretVersionIds", **secret, IncludeDeprecated=True, MaxResults=1)
    moved = {"MoveToVersionId": TOKENS[0], "RemoveFromVersionId": "3" * 32}
    call("UpdateSecretVersionStage", **secret, VersionStage="AWSCURRENT", **moved)
    call("DescribeSecret", **secret)
    call("TagResource", **secret, Tags=TAGS)
    call("UntagResource", **secret, TagKeys=["k"])
    rules = {"AutomaticallyAfterDays": 1, "Duration": "2h"}
    call("RotateSecret", **secret, RotationLambdaARN="arn:f", RotationRules=rules)
    call("CancelRotateSecret", **secret)
    call("PutResourcePolicy", **secret, ResourcePolicy=POLICY, BlockPublicPolicy=False)
    call("GetResourcePolicy", **secret)
    call("ValidateResourcePolicy", **secret, ResourcePolicy=POLICY)
    call("DeleteResourcePolicy", **secret)
    call("DeleteSecret", **secret, RecoveryWindowInDays=7)
    call("RestoreSecret", **secret)
    call("DeleteSecret", **secret, ForceDeleteWithoutRecovery=True)
    call("GetRandomPassword")
