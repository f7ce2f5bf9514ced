"""Certificates and keys as bytes: read, checked against one another, and described. Knows no record and no call.

Called by `importing.py`, `requesting.py` and `certificates.py`. Texts of refusals are ACM's where it is known for them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from longshore.api.common.pem import certificates_in, strict
from longshore.wire.errors import ApiError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

RSA_BITS = (1024, 2048, 3072, 4096)
CURVES: Mapping[str, str] = {
    "secp256r1": "EC_prime256v1",
    "secp384r1": "EC_secp384r1",
    "secp521r1": "EC_secp521r1",
}
_SIGNATURES: Mapping[x509.ObjectIdentifier, str] = {
    SignatureAlgorithmOID.RSA_WITH_SHA1: "SHA1WITHRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "SHA256WITHRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "SHA384WITHRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "SHA512WITHRSA",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "SHA256WITHECDSA",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "SHA384WITHECDSA",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "SHA512WITHECDSA",
}
_KEY_USAGES: Mapping[str, str] = {
    "DIGITAL_SIGNATURE": "digital_signature",
    "NON_REPUDIATION": "content_commitment",
    "KEY_ENCIPHERMENT": "key_encipherment",
    "DATA_ENCIPHERMENT": "data_encipherment",
    "KEY_AGREEMENT": "key_agreement",
    "CERTIFICATE_SIGNING": "key_cert_sign",
    "CRL_SIGNING": "crl_sign",
}
_EXTENDED_KEY_USAGES: Mapping[x509.ObjectIdentifier, str] = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS_WEB_SERVER_AUTHENTICATION",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS_WEB_CLIENT_AUTHENTICATION",
    ExtendedKeyUsageOID.CODE_SIGNING: "CODE_SIGNING",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "EMAIL_PROTECTION",
    ExtendedKeyUsageOID.TIME_STAMPING: "TIME_STAMPING",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP_SIGNING",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "ANY",
}


class Facts(NamedTuple):
    """What a certificate says of itself, by the names of the record's fields."""

    domain_name: str
    """Its common name, or else its first name; may be empty."""
    alternative_names: tuple[str, ...]
    """Its names; the domain name first."""
    subject: str
    issuer: str
    serial: str
    """As `0a:1b:…`."""
    not_before: float
    not_after: float
    key_algorithm: str
    """As `RSA_2048`, `EC_prime256v1`."""
    signature_algorithm: str


def invalid(message: str) -> ApiError:
    """ValidationException."""
    return ApiError("ValidationException", message)


def read_certificate(pem: bytes) -> x509.Certificate:
    """The one certificate of a text. Raises ValidationException."""
    found = _read(pem, "certificate")
    if len(found) > 1:
        text = "The certificate field contains more than one certificate. You can specify only one certificate in this"
        raise invalid(f"{text} field.")
    return found[0]


def read_chain(pem: bytes) -> list[x509.Certificate]:
    """All certificates of a text; there is at least one. Raises ValidationException."""
    return _read(pem, "certificate chain")


def _read(pem: bytes, what: str) -> list[x509.Certificate]:
    try:
        return certificates_in(pem)
    except ValueError:
        raise invalid(f"The {what} is not valid: it must be X.509 in PEM.") from None


def read_key(pem: bytes) -> PrivateKey:
    """A private key that is not encrypted, of an algorithm that ACM has. Raises ValidationException."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise invalid("The private key is encrypted. Import it without a passphrase.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise invalid("The private key is not valid: it must be in PEM.") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise invalid("The private key is not supported.")
    return key


def check_pair(certificate: x509.Certificate, key: PrivateKey) -> None:
    """Raise ValidationException where a key is not that of a certificate."""
    if _public_bytes(certificate) != key.public_key().public_bytes(*_SPKI):
        raise invalid("The private key does not match the certificate.")


def check_chain(certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> None:
    """Raise ValidationException where not every certificate is issued by the next; one without a chain, by itself."""
    issuers = chain or (certificate,)
    for issued, issuer in zip((certificate, *chain), issuers, strict=False):
        try:
            with strict():
                issued.verify_directly_issued_by(issuer)
        except ValueError:
            if chain:
                raise invalid("Could not validate the certificate with the certificate chain.") from None
            text = "Provided certificate is not a valid self signed. Please provide either a valid self-signed"
            raise invalid(f"{text} certificate or certificate chain.") from None


def check_validity(certificate: x509.Certificate, now: float) -> None:
    """Raise ValidationException for a certificate that is not valid now."""
    if certificate.not_valid_before_utc.timestamp() > now:
        raise invalid("The certificate is not in effect until later: it can't be imported yet.")
    if certificate.not_valid_after_utc.timestamp() <= now:
        raise invalid("The certificate has expired.")


def facts_of(certificate: x509.Certificate) -> Facts:
    """What it says of itself. Raises ValidationException where it can't be read, or has a key without a name in ACM."""
    try:
        with strict():
            return _facts(certificate)
    except ValueError:
        raise invalid("The certificate is not valid: it has a field or an extension that can't be read.") from None


def key_usages(certificate: x509.Certificate) -> list[str]:
    """`KeyUsageName`s."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ["ANY"]
    return [name for name, field in _KEY_USAGES.items() if getattr(usage, field)]


def extended_key_usages(certificate: x509.Certificate) -> list[tuple[str, str]]:
    """`(ExtendedKeyUsageName, OID)` pairs."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return [("NONE", "")]
    return [(_EXTENDED_KEY_USAGES.get(usage, "CUSTOM"), usage.dotted_string) for usage in usages]


def _facts(certificate: x509.Certificate) -> Facts:
    common = _attribute(certificate.subject, NameOID.COMMON_NAME)
    names = tuple(dict.fromkeys(name for name in (common, *_dns_names(certificate)) if name))
    issuer = certificate.issuer
    digits = f"{certificate.serial_number:x}"
    digits = digits.zfill(len(digits) + len(digits) % 2)
    # Read here so that no later look at them can fail.
    key_usages(certificate)
    extended_key_usages(certificate)
    return Facts(
        domain_name=names[0] if names else "",
        alternative_names=names,
        subject=certificate.subject.rfc4514_string(),
        issuer=_attribute(issuer, NameOID.ORGANIZATION_NAME) or _attribute(issuer, NameOID.COMMON_NAME),
        serial=":".join(digits[at : at + 2] for at in range(0, len(digits), 2)),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        key_algorithm=_key_algorithm(certificate),
        signature_algorithm=_SIGNATURES.get(
            certificate.signature_algorithm_oid, certificate.signature_algorithm_oid.dotted_string
        ),
    )


def key_pem(key: PrivateKey) -> bytes:
    """A private key in PEM (PKCS 8), not encrypted: only ever for a vault."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


_SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_bytes(certificate: x509.Certificate) -> bytes:
    return _public_key(certificate).public_bytes(*_SPKI)


def _public_key(certificate: x509.Certificate) -> PublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise invalid("The certificate's key is not valid, or of a kind that is not supported.") from None
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise invalid("The certificate's key is of a kind that is not supported.")
    return key


def _key_algorithm(certificate: x509.Certificate) -> str:
    key = _public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_BITS:
        return f"RSA_{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    raise invalid(
        "The certificate's key must be RSA of 1024, 2048, 3072 or 4096 bits, or of curve P-256, P-384 or P-521."
    )


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)
