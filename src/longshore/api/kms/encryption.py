"""Encryption: under symmetric keys, with an encryption context, and under RSA keys; data keys and chance."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from longshore.api.kms.keys import GRANT_TOKENS
from longshore.api.kms.lookup import Answer, encrypt_under, find, find_usable, kms_errors, material_of, random_bytes
from longshore.api.kms.rotation import rotated_when_due
from longshore.api.kms.specs import make_private_key, private_bytes, private_key, public_bytes, spec_named
from longshore.api.operation import Call, Operation
from longshore.decide.secrets.encryption import decrypt_blob, usable
from longshore.domain.secrets.encryption_key import SYMMETRIC, EncryptionKey
from longshore.wire.errors import ApiError

HASHES: dict[str, type[HashAlgorithm]] = {"RSAES_OAEP_SHA_1": SHA1, "RSAES_OAEP_SHA_256": SHA256}
INCORRECT_KEY = "The key ID in the request does not identify a CMK that can perform this operation."
DRY_RUN = "DryRun is not served: leave it out, or set it to false."
ENCLAVES = "Nitro enclaves are not served: leave Recipient out."
SIZES = {"AES_256": 32, "AES_128": 16}


def encrypt(call: Call) -> Answer:
    """Encrypt."""
    params = call.params
    key = find_usable(call, "ENCRYPT_DECRYPT")
    algorithm = params.get("EncryptionAlgorithm") or SYMMETRIC
    blob = _encrypted(call, key, algorithm, params["Plaintext"], params.get("EncryptionContext"))
    return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


def decrypt(call: Call) -> Answer:
    """Decrypt. A ciphertext of a symmetric key names it; a `KeyId` must then be the same."""
    params = call.params
    algorithm = params.get("EncryptionAlgorithm") or SYMMETRIC
    if params.get("CiphertextBlob") is None:
        raise ApiError("ValidationException", "CiphertextBlob is required.")
    blob, context = params["CiphertextBlob"], params.get("EncryptionContext")
    key, plaintext, material = _decrypted(call, params.get("KeyId"), algorithm, blob, context)
    answer = {"KeyId": key.arn, "Plaintext": plaintext, "EncryptionAlgorithm": algorithm}
    return {**answer, "KeyMaterialId": key.materials[material].material_id} if algorithm == SYMMETRIC else answer


def re_encrypt(call: Call) -> Answer:
    """ReEncrypt: the same under another key, or with another context; the plaintext leaves nobody's hands."""
    params = call.params
    source = params.get("SourceEncryptionAlgorithm") or SYMMETRIC
    target = params.get("DestinationEncryptionAlgorithm") or SYMMETRIC
    if params.get("CiphertextBlob") is None:
        raise ApiError("ValidationException", "CiphertextBlob is required.")
    blob, context = params["CiphertextBlob"], params.get("SourceEncryptionContext")
    before, plaintext, material = _decrypted(call, params.get("SourceKeyId"), source, blob, context)
    key = find_usable(call, "ENCRYPT_DECRYPT", params["DestinationKeyId"])
    made = _encrypted(call, key, target, plaintext, params.get("DestinationEncryptionContext"))
    return {
        "CiphertextBlob": made,
        "SourceKeyId": before.arn,
        "KeyId": key.arn,
        "SourceEncryptionAlgorithm": source,
        "DestinationEncryptionAlgorithm": target,
        "SourceKeyMaterialId": before.materials[material].material_id if source == SYMMETRIC else None,
        "DestinationKeyMaterialId": key.materials[-1].material_id if target == SYMMETRIC else None,
    }


def _encrypted(
    call: Call, key: EncryptionKey, algorithm: str, plaintext: bytes, context: Mapping[str, str] | None
) -> bytes:
    _check_algorithm(key, algorithm)
    if algorithm == SYMMETRIC:
        with kms_errors():
            return encrypt_under(call, rotated_when_due(call, key), plaintext, dict(context or {}))
    _check_no_context(context)
    holder = _rsa(call, key)
    try:
        return holder.public_key().encrypt(plaintext, _oaep(algorithm))
    except ValueError:
        text = f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than the key has room for."
        raise ApiError("ValidationException", text) from None


def _decrypted(
    call: Call, reference: str | None, algorithm: str, blob: bytes, context: Mapping[str, str] | None
) -> tuple[EncryptionKey, bytes, int]:
    if algorithm == SYMMETRIC:
        if reference is not None:
            named = find_usable(call, "ENCRYPT_DECRYPT", reference)
            _check_algorithm(named, algorithm)
        with kms_errors():
            found = decrypt_blob(call.tx, call.vault, call.scope, blob, dict(context or {}), call.now)
        if reference is not None and found.key.key_id != named.key_id:
            raise ApiError("IncorrectKeyException", INCORRECT_KEY)
        return found.key, found.plaintext, found.material
    if reference is None:
        raise ApiError("ValidationException", "KeyId is required for a ciphertext of an asymmetric key.")
    key = find_usable(call, "ENCRYPT_DECRYPT", reference)
    _check_algorithm(key, algorithm)
    _check_no_context(context)
    try:
        return key, _rsa(call, key).decrypt(blob, _oaep(algorithm)), 0
    except ValueError:
        raise ApiError("InvalidCiphertextException", "The ciphertext is not one of this key and algorithm.") from None


