"""The real vault: AES-256-GCM under a key derived from the master key. Built by `main`; see `domain/secrets/vault.py`.

Key material for certificates comes from here, and later for secrets: whatever must not be in plain text on disk.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class MasterVault:
    """Seals under one master key."""

    def __init__(self, master: bytes) -> None:
        # A key of its own: what signs credentials must not also encrypt.
        key = HKDF(SHA256(), length=32, salt=None, info=b"longshore vault 1").derive(master)
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes) -> str:
        """The secret as text that is safe to keep."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret, None)).decode()

    def open(self, sealed: str) -> bytes:
        """The secret again. Raises ValueError for what this vault did not seal."""
        try:
            whole = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise ValueError(
                "A sealed secret can't be opened: the master key (secret.key or LONGSHORE_SECRET_KEY) is another one."
            ) from error
