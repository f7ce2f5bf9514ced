"""What the house of `house.py` has of Secrets Manager, Parameter Store and KMS, and what their operations take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longshore.domain.secrets.encryption_key import EncryptionKey, KeyAlias, KeyGrant
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.domain.secrets.secret import Secret, SecretVersion

if TYPE_CHECKING:
    from tests.support.house import House

SERVICES = frozenset({"kms", "secretsmanager", "ssm"})
POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}'
)
USAGES = {"ECC_NIST_P256": "SIGN_VERIFY", "HMAC_256": "GENERATE_VERIFY_MAC", "ECC_NIST_P384": "KEY_AGREEMENT"}


async def furnish_secrets(house: House) -> None:
    """A few of each."""
    made = await house.ok("kms", "CreateKey", Description="one")
    key = {"KeyId": made["KeyMetadata"]["KeyId"]}
    await house.ok("kms", "CreateAlias", AliasName="alias/one", TargetKeyId=key["KeyId"])
    await house.ok(
        "kms", "CreateGrant", **key, GranteePrincipal="arn:g", RetiringPrincipal="arn:r", Operations=["Encrypt"]
    )
    for spec, usage in USAGES.items():
        await house.ok("kms", "CreateKey", KeySpec=spec, KeyUsage=usage)
    for name, kind in (("/app/a", "String"), ("/app/b/c", "SecureString"), ("plain", "StringList")):
        for value in ("a,b", "c"):
            await house.ok("ssm", "PutParameter", Name=name, Type=kind, Value=value, Overwrite=value == "c")
    await house.ok("ssm", "LabelParameterVersion", Name="/app/a", Labels=["blue"])
    for name in ("db", "shop/key"):
        await house.ok("secretsmanager", "CreateSecret", Name=name, SecretString='{"user": "me"}')
        await house.ok("secretsmanager", "PutSecretValue", SecretId=name, SecretString="two")


def known_secrets(house: House) -> dict[str, list[str]]:
    """Names of what exists, by the members that take them."""
    secrets = list(house.store.all(Secret))
    versions = [version.version_id for version in house.store.all(SecretVersion)]
    keys = [each for key in house.store.all(EncryptionKey) for each in (key.key_id, key.arn)]
    aliases = [each for alias in house.store.all(KeyAlias) for each in (alias.name, alias.arn)]
    key_names = [*keys, *keys, *aliases]
    names = [each for secret in secrets for each in (secret.name, secret.arn, secret.arn[:-7])]
    return {
        **dict.fromkeys(("secretid", "secretidlist"), names),
        **dict.fromkeys(("versionid", "movetoversionid", "removefromversionid"), versions),
        **dict.fromkeys(("keyid", "destinationkeyid", "sourcekeyid", "kmskeyid"), key_names),
        "targetkeyid": keys,
        "aliasname": ["alias/one", "alias/two", "alias/aws/ssm"],
        "grantid": [grant.grant_id for grant in house.store.all(KeyGrant)],
        "granttoken": [grant.token for grant in house.store.all(KeyGrant)],
        "retiringprincipal": ["arn:r"],
        "keyspec": ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256", "AES_256"],
        "customermasterkeyspec": ["SYMMETRIC_DEFAULT", "ECC_NIST_P256"],
        "keypairspec": ["ECC_NIST_P256"],
        "versionstage": ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "BLUE"],
        "versionstages": ["AWSCURRENT", "AWSPENDING", "BLUE"],
    }


def secret_examples(house: House, service: str) -> dict[str, dict[str, Any]]:
    """What an operation takes that hardly takes anything drawn at random."""
    if service == "secretsmanager":
        return _secretsmanager(house)
    return _kms(house) if service == "kms" else _ssm(house)


def _ssm(house: House) -> dict[str, dict[str, Any]]:
    names = [parameter.name for parameter in house.store.all(Parameter)] or ["plain"]
    name = names[house.ids.choice(len(names))]
    resource = {"ResourceType": "Parameter", "ResourceId": name}
    versions = [version.version for version in house.store.all(ParameterVersion) if version.parameter_name == name]
    labelled = {"Name": name, "ParameterVersion": max(versions, default=1), "Labels": ["blue", "green"]}
    wanted = [
        *names,
        "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
        "/aws/reference/secretsmanager/db",
    ]
    return {
        "PutParameter": {"Name": f"/new/{house.ids.hex(1)}", "Value": "v", "Type": "SecureString", "Overwrite": True},
        "GetParameter": {"Name": wanted[house.ids.choice(len(wanted))], "WithDecryption": True},
        "GetParameters": {"Names": wanted[:10], "WithDecryption": True},
        "GetParametersByPath": {"Path": ("/", "/app", "/aws/service")[house.ids.choice(3)], "Recursive": True},
        "GetParameterHistory": {"Name": name},
        "DescribeParameters": {"ParameterFilters": [{"Key": "Name", "Option": "Contains", "Values": ["a"]}]},
        "DeleteParameter": {"Name": name},
        "LabelParameterVersion": labelled,
        "UnlabelParameterVersion": labelled,
        "AddTagsToResource": {**resource, "Tags": [{"Key": "a", "Value": "b"}]},
        "RemoveTagsFromResource": {**resource, "TagKeys": ["a"]},
        "ListTagsForResource": resource,
    }


def _kms(house: House) -> dict[str, dict[str, Any]]:
    keys = {key.spec: {"KeyId": key.arn} for key in house.store.all(EncryptionKey) if key.manager == "CUSTOMER"}
    own = keys.get("SYMMETRIC_DEFAULT", {})
    signing = {
        **keys.get("ECC_NIST_P256", {}),
        "Message": b"m",
        "MessageType": "RAW",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    mac = {**keys.get("HMAC_256", {}), "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    pair, data_key = {**own, "KeyPairSpec": "ECC_NIST_P256"}, {**own, "NumberOfBytes": 9}
    grants = [grant.grant_id for grant in house.store.all(KeyGrant)]
    return {
        **dict.fromkeys(("DisableKey", "EnableKey", "EnableKeyRotation", "DisableKeyRotation"), own),
        **dict.fromkeys(("RotateKeyOnDemand", "GetKeyRotationStatus", "ListKeyRotations", "ListGrants"), own),
        **dict.fromkeys(("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"), pair),
        **dict.fromkeys(("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"), data_key),
        "CreateKey": {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Policy": POLICY},
        "Encrypt": {**own, "Plaintext": b"p", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "Decrypt": {**own, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "PutKeyPolicy": {**own, "PolicyName": "default", "Policy": POLICY},
        "GetKeyPolicy": {**own, "PolicyName": "default"},
        "Sign": signing,
        "Verify": signing,
        "GenerateMac": mac,
        "VerifyMac": mac,
        "GetPublicKey": keys.get("ECC_NIST_P256", {}),
        "DeriveSharedSecret": keys.get("ECC_NIST_P384", {}),
        "CreateGrant": {**own, "GranteePrincipal": "arn:g", "Operations": ["Encrypt"]},
        "RevokeGrant": {**own, "GrantId": grants[0] if grants else "x"},
        "ScheduleKeyDeletion": {**own, "PendingWindowInDays": 7},
        "GenerateRandom": {"NumberOfBytes": 9},
        "CreateAlias": {"AliasName": f"alias/{house.ids.hex(2)}", "TargetKeyId": own.get("KeyId", "x")},
    }


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
