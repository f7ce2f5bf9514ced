"""Finds keys, makes the account's own ones when they are first named, and encrypts under a key.

Secrets Manager and Parameter Store come here too: what they keep is encrypted under the keys of KMS.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from longshore.api.operation import Call
from longshore.decide.secrets.encryption import KeyRefused, find_key, secret_of, usable
from longshore.domain.record import Scope
from longshore.domain.secrets.ciphertext import NONCE_BYTES, Context, encrypt
from longshore.domain.secrets.encryption_key import SYMMETRIC, EncryptionKey, KeyAlias, KeyMaterial
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
MATERIAL_DIGITS = 64
DAY_S = 86_400.0
PREDEFINED = (
    *("acm", "backup", "cloud9", "codecommit", "dynamodb", "ebs", "ecr", "elasticfilesystem", "es", "fsx", "glue"),
    *("kafka", "kinesis", "kinesisvideo", "lambda", "mq", "rds", "redshift", "s3", "secretsmanager", "sns", "sqs"),
    *("ssm", "workspaces", "xray"),
)
"""AWS services whose alias every account has; the key behind it is made when it is first named."""


@contextmanager
def kms_errors() -> Iterator[None]:
    """KMS's own errors for what a key refuses."""
    try:
        yield
    except KeyRefused as refusal:
        raise ApiError(refusal.code, refusal.text) from refusal


def named_key(call: Call, reference: str) -> EncryptionKey:
    """The key that a name means; an AWS managed one is made. Raises KeyRefused."""
    alias = reference.partition(f":{call.scope.account}:")[2] if reference.startswith("arn:aws:kms:") else reference
    service = alias.removeprefix("alias/aws/")
    predefined = alias == f"alias/aws/{service}" and service in PREDEFINED
    if predefined and call.tx.get(KeyAlias, (*call.scope, alias)) is None:
        _make_managed(call, service)
    return find_key(call.tx, call.scope, reference, call.now)


def find(call: Call, reference: str | None = None) -> EncryptionKey:
    """The key at the call's `KeyId` (or another reference). Raises ApiError."""
    with kms_errors():
        return named_key(call, reference or call.params["KeyId"])


def find_by_id(call: Call) -> EncryptionKey:
    """As `find`, for operations that take no alias."""
    reference: str = call.params["KeyId"]
    if "alias/" in reference:
        code = "InvalidArnException" if reference.startswith("arn:") else "NotFoundException"
        raise ApiError(code, f"Invalid keyId {reference}: this operation takes a key id or a key ARN.")
    return find(call, reference)


def find_own(call: Call) -> EncryptionKey:
    """As `find_by_id`, for operations that leave the keys of AWS's services alone."""
    key = find_by_id(call)
    if key.manager == "AWS":
        text = f"{key.arn} is an AWS managed key, which its service alone manages: use a key of your own."
        raise ApiError("AccessDeniedException", text)
    return key


def find_usable(call: Call, usage: str, reference: str | None = None) -> EncryptionKey:
    """The key, if it is enabled and of this usage. Raises ApiError."""
    key = find(call, reference)
    with kms_errors():
        usable(key)
    if key.usage != usage:
        text = f"{key.arn} key usage is {key.usage} which is not valid for {operation_words(usage)}."
        raise ApiError("InvalidKeyUsageException", text)
    return key


def operation_words(usage: str) -> str:
    """What a usage is for, as the error says it."""
    words = {
        "ENCRYPT_DECRYPT": "encryption and decryption",
        "SIGN_VERIFY": "signing and verifying",
        "GENERATE_VERIFY_MAC": "making and verifying MACs",
        "KEY_AGREEMENT": "key agreement",
    }
    return words[usage]


def encrypt_under(call: Call, key: EncryptionKey, plaintext: bytes, context: Context) -> bytes:
    """A ciphertext under a symmetric key, which has been found usable. Raises KeyRefused."""
    nonce = bytes.fromhex(call.ids.hex(2 * NONCE_BYTES))
    last = len(key.materials) - 1
    secret = secret_of(key, call.vault)
    return encrypt(secret, plaintext, key_id=key.key_id, material=last, context=context, nonce=nonce)


def material_of(call: Call, key: EncryptionKey) -> bytes:
    """The secret of a key that has one material. Raises ApiError."""
    with kms_errors():
        return secret_of(key, call.vault)


def symmetric_key(call: Call, reference: str) -> EncryptionKey:
    """The usable symmetric key that a secret or parameter is to be encrypted under. Raises KeyRefused."""
    key = usable(named_key(call, reference))
    if key.spec != SYMMETRIC:
        raise KeyRefused("InvalidKeyUsageException", f"{key.arn} is no symmetric key for encryption.")
    return key


def new_material(call: Call, secret: bytes, rotation: str = "") -> KeyMaterial:
    """A material, sealed."""
    return KeyMaterial(
        material_id=call.ids.hex(MATERIAL_DIGITS),
        sealed=call.vault.seal(secret),
        created_at=call.now,
        rotation=rotation,  # type: ignore[arg-type]  # one of the three
    )


def random_bytes(call: Call, count: int) -> bytes:
    """Chance."""
    return bytes.fromhex(call.ids.hex(2 * count))


def default_policy(scope: Scope) -> str:
    """What a key has that was made without a policy: the account may do everything."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{scope.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}, indent=2)


def _make_managed(call: Call, service: str) -> None:
    alias = f"alias/aws/{service}"
    key = EncryptionKey(
        account=call.scope.account,
        region=call.scope.region,
        key_id=call.ids.uuid(),
        description=f"Default key that protects my {service} data when no other key is defined",
        created_at=call.now,
        policy=_managed_policy(call.scope, service),
        manager="AWS",
        materials=(new_material(call, random_bytes(call, 32)),),
        rotates=True,
        rotation_since=call.now,
    )
    call.tx.put(key)
    call.tx.put(
        KeyAlias(
            account=call.scope.account,
            region=call.scope.region,
            name=alias,
            key_id=key.key_id,
            created_at=call.now,
            updated_at=call.now,
        )
    )


def _managed_policy(scope: Scope, service: str) -> str:
    statement = {
        "Sid": f"Allow access through {service} for all principals in the account that may use it",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:CallerAccount": scope.account,
                "kms:ViaService": f"{service}.{scope.region}.amazonaws.com",
            }
        },
    }
    return json.dumps({"Version": "2012-10-17", "Id": f"auto-{service}-1", "Statement": [statement]}, indent=2)
