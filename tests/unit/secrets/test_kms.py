"""KMS: keys and their states, aliases, encryption, data keys, signatures, MACs, rotation, grants, policies."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from longshore.api.kms import SERVICE
from longshore.api.kms.specs import RSA_SIGNING, SPECS
from longshore.domain.iam import Role
from longshore.domain.secrets.encryption_key import EncryptionKey
from tests.support.api import ROOT, SCOPE, Api

ARN = "arn:aws:kms:us-east-1:123456789012:"
NO_KEY = "11111111-2222-4333-8444-555555555555"
CONTEXT = {"tenant": "one", "purpose": "test"}
DAY_S = 86_400.0


@pytest.fixture
def api() -> Api:
    made = Api(SERVICE.operations, service="kms")
    made.principal = ROOT
    return made


def create(api: Api, **asked: Any) -> str:
    """A new key's id."""
    return str(api("CreateKey", **asked)["KeyMetadata"]["KeyId"])


def state(api: Api, key: str) -> str:
    return str(api("DescribeKey", KeyId=key)["KeyMetadata"]["KeyState"])


# ---------------------------------------------------------------------------------------------------- keys and states


def test_a_key_is_made_described_and_listed(api: Api) -> None:
    made = api("CreateKey", Description="d", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    assert made["Arn"] == f"{ARN}key/{made['KeyId']}"
    shown = api("DescribeKey", KeyId=made["Arn"])["KeyMetadata"]
    assert shown == made
    assert {name: shown[name] for name in ("Description", "Enabled", "KeyState", "KeyUsage", "KeySpec", "Origin")} == {
        "Description": "d",
        "Enabled": True,
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
    }
    assert (shown["KeyManager"], shown["EncryptionAlgorithms"]) == ("CUSTOMER", ["SYMMETRIC_DEFAULT"])
    assert api("ListKeys") == {"Keys": [{"KeyId": made["KeyId"], "KeyArn": made["Arn"]}], "Truncated": False}
    policy = json.loads(api("GetKeyPolicy", KeyId=made["KeyId"])["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    api("UpdateKeyDescription", KeyId=made["KeyId"], Description="e")
    assert api("DescribeKey", KeyId=made["KeyId"])["KeyMetadata"]["Description"] == "e"


def test_lists_page(api: Api) -> None:
    made = {create(api) for _ in range(3)}
    first = api("ListKeys", Limit=2)
    second = api("ListKeys", Limit=2, Marker=first["NextMarker"])
    assert (first["Truncated"], second["Truncated"]) == (True, False)
    assert {key["KeyId"] for page in (first, second) for key in page["Keys"]} == made
    assert api.error("ListKeys", Marker="x").code == "InvalidMarkerException"


@pytest.mark.parametrize(
    ("reference", "code", "text"),
    [
        (NO_KEY, "NotFoundException", f"Key '{ARN}key/{NO_KEY}' does not exist"),
        (f"{ARN}key/{NO_KEY}", "NotFoundException", "does not exist"),
        ("alias/none", "NotFoundException", f"Alias {ARN}alias/none is not found."),
        (f"{ARN}alias/none", "NotFoundException", "is not found"),
        (ARN.replace("us-east-1", "us-east-2") + f"key/{NO_KEY}", "NotFoundException", "Invalid arn us-east-2"),
        (ARN.replace("123456789012", "210987654321") + f"key/{NO_KEY}", "AccessDeniedException", "another account"),
        ("arn:aws:s3:::x", "InvalidArnException", "Invalid arn"),
    ],
)
def test_what_names_no_key_is_said(api: Api, reference: str, code: str, text: str) -> None:
    for operation, asked in (("DescribeKey", {}), ("Encrypt", {"Plaintext": b"p"})):
        error = api.error(operation, KeyId=reference, **asked)
        assert error.code == code
        assert text in error.message


def test_a_key_that_is_off_does_nothing_until_it_is_on_again(api: Api) -> None:
    key = create(api)
    blob = api("Encrypt", KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    api("DisableKey", KeyId=key)
    assert state(api, key) == "Disabled"
    for operation, asked in (
        ("Encrypt", {"KeyId": key, "Plaintext": b"p"}),
        ("Decrypt", {"CiphertextBlob": blob}),
        ("GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"}),
        ("EnableKeyRotation", {"KeyId": key}),
        ("CreateGrant", {"KeyId": key, "GranteePrincipal": "arn:g", "Operations": ["Encrypt"]}),
    ):
        error = api.error(operation, **asked)
        assert (error.code, error.message) == ("DisabledException", f"{ARN}key/{key} is disabled."), operation
    api("EnableKey", KeyId=key)
    assert api("Decrypt", CiphertextBlob=blob)["Plaintext"] == b"p"


def test_a_key_that_is_to_be_deleted_does_nothing_until_that_is_cancelled(api: Api) -> None:
    key = create(api)
    blob = api("Encrypt", KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    answer = api("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert (answer["KeyId"], answer["KeyState"]) == (f"{ARN}key/{key}", "PendingDeletion")
    assert answer["DeletionDate"] == api.now + 7 * DAY_S
    for operation, asked in (
        ("Encrypt", {"KeyId": key, "Plaintext": b"p"}),
        ("Decrypt", {"CiphertextBlob": blob}),
        ("EnableKey", {"KeyId": key}),
        ("DisableKey", {"KeyId": key}),
        ("UpdateKeyDescription", {"KeyId": key, "Description": "x"}),
        ("TagResource", {"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("EnableKeyRotation", {"KeyId": key}),
        ("CreateAlias", {"AliasName": "alias/a", "TargetKeyId": key}),
        ("ScheduleKeyDeletion", {"KeyId": key}),
    ):
        error = api.error(operation, **asked)
        assert error.code == "KMSInvalidStateException", operation
        assert error.message == f"{ARN}key/{key} is pending deletion."
    assert api("CancelKeyDeletion", KeyId=key)["KeyId"] == f"{ARN}key/{key}"
    assert state(api, key) == "Disabled"
    assert api.error("CancelKeyDeletion", KeyId=key).code == "KMSInvalidStateException"
    api("EnableKey", KeyId=key)
    assert api("Decrypt", CiphertextBlob=blob)["Plaintext"] == b"p"
    api("ScheduleKeyDeletion", KeyId=key)
    api.now += 30 * DAY_S
    assert api.error("DescribeKey", KeyId=key).code == "NotFoundException"
    assert api.error("Decrypt", CiphertextBlob=blob).code == "AccessDeniedException"
    assert api("ListKeys")["Keys"] == []


@pytest.mark.parametrize("days", [0, 6, 31])
def test_a_waiting_period_is_a_week_to_thirty_days(api: Api, days: int) -> None:
    assert api.error("ScheduleKeyDeletion", KeyId=create(api), PendingWindowInDays=days).code == "ValidationException"


@pytest.mark.parametrize(
    "asked",
    [
        {"KeySpec": "RSA_2048"},
        {"KeySpec": "HMAC_256", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "RSA_2048", "CustomerMasterKeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
    ],
)
def test_a_usage_fits_its_spec(api: Api, asked: dict[str, Any]) -> None:
    assert api.error("CreateKey", **asked).code == "ValidationException"


@pytest.mark.parametrize("spec", ["SM2", "ML_DSA_44", "ML_KEM_512"])
def test_a_spec_that_is_not_served_is_refused(api: Api, spec: str) -> None:
    assert api.error("CreateKey", KeySpec=spec, KeyUsage="SIGN_VERIFY").code == "UnsupportedOperationException"
    refused = api.error("GenerateDataKeyPair", KeyId=create(api), KeyPairSpec=spec)
    assert refused.code == "UnsupportedOperationException"


# ------------------------------------------------------------------------------------------------------------ aliases


def test_an_alias_names_a_key_and_may_name_another(api: Api) -> None:
    first, second = create(api), create(api)
    api("CreateAlias", AliasName="alias/a/b", TargetKeyId=first)
    for reference in ("alias/a/b", f"{ARN}alias/a/b"):
        assert api("DescribeKey", KeyId=reference)["KeyMetadata"]["KeyId"] == first
    blob = api("Encrypt", KeyId="alias/a/b", Plaintext=b"p")["CiphertextBlob"]
    api("UpdateAlias", AliasName="alias/a/b", TargetKeyId=f"{ARN}key/{second}")
    assert api("DescribeKey", KeyId="alias/a/b")["KeyMetadata"]["KeyId"] == second
    assert api("Decrypt", CiphertextBlob=blob)["KeyId"] == f"{ARN}key/{first}"
    [shown] = api("ListAliases", KeyId=second)["Aliases"]
    assert (shown["AliasName"], shown["AliasArn"], shown["TargetKeyId"]) == ("alias/a/b", f"{ARN}alias/a/b", second)
    api("DeleteAlias", AliasName="alias/a/b")
    assert api.error("DescribeKey", KeyId="alias/a/b").code == "NotFoundException"
    assert api("ListAliases", KeyId=second)["Aliases"] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a", "ValidationException"),
        ("alias/aws/mine", "NotAuthorizedException"),
        ("alias/a:b", "InvalidAliasNameException"),
        ("alias/", "InvalidAliasNameException"),
    ],
)
def test_names_that_are_no_aliases(api: Api, name: str, code: str) -> None:
    assert api.error("CreateAlias", AliasName=name, TargetKeyId=create(api)).code == code


def test_what_an_alias_can_not_name(api: Api) -> None:
    key = create(api)
    api("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    error = api.error("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    assert error.message == f"An alias with the name {ARN}alias/a already exists"
    assert api.error("CreateAlias", AliasName="alias/b", TargetKeyId="alias/a").code == "ValidationException"
    assert api.error("CreateAlias", AliasName="alias/b", TargetKeyId=NO_KEY).code == "NotFoundException"
    mac = create(api, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    assert api.error("UpdateAlias", AliasName="alias/a", TargetKeyId=mac).code == "ValidationException"
    assert api.error("UpdateAlias", AliasName="alias/b", TargetKeyId=key).code == "NotFoundException"
    assert api.error("DeleteAlias", AliasName="alias/b").code == "NotFoundException"


def test_a_service_s_alias_has_a_key_once_it_is_named(api: Api) -> None:
    listed = {a["AliasName"]: a for a in api("ListAliases", Limit=100)["Aliases"]}
    assert "TargetKeyId" not in listed["alias/aws/ssm"]
    key = api("DescribeKey", KeyId="alias/aws/ssm")["KeyMetadata"]
    assert (key["KeyManager"], key["KeyState"]) == ("AWS", "Enabled")
    assert api("DescribeKey", KeyId=f"{ARN}alias/aws/ssm")["KeyMetadata"]["KeyId"] == key["KeyId"]
    listed = {a["AliasName"]: a for a in api("ListAliases", Limit=100)["Aliases"]}
    assert listed["alias/aws/ssm"]["TargetKeyId"] == key["KeyId"]
    assert api.error("DescribeKey", KeyId="alias/aws/none").code == "NotFoundException"
    for operation in ("DisableKey", "EnableKey", "ScheduleKeyDeletion", "DisableKeyRotation"):
        assert api.error(operation, KeyId=key["KeyId"]).code == "AccessDeniedException"
    assert api.error("DisableKey", KeyId="alias/aws/ssm").code == "NotFoundException"


# --------------------------------------------------------------------------------------------------------- encryption


def test_what_is_encrypted_is_read_again_with_its_context_and_with_no_other(api: Api) -> None:
    key = create(api)
    made = api("Encrypt", KeyId=key, Plaintext=b"plain", EncryptionContext=CONTEXT)
    assert (made["KeyId"], made["EncryptionAlgorithm"]) == (f"{ARN}key/{key}", "SYMMETRIC_DEFAULT")
    blob = made["CiphertextBlob"]
    assert b"plain" not in blob
    turned = dict(reversed(list(CONTEXT.items())))
    read = api("Decrypt", CiphertextBlob=blob, EncryptionContext=turned)
    assert (read["Plaintext"], read["KeyId"]) == (b"plain", f"{ARN}key/{key}")
    wrong: tuple[dict[str, str], ...] = ({}, {"tenant": "one"}, {**CONTEXT, "more": ""}, {**CONTEXT, "tenant": "two"})
    for context in wrong:
        error = api.error("Decrypt", CiphertextBlob=blob, EncryptionContext=context)
        assert error.code == "InvalidCiphertextException"
    assert api("Encrypt", KeyId=key, Plaintext=b"plain", EncryptionContext=CONTEXT)["CiphertextBlob"] != blob


@pytest.mark.parametrize("blob", [b"x", b"\x01" * 46, b"\x00" * 60])
def test_what_is_no_ciphertext_is_not_read(api: Api, blob: bytes) -> None:
    assert api.error("Decrypt", CiphertextBlob=blob).code == "InvalidCiphertextException"


def test_each_byte_of_a_ciphertext_counts(api: Api) -> None:
    blob = api("Encrypt", KeyId=create(api), Plaintext=b"plain")["CiphertextBlob"]
    for at in range(len(blob)):
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        assert api.error("Decrypt", CiphertextBlob=changed).code in {
            "InvalidCiphertextException",
            "AccessDeniedException",  # it names another key, or another of its materials
        }


def test_a_key_that_is_named_must_be_the_one(api: Api) -> None:
    first, second = create(api), create(api)
    blob = api("Encrypt", KeyId=first, Plaintext=b"p")["CiphertextBlob"]
    assert api("Decrypt", CiphertextBlob=blob, KeyId=first)["Plaintext"] == b"p"
    assert api.error("Decrypt", CiphertextBlob=blob, KeyId=second).code == "IncorrectKeyException"
    mac = create(api, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    assert api.error("Decrypt", CiphertextBlob=blob, KeyId=mac).code == "InvalidKeyUsageException"
    assert api.error("Encrypt", KeyId=mac, Plaintext=b"p").code == "InvalidKeyUsageException"
    assert api.error("Decrypt").code == "ValidationException"


def test_what_is_encrypted_goes_over_to_another_key_and_context(api: Api) -> None:
    first, second = create(api), create(api)
    blob = api("Encrypt", KeyId=first, Plaintext=b"p", EncryptionContext=CONTEXT)["CiphertextBlob"]
    asked = {"CiphertextBlob": blob, "DestinationKeyId": second, "DestinationEncryptionContext": {"a": "b"}}
    assert api.error("ReEncrypt", **asked).code == "InvalidCiphertextException"
    made = api("ReEncrypt", **asked, SourceEncryptionContext=CONTEXT)
    assert (made["SourceKeyId"], made["KeyId"]) == (f"{ARN}key/{first}", f"{ARN}key/{second}")
    read = api("Decrypt", CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert (read["Plaintext"], read["KeyId"]) == (b"p", f"{ARN}key/{second}")
    wrong = {**asked, "SourceEncryptionContext": CONTEXT, "SourceKeyId": second}
    assert api.error("ReEncrypt", **wrong).code == "IncorrectKeyException"
    assert api.error("ReEncrypt", DestinationKeyId=second).code == "ValidationException"


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_rsa_keys_encrypt(api: Api, algorithm: str) -> None:
    key = create(api, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    asked = {"KeyId": key, "EncryptionAlgorithm": algorithm}
    blob = api("Encrypt", **asked, Plaintext=b"p")["CiphertextBlob"]
    assert api("Decrypt", **asked, CiphertextBlob=blob)["Plaintext"] == b"p"
    moved = api(
        "ReEncrypt",
        CiphertextBlob=blob,
        SourceKeyId=key,
        SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=create(api),
    )
    assert api("Decrypt", CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"p"
    assert api.error("Decrypt", **asked, CiphertextBlob=blob[:-1]).code == "InvalidCiphertextException"
    assert api.error("Encrypt", **asked, Plaintext=b"p" * 300).code == "ValidationException"
    assert api.error("Encrypt", **asked, Plaintext=b"p", EncryptionContext=CONTEXT).code == "ValidationException"
    assert api.error("Encrypt", KeyId=key, Plaintext=b"p").code == "InvalidKeyUsageException"
    no_key = {"EncryptionAlgorithm": algorithm, "CiphertextBlob": blob}
    assert api.error("Decrypt", **no_key).code == "ValidationException"


def test_data_keys_are_what_their_ciphertext_holds(api: Api) -> None:
    key = create(api)
    for asked, size in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 100}, 100)):
        made = api("GenerateDataKey", KeyId=key, EncryptionContext=CONTEXT, **asked)
        assert len(made["Plaintext"]) == size
        read = api("Decrypt", CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert read["Plaintext"] == made["Plaintext"]
        hidden = api("GenerateDataKeyWithoutPlaintext", KeyId=key, **asked)
        assert "Plaintext" not in hidden
        assert len(api("Decrypt", CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == size
    for wrong in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 1}):
        assert api.error("GenerateDataKey", KeyId=key, **wrong).code == "ValidationException"
    curve = create(api, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert api.error("GenerateDataKey", KeyId=curve, KeySpec="AES_256").code == "InvalidKeyUsageException"


def test_pairs_of_data_keys_are_pairs(api: Api) -> None:
    key = create(api)
    made = api("GenerateDataKeyPair", KeyId=key, KeyPairSpec="ECC_NIST_P256")
    private, public = load_der_private_key(made["PrivateKeyPlaintext"], None), load_der_public_key(made["PublicKey"])
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(private.sign(b"m", ec.ECDSA(SHA256())), b"m", ec.ECDSA(SHA256()))
    read = api("Decrypt", CiphertextBlob=made["PrivateKeyCiphertextBlob"])
    assert read["Plaintext"] == made["PrivateKeyPlaintext"]
    assert "PrivateKeyPlaintext" not in api("GenerateDataKeyPairWithoutPlaintext", KeyId=key, KeyPairSpec="RSA_2048")


def test_chance_is_as_long_as_asked(api: Api) -> None:
    made = {api("GenerateRandom", NumberOfBytes=1024)["Plaintext"] for _ in range(5)}
    assert len(made) == 5
    assert {len(each) for each in made} == {1024}
    assert api.error("GenerateRandom").code == "ValidationException"


# ------------------------------------------------------------------------------------------------------------ signing


SIGNERS = [
    *(("RSA_2048", algorithm) for algorithm in RSA_SIGNING),
    *((spec, SPECS[spec].signing[0]) for spec in SPECS if spec.startswith("ECC_")),
]


@pytest.mark.parametrize(("spec", "algorithm"), SIGNERS)
def test_what_is_signed_is_verified_and_nothing_else(api: Api, spec: str, algorithm: str) -> None:
    key = create(api, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    asked = {"KeyId": key, "SigningAlgorithm": algorithm}
    signature = api("Sign", **asked, Message=b"message")["Signature"]
    assert api("Verify", **asked, Message=b"message", Signature=signature)["SignatureValid"] is True
    for wrong in ({"Message": b"other", "Signature": signature}, {"Message": b"message", "Signature": b"x"}):
        assert api.error("Verify", **asked, **wrong).code == "KMSInvalidSignatureException"
    if spec == "ECC_NIST_EDWARDS25519":
        assert api.error("Sign", **asked, Message=b"d" * 32, MessageType="DIGEST").code == "ValidationException"
        return
    digest = hashlib.new("sha" + algorithm[-3:], b"message").digest()
    hashed = {"Message": digest, "MessageType": "DIGEST"}
    assert api("Verify", **asked, **hashed, Signature=signature)["SignatureValid"] is True
    signature = api("Sign", **asked, **hashed)["Signature"]
    assert api("Verify", **asked, Message=b"message", Signature=signature)["SignatureValid"] is True
    assert api.error("Sign", **asked, Message=b"short", MessageType="DIGEST").code == "ValidationException"
    assert api.error("Sign", **asked, Message=b"m", MessageType="EXTERNAL_MU").code == "ValidationException"


def test_others_verify_with_the_public_key(api: Api) -> None:
    key = create(api, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    shown = api("GetPublicKey", KeyId=key)
    public = load_der_public_key(shown["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    asked = {"KeyId": key, "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256", "Message": b"m"}
    public.verify(api("Sign", **asked)["Signature"], b"m", padding.PKCS1v15(), SHA256())
    assert (shown["KeySpec"], shown["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
    assert set(shown["SigningAlgorithms"]) == set(RSA_SIGNING)
    assert api.error("GetPublicKey", KeyId=create(api)).code == "UnsupportedOperationException"
    wrong = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_256", "Message": b"m"}
    assert api.error("Sign", **wrong).code == "InvalidKeyUsageException"
    api("DisableKey", KeyId=key)
    assert api.error("GetPublicKey", KeyId=key).code == "DisabledException"


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_codes_are_those_of_message_and_key(api: Api, bits: int) -> None:
    key = create(api, KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    asked = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{bits}"}
    mac = api("GenerateMac", **asked, Message=b"m")["Mac"]
    assert len(mac) == bits // 8
    assert api("VerifyMac", **asked, Message=b"m", Mac=mac)["MacValid"] is True
    assert api.error("VerifyMac", **asked, Message=b"n", Mac=mac).code == "KMSInvalidMacException"
    other = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{256 if bits != 256 else 512}", "Message": b"m"}
    assert api.error("GenerateMac", **other).code == "InvalidKeyUsageException"


def test_two_derive_the_same_secret(api: Api) -> None:
    key = create(api, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    own = ec.generate_private_key(ec.SECP256R1())
    public = own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    shared = api("DeriveSharedSecret", KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=public)["SharedSecret"]
    theirs = load_der_public_key(api("GetPublicKey", KeyId=key)["PublicKey"])
    assert isinstance(theirs, ec.EllipticCurvePublicKey)
    assert own.exchange(ec.ECDH(), theirs) == shared
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    for wrong in (b"x", other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)):
        asked = {"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": wrong}
        assert api.error("DeriveSharedSecret", **asked).code == "ValidationException"


# ----------------------------------------------------------------------------------------------------------- rotation


def test_rotation_makes_new_material_and_old_ciphertexts_stay_readable(api: Api) -> None:
    key = create(api)
    blobs = [api("Encrypt", KeyId=key, Plaintext=b"0")["CiphertextBlob"]]
    assert api("GetKeyRotationStatus", KeyId=key)["KeyRotationEnabled"] is False
    api("EnableKeyRotation", KeyId=key, RotationPeriodInDays=90)
    shown = api("GetKeyRotationStatus", KeyId=key)
    assert (shown["KeyRotationEnabled"], shown["RotationPeriodInDays"]) == (True, 90)
    assert shown["NextRotationDate"] == api.now + 90 * DAY_S
    api.now += 91 * DAY_S
    blobs.append(api("Encrypt", KeyId=key, Plaintext=b"1")["CiphertextBlob"])
    api.now += 1
    api("RotateKeyOnDemand", KeyId=key)
    blobs.append(api("GenerateDataKey", KeyId=key, NumberOfBytes=1)["CiphertextBlob"])
    materials = [api("Decrypt", CiphertextBlob=blob)["KeyMaterialId"] for blob in blobs]
    assert len(set(materials)) == 3
    assert api("DescribeKey", KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == materials[2]
    rotations = api("ListKeyRotations", KeyId=key)["Rotations"]
    assert [rotation["RotationType"] for rotation in rotations] == ["AUTOMATIC", "ON_DEMAND"]
    whole = api("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [rotation["KeyMaterialState"] for rotation in whole] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
    api("DisableKeyRotation", KeyId=key)
    assert api("GetKeyRotationStatus", KeyId=key) == {"KeyRotationEnabled": False, "KeyId": f"{ARN}key/{key}"}


def test_only_symmetric_keys_rotate_and_not_for_ever(api: Api) -> None:
    curve = create(api, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert api("GetKeyRotationStatus", KeyId=curve)["KeyRotationEnabled"] is False
    for operation in ("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"):
        assert api.error(operation, KeyId=curve).code == "UnsupportedOperationException"
    assert api.error("ListKeyRotations", KeyId=curve).code == "UnsupportedOperationException"
    key = create(api)
    for _ in range(25):
        api("RotateKeyOnDemand", KeyId=key)
    assert api.error("RotateKeyOnDemand", KeyId=key).code == "LimitExceededException"


# --------------------------------------------------------------------------------------------- policies, tags, grants


def test_a_policy_is_kept_and_checked(api: Api) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Statement": statement})
    key = create(api, Policy=policy)
    assert api("GetKeyPolicy", KeyId=key) == {"Policy": policy, "PolicyName": "default"}
    assert api("ListKeyPolicies", KeyId=key)["PolicyNames"] == ["default"]
    other = json.dumps({"Statement": [statement, statement]})
    api("PutKeyPolicy", KeyId=key, Policy=other)
    assert api("GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"] == other
    for wrong in ("x", "[]", "{}", json.dumps({"Statement": [{"Effect": "Allow"}]})):
        assert api.error("PutKeyPolicy", KeyId=key, Policy=wrong).code == "MalformedPolicyDocumentException"
        assert api.error("CreateKey", Policy=wrong).code == "MalformedPolicyDocumentException"
    assert api.error("PutKeyPolicy", KeyId=key, Policy=" " * 32769).code == "LimitExceededException"
    assert api.error("GetKeyPolicy", KeyId=key, PolicyName="other").code == "NotFoundException"
    assert api.error("ListKeyPolicies", KeyId=key, Marker="x").code == "InvalidMarkerException"


def test_where_roles_must_exist_policies_and_grants_name_none_that_does_not(api: Api) -> None:
    role = Role(account=SCOPE.account, region="", name="app", path="/x/", unique_id="AROA1", created_at=1.0, trust="{}")
    api.put(role)
    key, root, gone = create(api), f"arn:aws:iam::{SCOPE.account}:root", role.arn.replace("app", "gone")

    def policy(*names: str) -> str:
        own = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        return json.dumps({"Statement": [{**own, "Principal": {"AWS": [root, *names]}}]})

    grant = {"KeyId": key, "Operations": ["Encrypt"]}
    api("PutKeyPolicy", KeyId=key, Policy=policy(gone))  # a stack may name roles that nobody has made
    api("CreateGrant", GranteePrincipal=gone, **grant)
    api.access.enforce = True
    api("PutKeyPolicy", KeyId=key, Policy=policy(role.arn))
    api("CreateGrant", GranteePrincipal=role.arn, RetiringPrincipal=root, **grant)
    for wrong in (gone, role.arn.replace("/x/", "/"), role.arn.replace("role/x/", "user/")):
        error = api.error("PutKeyPolicy", KeyId=key, Policy=policy(wrong))
        assert error.code == "MalformedPolicyDocumentException"
        assert error.message == "Policy contains a statement with one or more invalid principals."
        assert api.error("CreateKey", Policy=policy(wrong)).code == "MalformedPolicyDocumentException"
        for named in ({"GranteePrincipal": wrong}, {"GranteePrincipal": role.arn, "RetiringPrincipal": wrong}):
            assert api.error("CreateGrant", **named, **grant).code == "InvalidArnException"


def test_tags_come_and_go(api: Api) -> None:
    key = create(api)
    api("TagResource", KeyId=key, Tags=[{"TagKey": name, "TagValue": "1"} for name in "abc"])
    api("UntagResource", KeyId=key, TagKeys=["b", "x"])
    first = api("ListResourceTags", KeyId=key, Limit=1)
    second = api("ListResourceTags", KeyId=key, Limit=1, Marker=first["NextMarker"])
    assert [tag["TagKey"] for page in (first, second) for tag in page["Tags"]] == ["a", "c"]
    many = [{"TagKey": f"k{number}", "TagValue": ""} for number in range(50)]
    assert api.error("TagResource", KeyId=key, Tags=many).code == "LimitExceededException"
    assert api.error("TagResource", KeyId=key, Tags=[{"TagKey": "aws:a", "TagValue": ""}]).code == "TagException"
    assert api.error("TagResource", KeyId=key, Tags=[many[0], many[0]]).code == "TagException"


def test_grants_are_kept_found_and_ended(api: Api) -> None:
    key = create(api)
    asked = {"KeyId": key, "GranteePrincipal": "arn:g", "RetiringPrincipal": "arn:r", "Operations": ["Encrypt"]}
    named = api("CreateGrant", **asked, Name="n", Constraints={"EncryptionContextEquals": CONTEXT})
    assert api("CreateGrant", **asked, Name="n", Constraints={"EncryptionContextEquals": CONTEXT}) == named
    other = api("CreateGrant", **asked)
    assert other["GrantId"] != named["GrantId"]
    grants = {grant["GrantId"]: grant for grant in api("ListGrants", KeyId=key)["Grants"]}
    assert set(grants) == {named["GrantId"], other["GrantId"]}
    assert grants[named["GrantId"]]["Constraints"] == {"EncryptionContextEquals": CONTEXT}
    assert [g["GrantId"] for g in api("ListGrants", KeyId=key, GrantId=other["GrantId"])["Grants"]] == [
        other["GrantId"]
    ]
    assert api("ListGrants", KeyId=key, GranteePrincipal="arn:x")["Grants"] == []
    assert len(api("ListRetirableGrants", RetiringPrincipal="arn:r")["Grants"]) == 2
    assert api.error("RevokeGrant", KeyId=create(api), GrantId=named["GrantId"]).code == "NotFoundException"
    api("RevokeGrant", KeyId=key, GrantId=named["GrantId"])
    api("RetireGrant", GrantToken=other["GrantToken"])
    assert api.error("RetireGrant", GrantToken=other["GrantToken"]).code == "InvalidGrantTokenException"
    third = api("CreateGrant", **asked)
    api("RetireGrant", KeyId=key, GrantId=third["GrantId"])
    assert api("ListGrants", KeyId=key)["Grants"] == []
    for wrong in ({"Operations": ["Sign"]}, {"GranteePrincipal": None}):
        assert api.error("CreateGrant", **{**asked, **wrong}).code == "ValidationException"
    assert api.error("RetireGrant").code == "ValidationException"
    assert api.error("ListRetirableGrants").code == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("CreateKey", {"Origin": "EXTERNAL"}),
        ("CreateKey", {"MultiRegion": True}),
        ("CreateKey", {"CustomKeyStoreId": "cks-1"}),
        ("CreateKey", {"XksKeyId": "x"}),
        ("ListKeys", {"ResourceOwners": ["OTHER_ACCOUNTS_VIA_RAM"]}),
        ("Encrypt", {"KeyId": NO_KEY, "Plaintext": b"p", "DryRun": True}),
        ("Decrypt", {"CiphertextBlob": b"p", "Recipient": {"AttestationDocument": b"x"}}),
        ("GenerateRandom", {"NumberOfBytes": 1, "CustomKeyStoreId": "cks-1"}),
    ],
)
def test_what_is_not_served_is_refused(api: Api, operation: str, asked: dict[str, Any]) -> None:
    assert api.error(operation, **asked).code == "InvalidParameterException"  # of the tests; KMS's own is its service's
    assert SERVICE.refusal_code == "UnsupportedOperationException"


def test_no_material_is_in_plain_text(api: Api) -> None:
    create(api)
    (key,) = api.store.all(EncryptionKey)
    secret = api.call(None, {}).vault.open(key.materials[0].sealed)  # type: ignore[arg-type]  # no transaction is needed
    assert len(secret) == 32
    for text in (secret.hex(), repr(secret)):
        assert text not in repr(key)
