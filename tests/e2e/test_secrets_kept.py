"""Secrets, parameters and keys through boto3: kept over a kill, sealed on disk, and lost with the master key alone."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.server import Server

if TYPE_CHECKING:
    from pathlib import Path

MARKS = [f"marker-{word}-of-this-test" for word in ("secret", "bytes", "parameter", "plain")]
CONTEXT = {"tenant": "one"}


def written(folder: Path) -> bytes:
    """All that is in a folder's files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def fill(server: Server) -> dict[str, Any]:
    """One of each; what is needed to read them again."""
    kms, manager, ssm = (server.client(name) for name in ("kms", "secretsmanager", "ssm"))
    key = kms.create_key(Description="own")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/own", TargetKeyId=key)
    manager.create_secret(Name="text", SecretString=MARKS[0], KmsKeyId="alias/own")
    manager.create_secret(Name="bytes", SecretBinary=MARKS[1].encode())
    ssm.put_parameter(Name="/secure", Value=MARKS[2], Type="SecureString", KeyId="alias/own")
    blob = kms.encrypt(KeyId="alias/own", Plaintext=MARKS[3].encode(), EncryptionContext=CONTEXT)["CiphertextBlob"]
    signer = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    asked = {"KeyId": signer, "Message": b"m", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    return {"blob": blob, "signature": {**asked, "Signature": kms.sign(**asked)["Signature"]}}


def read(server: Server, made: dict[str, Any]) -> list[str]:
    """What was put into it."""
    kms, manager, ssm = (server.client(name) for name in ("kms", "secretsmanager", "ssm"))
    assert kms.verify(**made["signature"])["SignatureValid"]
    return [
        manager.get_secret_value(SecretId="text")["SecretString"],
        manager.get_secret_value(SecretId="bytes")["SecretBinary"].decode(),
        ssm.get_parameter(Name="/secure", WithDecryption=True)["Parameter"]["Value"],
        kms.decrypt(CiphertextBlob=made["blob"], EncryptionContext=CONTEXT)["Plaintext"].decode(),
    ]


def test_all_is_kept_over_a_kill_and_sealed_on_disk(simulated: Server) -> None:
    made = fill(simulated)
    simulated.restart(kill=True)
    assert read(simulated, made) == MARKS
    held = written(simulated.folder)
    assert b"alias/own" in held  # what is not secret is there, so the search finds what is there
    for mark in MARKS:
        for form in (mark.encode(), mark.encode().hex().encode(), base64.b64encode(mark.encode())[:-4]):
            assert form not in held


def test_another_master_key_opens_nothing_and_says_so(simulated: Server) -> None:
    made = fill(simulated)
    assert simulated.stop() == 0
    simulated.variables["LONGSHORE_SECRET_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()
    simulated.start()
    with pytest.raises(ClientError, match=r"DecryptionFailure.*the master key"):
        simulated.client("secretsmanager").get_secret_value(SecretId="text")
    with pytest.raises(ClientError, match=r"InvalidKeyId.*the master key"):
        simulated.client("ssm").get_parameter(Name="/secure", WithDecryption=True)
    for call in ("sign", "verify"):
        asked = {name: value for name, value in made["signature"].items() if call == "verify" or name != "Signature"}
        with pytest.raises(ClientError, match=r"KeyUnavailableException.*the master key"):
            getattr(simulated.client("kms"), call)(**asked)
    assert simulated.stop() == 0
    del simulated.variables["LONGSHORE_SECRET_KEY"]
    simulated.start()
    assert read(simulated, made) == MARKS


def test_accounts_and_regions_share_nothing(simulated: Server) -> None:
    made = fill(simulated)
    for changes in ({"region_name": "eu-west-1"}, {"aws_access_key_id": "111122223333"}):
        kms, manager, ssm = (simulated.client(name, **changes) for name in ("kms", "secretsmanager", "ssm"))
        assert manager.list_secrets()["SecretList"] == []
        assert ssm.describe_parameters()["Parameters"] == []
        assert kms.list_keys()["Keys"] == []
        with pytest.raises(ClientError, match="AccessDeniedException"):
            kms.decrypt(CiphertextBlob=made["blob"], EncryptionContext=CONTEXT)
