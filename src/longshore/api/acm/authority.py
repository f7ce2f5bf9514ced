"""The local authority: signs what `RequestCertificate` asks for. Made when it is first needed; its key is sealed.

Clients trust its certificates once they trust its own, which GetCertificate answers as every chain.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from longshore.api.acm.material import PrivateKey, key_pem
from longshore.api.common.pem import pem_of
from longshore.api.operation import Call
from longshore.domain.elbv2.certificate import AUTHORITY_KEY, Authority
from longshore.wire.errors import ApiError

NAME = "Longshore local authority"
ORGANIZATION = "Longshore"
AUTHORITY_DAYS = 20 * 365
CERTIFICATE_DAYS = 825
"""The longest that Apple's platforms accept of an authority that a user has added. Nothing is renewed."""


class _Authority(NamedTuple):
    certificate: x509.Certificate
    key: PrivateKey


class Issued(NamedTuple):
    """A new certificate, the authority's, and the key."""

    certificate: x509.Certificate
    chain: x509.Certificate
    key: PrivateKey


def issue(call: Call, names: list[str], algorithm: str) -> Issued:
    """A certificate for servers with these names, the first its common name."""
    authority = _authority(call)
    key = _new_key(algorithm)
    builder = (
        _builder(call, _name(names[0]), key.public_key(), CERTIFICATE_DAYS)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(key_encipherment=isinstance(key, rsa.RSAPrivateKey)), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_identifier_of(authority.certificate), critical=False)
    )
    return Issued(builder.sign(authority.key, hashes.SHA256()), authority.certificate, key)


def _authority(call: Call) -> _Authority:
    kept = call.tx.get(Authority, AUTHORITY_KEY)
    if kept is None:
        return _new_authority(call)
    try:
        opened = call.vault.open(kept.sealed_key)
    except ValueError as error:
        raise ApiError("ServiceUnavailable", str(error), status=503) from None
    key = serialization.load_pem_private_key(opened, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is of a kind that it never is")
    return _Authority(x509.load_pem_x509_certificate(kept.certificate_pem.encode()), key)


def _new_authority(call: Call) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, NAME),
        ]
    )
    builder = (
        _builder(call, name, key.public_key(), AUTHORITY_DAYS)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    account, region, _ = AUTHORITY_KEY
    call.tx.put(
        Authority(
            account=account,
            region=region,
            certificate_pem=pem_of(certificate),
            sealed_key=call.vault.seal(key_pem(key)),
        )
    )
    return _Authority(certificate, key)


def _new_key(algorithm: str) -> PrivateKey:
    """A key of one of the algorithms of `requesting.py`. RSA takes up to a few tenths of a second."""
    match algorithm:
        case "EC_prime256v1":
            return ec.generate_private_key(ec.SECP256R1())
        case "EC_secp384r1":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _builder(
    call: Call, subject: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    begin = datetime.fromtimestamp(int(call.now), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(int(call.ids.hex(31), 16) + 1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(domain: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])


def _identifier_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _usage(*, signs: bool = False, key_encipherment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
