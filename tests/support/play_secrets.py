"""What `tests/unit/chain/test_coverage_truth.py` plays of Secrets Manager, Parameter Store and KMS: each operation."""

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


def play_kms(call: Callable[..., dict[str, Any]], _api: Api) -> None:
    """Each operation of KMS."""
    tags = [{"TagKey": "k", "TagValue": "v"}]
    asked = {"Description": "d", "Tags": tags, "Policy": POLICY}
    key = {"KeyId": call("CreateKey", **asked)["KeyMetadata"]["KeyId"]}
    _play_managing(call, key, tags)
    _play_encryption(call, key)
    _play_grants(call, key)

    def made(spec: str, usage: str, member: str = "KeySpec") -> dict[str, Any]:
        return {"KeyId": call("CreateKey", **{member: spec}, KeyUsage=usage)["KeyMetadata"]["KeyId"]}

    signer = {**made("RSA_2048", "SIGN_VERIFY", "CustomerMasterKeySpec"), "Message": b"m", "MessageType": "RAW"}
    signer["SigningAlgorithm"] = "RSASSA_PSS_SHA_256"
    call("Verify", **signer, Signature=call("Sign", **signer)["Signature"])
    call("GetPublicKey", KeyId=signer["KeyId"])
    mac = {**made("HMAC_256", "GENERATE_VERIFY_MAC"), "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    call("VerifyMac", **mac, Mac=call("GenerateMac", **mac)["Mac"])
    agreement = made("ECC_NIST_P256", "KEY_AGREEMENT")
    public = call("GetPublicKey", **agreement)["PublicKey"]
    call("DeriveSharedSecret", **agreement, KeyAgreementAlgorithm="ECDH", PublicKey=public)
    call("ScheduleKeyDeletion", **key, PendingWindowInDays=7)
    call("CancelKeyDeletion", **key)


def _play_managing(call: Callable[..., dict[str, Any]], key: dict[str, Any], tags: list[dict[str, str]]) -> None:
    call("DescribeKey", **key)
    call("ListKeys", Limit=1)
    call("UpdateKeyDescription", **key, Description="e")
    call("DisableKey", **key)
    call("EnableKey", **key)
    call("PutKeyPolicy", **key, PolicyName="default", Policy=POLICY)
    call("GetKeyPolicy", **key, PolicyName="default")
    call("ListKeyPolicies", **key)
    call("TagResource", **key, Tags=tags)
    call("ListResourceTags", **key, Limit=1)
    call("UntagResource", **key, TagKeys=["k"])
    alias = {"AliasName": "alias/a", "TargetKeyId": key["KeyId"]}
    call("CreateAlias", **alias)
    call("UpdateAlias", **alias)
    call("ListAliases", **key, Limit=1)
    call("DeleteAlias", AliasName="alias/a")
    call("EnableKeyRotation", **key, RotationPeriodInDays=90)
    call("GetKeyRotationStatus", **key)
    call("RotateKeyOnDemand", **key)
    call("ListKeyRotations", **key, Limit=1, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    call("DisableKeyRotation", **key)


def _play_encryption(call: Callable[..., dict[str, Any]], key: dict[str, Any]) -> None:
    context = {"EncryptionContext": {"a": "b"}}
    whole = {**key, **context, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    blob = call("Encrypt", **whole, Plaintext=b"p")["CiphertextBlob"]
    call("Decrypt", **whole, CiphertextBlob=blob)
    call(
        "ReEncrypt",
        CiphertextBlob=blob,
        SourceKeyId=key["KeyId"],
        SourceEncryptionContext={"a": "b"},
        SourceEncryptionAlgorithm="SYMMETRIC_DEFAULT",
        DestinationKeyId=key["KeyId"],
        DestinationEncryptionContext={"c": "d"},
        DestinationEncryptionAlgorithm="SYMMETRIC_DEFAULT",
    )
    for operation in ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"):
        call(operation, **key, **context, KeySpec="AES_256")
        call(operation, **key, **context, NumberOfBytes=8)
        pair = operation.replace("DataKey", "DataKeyPair")
        call(pair, **key, **context, KeyPairSpec="ECC_NIST_P256")
    call("GenerateRandom", NumberOfBytes=8)


def _play_grants(call: Callable[..., dict[str, Any]], key: dict[str, Any]) -> None:
    principals = {"GranteePrincipal": "arn:g", "RetiringPrincipal": "arn:r"}
    asked = {**key, **principals, "Operations": ["Encrypt"]}
    first = call("CreateGrant", **asked, Name="n", Constraints={"EncryptionContextEquals": {"a": "b"}})
    call("ListGrants", **key, GrantId=first["GrantId"], GranteePrincipal="arn:g", Limit=1)
    call("ListRetirableGrants", RetiringPrincipal="arn:r", Limit=1)
    call("RevokeGrant", **key, GrantId=first["GrantId"])
    call("RetireGrant", GrantToken=call("CreateGrant", **asked)["GrantToken"])
    call("RetireGrant", **key, GrantId=call("CreateGrant", **asked)["GrantId"])


def play_ssm(call: Callable[..., dict[str, Any]], _api: Api) -> None:
    """Each operation of Parameter Store."""
    asked = {
        "Description": "d",
        "Type": "SecureString",
        "KeyId": "alias/aws/ssm",
        "Tier": "Standard",
        "DataType": "text",
    }
    call("PutParameter", Name="/a/b", Value="1", AllowedPattern=".*", Tags=TAGS, Overwrite=False, **asked)
    call("GetParameter", Name="/a/b", WithDecryption=True)
    call("GetParameters", Names=["/a/b"], WithDecryption=True)
    filters = [{"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}]
    whole = {"ParameterFilters": filters, "MaxResults": 1}
    call("GetParametersByPath", Path="/a", Recursive=True, WithDecryption=True, **whole)
    call("DescribeParameters", **whole)
    call("DescribeParameters", Filters=[{"Key": "Name", "Values": ["/a"]}])
    call("GetParameterHistory", Name="/a/b", WithDecryption=True, MaxResults=1)
    call("LabelParameterVersion", Name="/a/b", ParameterVersion=1, Labels=["l"])
    call("UnlabelParameterVersion", Name="/a/b", ParameterVersion=1, Labels=["l"])
    resource = {"ResourceType": "Parameter", "ResourceId": "/a/b"}
    call("AddTagsToResource", **resource, Tags=TAGS)
    call("ListTagsForResource", **resource)
    call("RemoveTagsFromResource", **resource, TagKeys=["k"])
    call("DeleteParameter", Name="/a/b")
    call("DeleteParameters", Names=["/a/b"])
