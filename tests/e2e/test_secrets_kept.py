"""Secrets, parameters and keys through boto3: kept over a kill, sealed on disk, opened with their master key alone."""

from __future__ import annotations

import base64
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

from tests.support.server import LIMIT_S, Server, program

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


def refusal(server: Server) -> str:
    """What it says when it does not start."""
    said = server.log.stat().st_size
    server.spawn()
    assert server.process is not None
    assert server.process.wait(LIMIT_S) == 1
    server.process = None
    return server.log.read_bytes()[said:].decode()


def test_a_state_is_not_opened_with_another_master_key_and_its_own_is_not_replaced(simulated: Server) -> None:
    made = fill(simulated)
    simulated.kill9()
    key = simulated.state / "secret.key"
    kept = key.read_text()
    key.unlink()
    assert "belongs to a master key that is not here: put its secret.key back" in refusal(simulated)
    assert not key.exists()
    keys = subprocess.run(
        [program(), "keys", "--state", str(simulated.state)], capture_output=True, text=True, check=False
    )
    assert keys.returncode == 1
    assert "put its secret.key back, or set LONGSHORE_SECRET_KEY" in keys.stderr
    simulated.variables["LONGSHORE_SECRET_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()
    assert "sealed under another master key than LONGSHORE_SECRET_KEY has" in refusal(simulated)
    simulated.variables["LONGSHORE_SECRET_KEY"] = kept.strip()
    simulated.start()
    assert read(simulated, made) == MARKS
    simulated.kill9()
    del simulated.variables["LONGSHORE_SECRET_KEY"]
    key.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    assert "sealed under another master key than secret.key has" in refusal(simulated)
    key.write_text(kept)
    simulated.start()
    assert read(simulated, made) == MARKS
