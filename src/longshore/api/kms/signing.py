"""Signatures, message authentication codes, shared secrets, and public keys."""

import base64
import hmac
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from longshore.api.kms.encryption import DRY_RUN, ENCLAVES
from longshore.api.kms.keys import GRANT_TOKENS, algorithms
from longshore.api.kms.lookup import Answer, find, find_usable, kms_errors, material_of
from longshore.api.kms.specs import PrivateKey, private_key, spec_named
from longshore.api.operation import Call, Operation
from longshore.decide.secrets.encryption import usable
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.wire.errors import ApiError

HASHES: dict[str, type[HashAlgorithm]] = {"256": SHA256, "384": SHA384, "512": SHA512}


def sign(call: Call) -> Answer:
    """Sign."""
    key, holder, algorithm = _signer(call)
    message: bytes = call.params["Message"]
    if isinstance(holder, ed25519.Ed25519PrivateKey):
        _check_raw(call, algorithm)
        signature = holder.sign(message)
    elif isinstance(holder, rsa.RSAPrivateKey):
        signature = holder.sign(message, _padding(algorithm), _hash(call, algorithm))
    else:
        signature = holder.sign(message, ec.ECDSA(_hash(call, algorithm)))
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


def verify(call: Call) -> Answer:
    """Verify. A signature that is not right is an error, as on AWS."""
    key, holder, algorithm = _signer(call)
    message, signature = call.params["Message"], call.params["Signature"]
    try:
        if isinstance(holder, ed25519.Ed25519PrivateKey):
            _check_raw(call, algorithm)
            holder.public_key().verify(signature, message)
        elif isinstance(holder, rsa.RSAPrivateKey):
            holder.public_key().verify(signature, message, _padding(algorithm), _hash(call, algorithm))
        else:
            holder.public_key().verify(signature, message, ec.ECDSA(_hash(call, algorithm)))
    except InvalidSignature:
        raise ApiError("KMSInvalidSignatureException", "The signature is not that of this message and key.") from None
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def _signer(call: Call) -> tuple[EncryptionKey, PrivateKey, str]:
    key = find_usable(call, "SIGN_VERIFY")
    algorithm: str = call.params["SigningAlgorithm"]
    if algorithm not in spec_named(key.spec).signing:
        text = f"Algorithm {algorithm} is incompatible with key spec {key.spec}."
        raise ApiError("InvalidKeyUsageException", text)
    return key, private_key(material_of(call, key)), algorithm


def _hash(call: Call, algorithm: str) -> Any:
    """The hash that a message gets, or has had already."""
    digest = HASHES[algorithm.rpartition("_")[2]]()
    kind = call.params.get("MessageType") or "RAW"
    if kind == "RAW":
        return digest
    if kind != "DIGEST":
        raise ApiError("ValidationException", f"MessageType {kind} is not for algorithm {algorithm}.")
    if len(call.params["Message"]) != digest.digest_size:
        raise ApiError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    return Prehashed(digest)


def _check_raw(call: Call, algorithm: str) -> None:
    if call.params.get("MessageType") not in {None, "RAW"}:
        raise ApiError("ValidationException", f"Algorithm {algorithm} signs raw messages alone.")


def _padding(algorithm: str) -> padding.PKCS1v15 | padding.PSS:
    if not algorithm.startswith("RSASSA_PSS"):
        return padding.PKCS1v15()
    digest = HASHES[algorithm.rpartition("_")[2]]()
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def generate_mac(call: Call) -> Answer:
    """GenerateMac."""
    key, mac = _mac(call)
    return {"Mac": mac, "MacAlgorithm": call.params["MacAlgorithm"], "KeyId": key.arn}


def verify_mac(call: Call) -> Answer:
    """VerifyMac. One that is not right is an error, as on AWS."""
    key, mac = _mac(call)
    if not hmac.compare_digest(mac, call.params["Mac"]):
        raise ApiError("KMSInvalidMacException", "The MAC is not that of this message and key.")
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": call.params["MacAlgorithm"]}


def _mac(call: Call) -> tuple[EncryptionKey, bytes]:
    key = find_usable(call, "GENERATE_VERIFY_MAC")
    algorithm: str = call.params["MacAlgorithm"]
    if algorithm not in spec_named(key.spec).mac:
        text = f"Algorithm {algorithm} is incompatible with key spec {key.spec}."
        raise ApiError("InvalidKeyUsageException", text)
    name = "sha" + algorithm.rpartition("_")[2]
    return key, hmac.digest(material_of(call, key), call.params["Message"], name)


def derive_shared_secret(call: Call) -> Answer:
    """DeriveSharedSecret, by ECDH."""
    key = find_usable(call, "KEY_AGREEMENT")
    call.params["KeyAgreementAlgorithm"]  # ECDH is all there is
    holder = private_key(material_of(call, key))
    if not isinstance(holder, ec.EllipticCurvePrivateKey):
        raise TypeError("a key for key agreement is one of a curve")
    try:
        other = load_der_public_key(call.params["PublicKey"])
        if not isinstance(other, ec.EllipticCurvePublicKey) or other.curve.name != holder.curve.name:
            raise ValueError("of another curve")
        shared = holder.exchange(ec.ECDH(), other)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        text = f"PublicKey is no public key of the curve of {key.arn}, in DER."
        raise ApiError("ValidationException", text) from None
    return {"KeyId": key.arn, "SharedSecret": shared, "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": "AWS_KMS"}


def get_public_key(call: Call) -> Answer:
    """GetPublicKey."""
    key = find(call)
    if not key.public_key:
        text = f"{key.arn} has no public key: it is symmetric."
        raise ApiError("UnsupportedOperationException", text)
    with kms_errors():
        usable(key)
    view = {
        "KeyId": key.arn,
        "PublicKey": base64.b64decode(key.public_key),
        "CustomerMasterKeySpec": key.spec if key.spec != "ECC_NIST_EDWARDS25519" else None,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        **algorithms(key),
    }
    return {name: value for name, value in view.items() if value is not None}


_COMMON: dict[str, Any] = {
    "refuses": {"DryRun": DRY_RUN},
    "allowed": {"DryRun": (False,)},
    "inert": {"GrantTokens": GRANT_TOKENS},
}
OPERATIONS: dict[str, Operation] = {
    "DeriveSharedSecret": Operation(
        derive_shared_secret, **{**_COMMON, "refuses": {"DryRun": DRY_RUN, "Recipient": ENCLAVES}}
    ),
    "GenerateMac": Operation(generate_mac, **_COMMON),
    "GetPublicKey": Operation(get_public_key, inert={"GrantTokens": GRANT_TOKENS}),
    "Sign": Operation(sign, **_COMMON),
    "Verify": Operation(verify, **_COMMON),
    "VerifyMac": Operation(verify_mac, **_COMMON),
}
