"""ACM through its handlers: import, request, describe, list, delete, tags."""

import ssl
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from longshore.api import acm
from longshore.domain.elbv2.balancer import Listener
from longshore.domain.elbv2.certificate import AUTHORITY_KEY, Authority, Certificate
from longshore.domain.kinds import KINDS
from tests.support.api import SCOPE, VAULT, Api
from tests.support.certificates import Made, make
from tests.support.serving import Serving

DAY_S = 86_400
ROOT = make("Test root", ca=True)
OTHER_ROOT = make("Other root", ca=True)
LEAF = make("a.example.com", "*.b.example.com", issuer=ROOT)


@pytest.fixture
def api() -> Api:
    return Api(acm.SERVICE.operations, service="acm")


def imported(api: Api, made: Made = LEAF, chain: Made | None = ROOT, **more: Any) -> str:
    given = {"Certificate": made.pem, "PrivateKey": made.key_pem, **({"CertificateChain": chain.pem} if chain else {})}
    arn: str = api("ImportCertificate", **{**given, **more})["CertificateArn"]
    return arn


def requested(api: Api, domain: str = "www.example.com", **more: Any) -> str:
    arn: str = api("RequestCertificate", **{"DomainName": domain, "KeyAlgorithm": "EC_prime256v1", **more})[
        "CertificateArn"
    ]
    return arn


def described(api: Api, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = api("DescribeCertificate", CertificateArn=arn)["Certificate"]
    return found


def use(api: Api, arn: str) -> str:
    """A listener with the certificate; the ARN of its load balancer."""
    lb_id = api.ids.hex(16)
    listener = Listener(
        account=SCOPE.account,
        region=SCOPE.region,
        lb_id=lb_id,
        lb_path=f"app/web/{lb_id}",
        listener_id=api.ids.hex(16),
        default_rule_id=api.ids.hex(16),
        port=443,
        protocol="HTTPS",
        certificates=(arn,),
        default_actions=(),
        created_at=api.now,
    )
    api.put(listener)
    return f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/{lb_id}"


# Import


def test_an_imported_certificate_is_described_as_it_is(api: Api) -> None:
    arn = imported(api, Tags=[{"Key": "k", "Value": "v"}])
    assert arn.startswith("arn:aws:acm:us-east-1:123456789012:certificate/")
    found = described(api, arn)
    assert found["DomainName"] == "a.example.com"
    assert found["SubjectAlternativeNames"] == ["a.example.com", "*.b.example.com"]
    assert (found["Type"], found["Status"], found["KeyAlgorithm"]) == ("IMPORTED", "ISSUED", "EC_prime256v1")
    assert (found["Subject"], found["Issuer"]) == ("CN=a.example.com", "Test root")
    assert int(found["Serial"].replace(":", ""), 16) == LEAF.certificate.serial_number
    assert found["ImportedAt"] == found["CreatedAt"] == api.now
    assert found["InUseBy"] == []
    assert api("ListTagsForCertificate", CertificateArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]


def test_certificate_and_chain_come_back_and_the_key_does_not(api: Api) -> None:
    answer = api("GetCertificate", CertificateArn=imported(api))
    assert answer == {"Certificate": LEAF.pem.decode(), "CertificateChain": ROOT.pem.decode()}
    alone = make("self.example.com")
    answer = api("GetCertificate", CertificateArn=imported(api, alone, None))
    assert answer == {"Certificate": alone.pem.decode()}


def test_no_record_has_a_key_in_plain_text(api: Api) -> None:
    imported(api)
    requested(api)
    kept = b"".join(msgspec.json.encode(record) for kind in KINDS for record in api.store.all(kind))
    assert b"PRIVATE" not in kept
    assert b"CERTIFICATE" in kept
    (own,) = [each for each in api.store.all(Certificate) if each.type == "IMPORTED"]
    assert VAULT.open(own.sealed_key) == LEAF.key_pem


def test_imported_again_it_has_new_contents_under_its_old_name(api: Api) -> None:
    arn = imported(api)
    api.now += DAY_S
    later = make("a.example.com", "new.example.com", issuer=ROOT)
    assert imported(api, later, CertificateArn=arn) == arn
    found = described(api, arn)
    assert found["SubjectAlternativeNames"] == ["a.example.com", "new.example.com"]
    assert found["ImportedAt"] == found["CreatedAt"] + DAY_S


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Certificate": b"no"}, "must be X.509 in PEM"),
        ({"Certificate": LEAF.pem + ROOT.pem}, "more than one"),
        ({"CertificateChain": b"no"}, "certificate chain is not valid"),
        ({"CertificateChain": OTHER_ROOT.pem}, "Could not validate"),
        ({"CertificateChain": None}, "not a valid self signed"),
        ({"PrivateKey": b"no"}, "private key is not valid"),
        ({"PrivateKey": ROOT.key_pem}, "does not match"),
        (
            {
                "PrivateKey": LEAF.key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.BestAvailableEncryption(b"secret"),
                )
            },
            "encrypted",
        ),
    ],
)
def test_what_does_not_fit_together_is_not_imported(api: Api, change: dict[str, Any], text: str) -> None:
    given = {"Certificate": LEAF.pem, "PrivateKey": LEAF.key_pem, "CertificateChain": ROOT.pem, **change}
    error = api.error("ImportCertificate", **given)
    assert (error.code, text in error.message) == ("ValidationException", True), error.message


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (make("old.example.com", days=1), "has expired"),
        (make("new.example.com", begin=1_800_000_000.0), "not in effect"),
        (make("odd.example.com", key=ec.generate_private_key(ec.SECP256K1())), "must be RSA"),
    ],
)
def test_certificates_that_cannot_serve_are_not_imported(api: Api, made: Made, text: str) -> None:
    error = api.error("ImportCertificate", Certificate=made.pem, PrivateKey=made.key_pem)
    assert (error.code, text in error.message) == ("ValidationException", True), error.message


