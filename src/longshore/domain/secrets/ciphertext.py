"""Ciphertext blobs of KMS: AES-256-GCM, under a key that the blob names, bound to an encryption context. Pure.

A blob is a version byte, the key's id (16 bytes), which of its materials (2 bytes), the nonce (12 bytes) and what
AES-GCM makes. Key, material and context are authenticated: a blob that was changed, or is opened with another context,
is refused.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
_HEAD_BYTES = 1 + 16 + 2

Context = Mapping[str, str]


class Opened(NamedTuple):
    """What a blob says of itself before it is decrypted."""

    key_id: str
    material: int
    """Which of the key's materials, counted from 0."""


class CiphertextError(ValueError):
    """A blob that is none, was changed, or belongs to another key or context."""


def encrypt(secret: bytes, plaintext: bytes, *, key_id: str, material: int, context: Context, nonce: bytes) -> bytes:
    """The blob. `secret` is the material's 32 bytes; a nonce must never come twice."""
    head = VERSION + bytes.fromhex(key_id.replace("-", "")) + material.to_bytes(2, "big")
    return head + nonce + AESGCM(secret).encrypt(nonce, plaintext, head + packed(context))


def opened(blob: bytes) -> Opened:
    """The key that a blob names. Raises CiphertextError for what is no blob."""
    if len(blob) < _HEAD_BYTES + NONCE_BYTES + TAG_BYTES or blob[:1] != VERSION:
        raise CiphertextError("This is not a ciphertext that KMS made.")
    digits = blob[1:17].hex()
    key_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return Opened(key_id, int.from_bytes(blob[17:_HEAD_BYTES], "big"))


def decrypt(secret: bytes, blob: bytes, context: Context) -> bytes:
    """The plaintext. Raises CiphertextError."""
    head, nonce, sealed = blob[:_HEAD_BYTES], blob[_HEAD_BYTES:][:NONCE_BYTES], blob[_HEAD_BYTES + NONCE_BYTES :]
    try:
        return AESGCM(secret).decrypt(nonce, sealed, head + packed(context))
    except InvalidTag:
        raise CiphertextError("The ciphertext was changed, or its encryption context is another one.") from None


def packed(context: Context) -> bytes:
    """The context as bytes: the same for the same pairs in any order, and different for any others."""
    parts = []
    for name, value in sorted(context.items()):
        for text in (name, value):
            raw = text.encode("utf-8", "surrogatepass")
            parts.append(len(raw).to_bytes(4, "big") + raw)
    return b"".join(parts)
