"""Damaged certificates, chains and keys are refused with a sentence, never a fault; what is issued can be used."""

import base64
import ssl

from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api import acm, elbv2
from longshore.wire.errors import ApiError
from tests.support.api import Api
from tests.support.certificates import make, revoking

ROOT = make("Root", ca=True)
LEAF = make("a.example.com", "*.example.com", issuer=ROOT)
REVOKED = revoking(ROOT, 1, 2, 3).encode()
BALANCING = Api(elbv2.OPERATIONS, service="elbv2")
API = Api(acm.SERVICE.operations, service="acm")

Damage = list[tuple[int, int]]
damages = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)


def damaged(pem: bytes, damage: Damage) -> bytes:
    """A text in PEM, whose DER has other bytes in some places."""
    head, *body, tail = pem.decode().strip().split("\n")
    der = bytearray(base64.b64decode("".join(body)))
    for place, value in damage:
        der[place % len(der)] = value
    text = base64.b64encode(bytes(der)).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([head, *lines, tail, ""]).encode()


def code_of(certificate: bytes, chain: bytes, key: bytes) -> str:
    """The error's code; empty where it is taken, and then it can be described and listed."""
    try:
        arn = API("ImportCertificate", Certificate=certificate, CertificateChain=chain, PrivateKey=key)[
            "CertificateArn"
        ]
    except ApiError as error:
        return error.code
    API("DescribeCertificate", CertificateArn=arn)
    API("ListCertificates", Includes={"keyTypes": ["EC_prime256v1"]})
    API("DeleteCertificate", CertificateArn=arn)
    return ""


@settings(max_examples=300, deadline=None)
@given(damages, st.sampled_from(["certificate", "chain", "key"]))
def test_damage_is_refused_or_harmless(damage: Damage, where: str) -> None:
    pems = {"certificate": LEAF.pem, "chain": ROOT.pem, "key": LEAF.key_pem}
    pems[where] = damaged(pems[where], damage)
    assert code_of(pems["certificate"], pems["chain"], pems["key"]) in {"", "ValidationException"}


@settings(max_examples=200, deadline=None)
@given(damages)
def test_damage_in_a_trust_store_is_refused_or_harmless(damage: Damage) -> None:
    bundle = damaged(ROOT.pem, damage).decode()
    contents = [{"S3Bucket": "inline", "S3Key": damaged(REVOKED, damage).decode()}]
    given_ = {"CaCertificatesBundleS3Bucket": "inline", "CaCertificatesBundleS3Key": bundle}
    whole = {**given_, "CaCertificatesBundleS3Key": ROOT.pem.decode()}
    arn = BALANCING("CreateTrustStore", Name="a", **whole)["TrustStores"][0]["TrustStoreArn"]
    codes = set()
    for operation, asked in (
        ("ModifyTrustStore", given_),
        ("AddTrustStoreRevocations", {"RevocationContents": contents}),
    ):
        try:
            BALANCING(operation, TrustStoreArn=arn, **asked)
        except ApiError as error:
            codes.add(error.code)
    BALANCING("DeleteTrustStore", TrustStoreArn=arn)
    assert codes <= {"InvalidCaCertificatesBundle", "InvalidRevocationContent"}


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
domains = st.lists(labels, min_size=2, max_size=4).map(".".join).filter(lambda name: len(name) <= 64)


@settings(max_examples=30, deadline=None)
@given(st.lists(domains, min_size=1, max_size=5))
def test_what_is_issued_is_for_all_its_names_and_loads_where_it_serves(names: list[str]) -> None:
    asked = {"DomainName": names[0], "SubjectAlternativeNames": names, "KeyAlgorithm": "EC_prime256v1"}
    arn = API("RequestCertificate", **asked)["CertificateArn"]
    view = API("DescribeCertificate", CertificateArn=arn)["Certificate"]
    assert view["SubjectAlternativeNames"] == list(dict.fromkeys(names))
    pem = API("GetCertificate", CertificateArn=arn)
    leaf = x509.load_pem_x509_certificate(pem["Certificate"].encode())
    own = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(own.get_values_for_type(x509.DNSName)) == set(names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem["CertificateChain"])
    assert context.cert_store_stats()["x509_ca"] == 1