def test_what_takes_a_place_must_fit_it(api: Api) -> None:
    arn = imported(api)
    other_kind = make("a.example.com", key=rsa.generate_private_key(65537, 2048))
    given = {"Certificate": other_kind.pem, "PrivateKey": other_kind.key_pem, "CertificateArn": arn}
    assert "must be EC_prime256v1" in api.error("ImportCertificate", **given).message
    own = make("a.example.com")
    given = {"Certificate": own.pem, "PrivateKey": own.key_pem}
    assert api.error("ImportCertificate", **given, CertificateArn=requested(api)).code == "ValidationException"
    tags = [{"Key": "a", "Value": "b"}]
    assert "re-import" in api.error("ImportCertificate", **given, CertificateArn=arn, Tags=tags).message
    assert api.error("ImportCertificate", **given, CertificateArn=arn + "0").code == "ResourceNotFoundException"


# Request


def test_a_requested_certificate_is_issued_at_once_and_tells_its_dns_records(api: Api) -> None:
    arn = requested(
        api, "Example.com", SubjectAlternativeNames=["*.example.com", "example.com"], ValidationMethod="DNS"
    )
    found = described(api, arn)
    assert (found["Status"], found["Type"], found["Issuer"]) == ("ISSUED", "AMAZON_ISSUED", "Longshore")
    assert found["SubjectAlternativeNames"] == ["example.com", "*.example.com"]
    assert found["Options"] == {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}
    assert found["KeyUsages"] == [{"Name": "DIGITAL_SIGNATURE"}]
    assert [usage["Name"] for usage in found["ExtendedKeyUsages"]] == ["TLS_WEB_SERVER_AUTHENTICATION"]
    records = [each["ResourceRecord"] for each in found["DomainValidationOptions"]]
    assert records[0] == records[1]
    assert records[0]["Name"].endswith(".example.com.")
    assert {each["ValidationStatus"] for each in found["DomainValidationOptions"]} == {"SUCCESS"}


def test_whoever_trusts_the_authority_trusts_its_certificates(api: Api) -> None:
    answers = [
        api("GetCertificate", CertificateArn=requested(api, name)) for name in ("a.example.com", "b.example.com")
    ]
    assert answers[0]["CertificateChain"] == answers[1]["CertificateChain"]
    authority = x509.load_pem_x509_certificate(answers[0]["CertificateChain"].encode())
    for answer in answers:
        x509.load_pem_x509_certificate(answer["Certificate"].encode()).verify_directly_issued_by(authority)
    store = x509.verification.Store([authority])
    verifier = x509.verification.PolicyBuilder().store(store)
    verifier = verifier.time(authority.not_valid_before_utc)
    leaf = x509.load_pem_x509_certificate(answers[0]["Certificate"].encode())
    verifier.build_server_verifier(x509.DNSName("a.example.com")).verify(leaf, [])
    assert ssl.create_default_context(cadata=answers[0]["CertificateChain"]).cert_store_stats()["x509_ca"] >= 1


