"""Which key a name means, whether it may be used, and what a ciphertext of KMS holds. Pure.

Called by the handlers of KMS, Secrets Manager and Parameter Store, and by `decide/ecs/task_secrets.py`. What can't be
had is a `KeyRefused` with KMS's own code and text.
"""

import base64
from typing import NamedTuple

from longshore.domain.arn import Arn
from longshore.domain.record import Records, Scope
from longshore.domain.secrets.ciphertext import CiphertextError, Context, decrypt, opened
from longshore.domain.secrets.encryption_key import SYMMETRIC, EncryptionKey, KeyAlias, alias_arn
from longshore.domain.secrets.vault import Vault

NOT_ALLOWED = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not "
    "allowed to access."
)


class KeyRefused(Exception):  # noqa: N818  named for what happened
    """A key that can't be had or used: KMS's error code, and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Decrypted(NamedTuple):
    """A plaintext, and the key that it was under."""

    key: EncryptionKey
    plaintext: bytes
    material: int


class Sealed(NamedTuple):
    """How a value is encrypted."""

    key_id: str
    context: Context


def context_values(context: Context) -> dict[str, tuple[str, ...]]:
    """What conditions of policies may look at of an encryption context."""
    if not context:
        return {}
    pairs = {f"kms:encryptioncontext:{name.lower()}": (value,) for name, value in context.items()}
    return {**pairs, "kms:encryptioncontextkeys": tuple(context)}


def find_key(records: Records, scope: Scope, reference: str, now: float) -> EncryptionKey:
    """The key with an id, an alias, or the ARN of either. Raises KeyRefused."""
    name = reference
    if reference.startswith("arn:"):
        arn = Arn.parse(reference)
        if arn is None or arn.service != "kms":
            raise KeyRefused("InvalidArnException", f"Invalid arn {reference}")
        if arn.scope.region != scope.region:
            raise KeyRefused("NotFoundException", f"Invalid arn {arn.scope.region}")
        if arn.scope != scope:
            text = f"Key {reference} is another account's, and accounts share no keys here."
            raise KeyRefused("AccessDeniedException", text)
        name = arn.resource.removeprefix("key/")
    if name.startswith("alias/"):
        alias = records.get(KeyAlias, (*scope, name))
        if alias is None:
            raise KeyRefused("NotFoundException", f"Alias {alias_arn(scope, name)} is not found.")
        name = alias.key_id
    key = records.get(EncryptionKey, (*scope, name))
    if key is None or gone(key, now):
        raise KeyRefused("NotFoundException", f"Key '{Arn('kms', scope, f'key/{name}')}' does not exist")
    return key


def gone(key: EncryptionKey, now: float) -> bool:
    """Whether its waiting period is over, though it may not be removed yet."""
    return key.deletion_at is not None and key.deletion_at <= now


def usable(key: EncryptionKey) -> EncryptionKey:
    """The key, if cryptography may be done with it. Raises KeyRefused."""
    if key.deletion_at is not None:
        raise KeyRefused("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise KeyRefused("DisabledException", f"{key.arn} is disabled.")
    return key


def secret_of(key: EncryptionKey, vault: Vault, material: int = -1) -> bytes:
    """The secret of one of the key's materials: by default the last. Raises KeyRefused where the master key changed."""
    try:
        return vault.open(key.materials[material].sealed)
    except ValueError as error:
        raise KeyRefused("KeyUnavailableException", f"{key.arn}: {error}") from error


def decrypt_blob(records: Records, vault: Vault, scope: Scope, blob: bytes, context: Context, now: float) -> Decrypted:
    """What a ciphertext of a symmetric key holds. Raises KeyRefused."""
    try:
        named = opened(blob)
        key = records.get(EncryptionKey, (*scope, named.key_id))
        if key is None or gone(key, now) or key.spec != SYMMETRIC or named.material >= len(key.materials):
            raise KeyRefused("AccessDeniedException", NOT_ALLOWED)
        usable(key)
        return Decrypted(key, decrypt(secret_of(key, vault, named.material), blob, context), named.material)
    except CiphertextError as error:
        raise KeyRefused("InvalidCiphertextException", str(error)) from error


def decrypt_text(records: Records, vault: Vault, scope: Scope, blob: str, context: Context, now: float) -> bytes:
    """What a ciphertext in base64 holds. Raises KeyRefused."""
    return decrypt_blob(records, vault, scope, base64.b64decode(blob), context, now).plaintext
