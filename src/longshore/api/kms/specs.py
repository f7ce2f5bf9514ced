"""What keys there are: by spec, the usages and algorithms of each, and how its material is made."""

from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from longshore.api.operation import Call
from longshore.domain.secrets.encryption_key import SYMMETRIC, KeyUsage
from longshore.wire.errors import ApiError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
RSA_ENCRYPTION = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
PADDINGS = ("RSASSA_PKCS1_V1_5", "RSASSA_PSS")
RSA_SIGNING = tuple(f"{padding}_SHA_{bits}" for padding in PADDINGS for bits in (256, 384, 512))
NOT_SERVED = "Keys of spec {spec} are not served: use SYMMETRIC_DEFAULT, HMAC, RSA, or a NIST, SECG or Edwards curve."


class Spec(NamedTuple):
    """A key spec."""

    usages: tuple[KeyUsage, ...]
    """The first is the default, if there is one alone."""
    signing: tuple[str, ...] = ()
    encryption: tuple[str, ...] = ()
    mac: tuple[str, ...] = ()
    size: int = 0
    """Bytes of an HMAC key, bits of an RSA key."""
    curve: Callable[[], ec.EllipticCurve] | None = None


CURVE_USAGES: tuple[KeyUsage, ...] = ("SIGN_VERIFY", "KEY_AGREEMENT")
RSA_USAGES: tuple[KeyUsage, ...] = ("ENCRYPT_DECRYPT", "SIGN_VERIFY")
SPECS: dict[str, Spec] = {
    SYMMETRIC: Spec(("ENCRYPT_DECRYPT",), encryption=(SYMMETRIC,), size=32),
    **{f"RSA_{bits}": Spec(RSA_USAGES, RSA_SIGNING, RSA_ENCRYPTION, size=bits) for bits in (2048, 3072, 4096)},
    "ECC_NIST_P256": Spec(CURVE_USAGES, ("ECDSA_SHA_256",), curve=ec.SECP256R1),
    "ECC_NIST_P384": Spec(CURVE_USAGES, ("ECDSA_SHA_384",), curve=ec.SECP384R1),
    "ECC_NIST_P521": Spec(CURVE_USAGES, ("ECDSA_SHA_512",), curve=ec.SECP521R1),
    "ECC_SECG_P256K1": Spec(("SIGN_VERIFY",), ("ECDSA_SHA_256",), curve=ec.SECP256K1),
    "ECC_NIST_EDWARDS25519": Spec(("SIGN_VERIFY",), ("ED25519_SHA_512",)),
    **{
        f"HMAC_{bits}": Spec(("GENERATE_VERIFY_MAC",), mac=(f"HMAC_SHA_{bits}",), size=bits // 8)
        for bits in (224, 256, 384, 512)
    },
}


def spec_named(name: str) -> Spec:
    """The spec. Raises UnsupportedOperationException for one that is not served."""
    spec = SPECS.get(name)
    if spec is None:
        raise ApiError("UnsupportedOperationException", NOT_SERVED.format(spec=name))
    return spec


def make_private_key(name: str) -> PrivateKey:
    """A private key of a spec with a public half."""
    spec = spec_named(name)
    if spec.curve is not None:
        return ec.generate_private_key(spec.curve())
    if name == "ECC_NIST_EDWARDS25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=spec.size)


def make_secret(call: Call, name: str) -> tuple[bytes, bytes]:
    """`(secret, public key)` of a new key: the public key is empty where there is none."""
    spec = spec_named(name)
    if name == SYMMETRIC or spec.mac:
        return bytes.fromhex(call.ids.hex(2 * spec.size)), b""
    key = make_private_key(name)
    return private_bytes(key), public_bytes(key)


def private_bytes(key: PrivateKey) -> bytes:
    """The key in PKCS #8, DER."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_bytes(key: PrivateKey) -> bytes:
    """Its public half as SubjectPublicKeyInfo, DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_key(secret: bytes) -> PrivateKey:
    """The private key in a material."""
    key = load_der_private_key(secret, password=None)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise TypeError("a key's material holds no private key of a spec that is served")
    return key