def _check_algorithm(key: EncryptionKey, algorithm: str) -> None:
    if algorithm not in spec_named(key.spec).encryption:
        text = f"Algorithm {algorithm} is incompatible with key spec {key.spec}."
        raise ApiError("InvalidKeyUsageException", text)


def _check_no_context(context: Mapping[str, str] | None) -> None:
    if context:
        raise ApiError("ValidationException", "Encryption contexts are for symmetric keys alone.")


def _rsa(call: Call, key: EncryptionKey) -> rsa.RSAPrivateKey:
    holder = private_key(material_of(call, key))
    if not isinstance(holder, rsa.RSAPrivateKey):
        raise TypeError("a key with an encryption algorithm of RSA has RSA material")
    return holder


def _oaep(algorithm: str) -> padding.OAEP:
    digest = HASHES[algorithm]
    return padding.OAEP(padding.MGF1(digest()), digest(), None)


# ----------------------------------------------------------------------------------------------- data keys, chance


def generate_data_key(call: Call) -> Answer:
    """GenerateDataKey."""
    plaintext = random_bytes(call, _size(call))
    return {"Plaintext": plaintext, **_under(call, plaintext)}


def generate_data_key_without_plaintext(call: Call) -> Answer:
    """GenerateDataKeyWithoutPlaintext."""
    return _under(call, random_bytes(call, _size(call)))


def _size(call: Call) -> int:
    spec, count = call.params.get("KeySpec"), call.params.get("NumberOfBytes")
    if spec and count is None:
        return SIZES[spec]
    if count is None or spec:
        raise ApiError("ValidationException", "Please specify either number of bytes or key spec.")
    return int(count)


def _under(call: Call, plaintext: bytes) -> Answer:
    key = rotated_when_due(call, _symmetric(call))
    with kms_errors():
        blob = encrypt_under(call, key, plaintext, dict(call.params.get("EncryptionContext") or {}))
    return {"CiphertextBlob": blob, "KeyId": key.arn, "KeyMaterialId": key.materials[-1].material_id}


def _symmetric(call: Call) -> EncryptionKey:
    key = find(call)
    with kms_errors():
        usable(key)
    if key.spec != SYMMETRIC:
        text = f"{key.arn} key usage is {key.usage} which is not valid for GenerateDataKey: use a symmetric key."
        raise ApiError("InvalidKeyUsageException", text)
    return key


def generate_data_key_pair(call: Call) -> Answer:
    """GenerateDataKeyPair."""
    key = _symmetric(call)
    spec: str = call.params["KeyPairSpec"]
    pair = make_private_key(spec)
    secret = private_bytes(pair)
    sealed = _under(call, secret)
    return {
        "PrivateKeyCiphertextBlob": sealed["CiphertextBlob"],
        "PrivateKeyPlaintext": secret,
        "PublicKey": public_bytes(pair),
        "KeyId": key.arn,
        "KeyPairSpec": spec,
        "KeyMaterialId": sealed["KeyMaterialId"],
    }


def generate_data_key_pair_without_plaintext(call: Call) -> Answer:
    """GenerateDataKeyPairWithoutPlaintext."""
    made = generate_data_key_pair(call)
    del made["PrivateKeyPlaintext"]
    return made


def generate_random(call: Call) -> Answer:
    """GenerateRandom."""
    count = call.params.get("NumberOfBytes")
    if count is None:
        raise ApiError("ValidationException", "NumberOfBytes is required.")
    return {"Plaintext": random_bytes(call, count)}


_COMMON: dict[str, Any] = {
    "refuses": {"DryRun": DRY_RUN},
    "allowed": {"DryRun": (False,)},
    "inert": {"GrantTokens": GRANT_TOKENS},
}
_ENCLAVE = {**_COMMON, "refuses": {"DryRun": DRY_RUN, "Recipient": ENCLAVES}}
_MODIFIERS = {"DryRunModifiers": DRY_RUN}
OPERATIONS: dict[str, Operation] = {
    "Decrypt": Operation(decrypt, **{**_ENCLAVE, "refuses": {**_ENCLAVE["refuses"], **_MODIFIERS}}),
    "Encrypt": Operation(encrypt, **_COMMON),
    "GenerateDataKey": Operation(generate_data_key, **_ENCLAVE),
    "GenerateDataKeyPair": Operation(generate_data_key_pair, **_ENCLAVE),
    "GenerateDataKeyPairWithoutPlaintext": Operation(generate_data_key_pair_without_plaintext, **_COMMON),
    "GenerateDataKeyWithoutPlaintext": Operation(generate_data_key_without_plaintext, **_COMMON),
    "GenerateRandom": Operation(
        generate_random,
        refuses={"CustomKeyStoreId": "Custom key stores are not served: leave it out.", "Recipient": ENCLAVES},
    ),
    "ReEncrypt": Operation(re_encrypt, **{**_COMMON, "refuses": {"DryRun": DRY_RUN, **_MODIFIERS}}),
}