@pytest.mark.parametrize(
    ("algorithm", "names"),
    [("RSA_2048", {"DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"}), ("EC_secp384r1", {"DIGITAL_SIGNATURE"})],
)
def test_keys_are_of_the_algorithm_asked_for(api: Api, algorithm: str, names: set[str]) -> None:
    found = described(api, requested(api, KeyAlgorithm=algorithm))
    assert found["KeyAlgorithm"] == algorithm
    assert {usage["Name"] for usage in found["KeyUsages"]} == names


def test_the_same_request_gets_the_same_certificate_for_an_hour(api: Api) -> None:
    first = requested(api, IdempotencyToken="t")
    assert requested(api, IdempotencyToken="t") == first
    assert requested(api, "other.example.com", IdempotencyToken="t") != first
    assert requested(api) != requested(api)
    api.now += 3600
    assert requested(api, IdempotencyToken="t") != first


def test_a_certificate_expires(api: Api) -> None:
    arn = requested(api)
    api.now += 826 * DAY_S
    assert described(api, arn)["Status"] == "EXPIRED"


def test_without_the_master_key_nothing_is_issued(api: Api) -> None:
    requested(api)
    authority = api.store.get(Authority, AUTHORITY_KEY)
    assert authority is not None
    api.put(authority.but(sealed_key="AAAA"))
    error = api.error("RequestCertificate", DomainName="a.example.com", KeyAlgorithm="EC_prime256v1")
    assert (error.status, "LONGSHORE_SECRET_KEY" in error.message) == (503, True)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"DomainName": f"{'a' * 60}.example.com"}, "InvalidParameterException"),
        ({"KeyAlgorithm": "RSA_4096"}, "InvalidParameterException"),
        ({"ValidationMethod": "HTTP"}, "InvalidParameterException"),
        ({"Options": {"Export": "ENABLED"}}, "InvalidParameterException"),
        (
            {"CertificateAuthorityArn": "arn:aws:acm-pca:us-east-1:1:certificate-authority/a"},
            "InvalidParameterException",
        ),
        ({"SubjectAlternativeNames": [f"n{n}.example.com" for n in range(100)]}, "LimitExceededException"),
        (
            {"DomainValidationOptions": [{"DomainName": "www.example.com", "ValidationDomain": "example.org"}]},
            "InvalidDomainValidationOptionsException",
        ),
        ({"Tags": [{"Key": "aws:a", "Value": "b"}]}, "InvalidTagException"),
    ],
)
def test_refused_requests(api: Api, params: dict[str, Any], code: str) -> None:
    assert api.error("RequestCertificate", **{"DomainName": "www.example.com", **params}).code == code


# Use


def test_a_certificate_in_use_stays(api: Api) -> None:
    arn = imported(api)
    user = use(api, arn)
    assert described(api, arn)["InUseBy"] == [user]
    error = api.error("DeleteCertificate", CertificateArn=arn)
    assert (error.code, user in error.message) == ("ResourceInUseException", True)
    (listener,) = api.store.all(Listener)
    with api.transaction() as tx:
        tx.delete(Listener, listener.key)
    assert api("DeleteCertificate", CertificateArn=arn) == {}
    assert api.error("DescribeCertificate", CertificateArn=arn).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:acm:us-east-1:123456789012:certificate/none", "ResourceNotFoundException"),
        ("arn:aws:acm:eu-west-1:123456789012:certificate/none", "ResourceNotFoundException"),
        ("arn:aws:acm:us-east-1:123456789012:other/none", "InvalidArnException"),
        ("none", "InvalidArnException"),
    ],
)
def test_what_is_not_there(api: Api, arn: str, code: str) -> None:
    assert api.error("GetCertificate", CertificateArn=arn).code == code


