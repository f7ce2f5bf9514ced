"""KMS: whatever is encrypted, under whatever context, comes back; with any other context or blob it does not.

And nothing of it is on disk: a store in a file is searched for what was given to it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api import kms, secretsmanager
from longshore.domain.kinds import KINDS
from longshore.store.open import open_store
from longshore.wire.errors import ApiError
from tests.support.api import Api

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.text(max_size=20)
CONTEXTS = st.dictionaries(TEXTS, TEXTS, max_size=4)
PLAIN = st.binary(min_size=1, max_size=4096)


class Keys(Api):
    """KMS with two keys."""

    def __init__(self) -> None:
        super().__init__(kms.SERVICE.operations, service="kms")
        self.keys = [self("CreateKey")["KeyMetadata"]["KeyId"] for _ in range(2)]


@given(PLAIN, CONTEXTS, CONTEXTS, st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_encrypted_comes_back_and_only_so(
    plain: bytes, context: dict[str, str], other: dict[str, str], data: st.DataObject
) -> None:
    api = Keys()
    blob = api("Encrypt", KeyId=api.keys[0], Plaintext=plain, EncryptionContext=context)["CiphertextBlob"]
    if len(plain) > 8:
        assert plain not in blob
    assert api("Decrypt", CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plain
    if other != context:
        assert api.error("Decrypt", CiphertextBlob=blob, EncryptionContext=other).code == "InvalidCiphertextException"
    at = data.draw(st.integers(0, len(blob) - 1))
    broken = blob[:at] + bytes([blob[at] ^ data.draw(st.integers(1, 255))]) + blob[at + 1 :]
    for cut in (broken, blob[: data.draw(st.integers(1, len(blob) - 1))], blob + b"x"):
        try:
            api("Decrypt", CiphertextBlob=cut, EncryptionContext=context)
        except ApiError as error:
            assert error.code in {"InvalidCiphertextException", "AccessDeniedException"}  # noqa: PT017  which of the two
        else:
            raise AssertionError("a damaged ciphertext was read")
    moved = api(
        "ReEncrypt",
        CiphertextBlob=blob,
        SourceEncryptionContext=context,
        DestinationKeyId=api.keys[1],
        DestinationEncryptionContext=other,
    )["CiphertextBlob"]
    assert api("Decrypt", CiphertextBlob=moved, EncryptionContext=other, KeyId=api.keys[1])["Plaintext"] == plain


def bytes_in(folder: Path) -> bytes:
    """All that is in its files."""
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def test_nothing_that_is_secret_is_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    api = Api(secretsmanager.SERVICE.operations, service="secretsmanager")
    api.store = open_store(file, KINDS)
    api.seed()
    marks = [f"marker-{api.ids.hex(16)}" for _ in range(3)]
    api("CreateSecret", Name="text", SecretString=f'{{"password": "{marks[0]}"}}')
    api("CreateSecret", Name="binary", SecretBinary=marks[1].encode())
    api("PutSecretValue", SecretId="text", SecretString=marks[2])
    await api.store.durable()
    await api.store.close()
    written = bytes_in(tmp_path)
    assert b"binary" in written  # what is not secret is there, so the search finds what is there
    for mark in marks:
        for form in (mark.encode(), mark.encode().hex().encode(), base64.b64encode(mark.encode())[:-4]):
            assert form not in written
    api.store = open_store(file, KINDS)
    assert api("GetSecretValue", SecretId="text")["SecretString"] == marks[2]
    assert api("GetSecretValue", SecretId="binary")["SecretBinary"] == marks[1].encode()
    await api.store.close()