def test_another_region_does_not_see_a_certificate(api: Api) -> None:
    arn = imported(api)
    (own,) = api.store.all(Certificate)
    with api.transaction() as tx:
        tx.delete(Certificate, own.key)
        tx.put(own.but(region="eu-west-1"))
    assert api.error("DescribeCertificate", CertificateArn=arn).code == "ResourceNotFoundException"
    assert api("ListCertificates")["CertificateSummaryList"] == []


# Lists and tags


def listed(api: Api, **params: Any) -> list[str]:
    return [each["DomainName"] for each in api("ListCertificates", **params)["CertificateSummaryList"]]


def test_lists_are_filtered_as_on_aws(api: Api) -> None:
    requested(api, "rsa.example.com", KeyAlgorithm="RSA_2048")
    api.now += 1
    requested(api, "ec.example.com")
    api.now += 1
    imported(api)
    both = ["RSA_2048", "EC_prime256v1"]
    assert listed(api) == ["rsa.example.com"]
    assert listed(api, Includes={"keyTypes": both}) == ["rsa.example.com", "ec.example.com", "a.example.com"]
    order = {"SortBy": "CREATED_AT", "SortOrder": "DESCENDING"}
    assert listed(api, Includes={"keyTypes": both}, **order)[0] == "a.example.com"
    usage = {"keyTypes": both, "extendedKeyUsage": ["TLS_WEB_SERVER_AUTHENTICATION"]}
    assert listed(api, Includes=usage) == ["rsa.example.com", "ec.example.com"]
    assert listed(api, Includes={"keyTypes": both, "keyUsage": ["ANY"]}) == ["a.example.com"]
    assert listed(api, Includes={"keyTypes": both}, CertificateKeyPairOrigins=["CUSTOMER_PROVIDED"]) == [
        "a.example.com"
    ]
    assert listed(api, Includes={"exportOption": "ENABLED"}) == []
    assert listed(api, CertificateStatuses=["EXPIRED"]) == []
    assert api.error("ListCertificates", SortBy="CREATED_AT").code == "ValidationException"
    assert api.error("ListCertificates", NextToken="x").code == "InvalidArgsException"


@pytest.mark.parametrize("order", ["ASCENDING", "DESCENDING"])
def test_pages_hold_each_certificate_once(api: Api, order: str) -> None:
    for number in range(5):
        requested(api, f"n{number}.example.com")
        api.now += number % 2
    question = {"Includes": {"keyTypes": ["EC_prime256v1"]}, "MaxItems": 2, "SortBy": "CREATED_AT", "SortOrder": order}
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = api("ListCertificates", **question, **token)
        found += [each["DomainName"] for each in answer["CertificateSummaryList"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert sorted(found) == [f"n{number}.example.com" for number in range(5)]


def test_tags_come_and_go(api: Api) -> None:
    arn = imported(api)
    pairs = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}, {"Key": "c"}]
    api("AddTagsToCertificate", CertificateArn=arn, Tags=pairs)
    api("RemoveTagsFromCertificate", CertificateArn=arn, Tags=[{"Key": "a", "Value": "9"}, {"Key": "b"}, {"Key": "z"}])
    tags = api("ListTagsForCertificate", CertificateArn=arn)["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "c", "Value": ""}]
    many = [{"Key": str(number), "Value": ""} for number in range(49)]
    assert api.error("AddTagsToCertificate", CertificateArn=arn, Tags=many).code == "TooManyTagsException"


def test_boto3_and_its_waiter_take_a_certificate_for_validated() -> None:
    with Serving() as server:
        client = server.client("acm")
        asked = {"DomainName": "www.example.com", "KeyAlgorithm": "EC_prime256v1", "ValidationMethod": "DNS"}
        arn = client.request_certificate(**asked)["CertificateArn"]
        client.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"MaxAttempts": 1})
        found = client.describe_certificate(CertificateArn=arn)["Certificate"]
        assert found["NotAfter"] > found["IssuedAt"]
        leaf = make("a.example.com")
        own = client.import_certificate(Certificate=leaf.pem, PrivateKey=leaf.key_pem)["CertificateArn"]
        assert client.get_certificate(CertificateArn=own)["Certificate"] == leaf.pem.decode()
        client.delete_certificate(CertificateArn=arn)
