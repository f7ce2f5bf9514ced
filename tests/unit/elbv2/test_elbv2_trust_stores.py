"""Trust stores through their handlers, and listeners that verify clients with them."""

from typing import Any

import pytest

from longshore.api import elbv2
from longshore.domain.elbv2.balancer import TrustStore
from tests.support.api import Api
from tests.support.balancers import create_balancer, import_certificate
from tests.support.certificates import make, revoking

ROOT, OTHER = make("Root", ca=True), make("Other root", ca=True)
BUNDLE = (ROOT.pem + OTHER.pem).decode()


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


def inline(text: str) -> dict[str, str]:
    return {"CaCertificatesBundleS3Bucket": "inline", "CaCertificatesBundleS3Key": text}


def create(api: Api, name: str = "clients") -> dict[str, Any]:
    (made,) = api("CreateTrustStore", Name=name, **inline(BUNDLE))["TrustStores"]
    shown: dict[str, Any] = made
    return shown


def content(text: str) -> dict[str, str]:
    return {"S3Bucket": "inline", "S3Key": text, "RevocationType": "CRL"}


def test_a_trust_store_holds_the_authorities_it_was_given(api: Api) -> None:
    made = create(api)
    assert made["TrustStoreArn"].startswith("arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/clients/")
    assert (made["Status"], made["NumberOfCaCertificates"], made["TotalRevokedEntries"]) == ("ACTIVE", 2, 0)
    (kept,) = api.store.all(TrustStore)
    assert kept.bundle_pem == BUNDLE
    arn = made["TrustStoreArn"]
    (changed,) = api("ModifyTrustStore", TrustStoreArn=arn, **inline(ROOT.pem.decode()))["TrustStores"]
    assert changed["NumberOfCaCertificates"] == 1
    assert api("DescribeTrustStores", TrustStoreArns=[arn])["TrustStores"] == [changed]
    assert api("DescribeTrustStores", Names=["clients"])["TrustStores"] == [changed]
    assert api("DescribeTrustStores")["TrustStores"] == [changed]


def test_a_listener_verifies_clients_with_it(api: Api) -> None:
    arn = create(api)["TrustStoreArn"]
    balancer = create_balancer(api)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    (listener,) = api(
        "CreateListener",
        LoadBalancerArn=balancer.arn,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": import_certificate(api)}],
        DefaultActions=[answer],
        MutualAuthentication={"Mode": "verify", "TrustStoreArn": arn},
    )["Listeners"]
    mutual = {
        "Mode": "verify",
        "TrustStoreArn": arn,
        "IgnoreClientCertificateExpiry": False,
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": "off",
    }
    assert listener["MutualAuthentication"] == mutual
    found = api("DescribeTrustStoreAssociations", TrustStoreArn=arn)["TrustStoreAssociations"]
    assert found == [{"ResourceArn": balancer.arn}]
    assert api.error("DeleteTrustStore", TrustStoreArn=arn).code == "TrustStoreInUse"
    listener_arn = listener["ListenerArn"]
    (kept,) = api("ModifyListener", ListenerArn=listener_arn, MutualAuthentication=mutual)["Listeners"]
    assert kept == listener
    off = {"Mode": "off"}
    (changed,) = api("ModifyListener", ListenerArn=listener_arn, MutualAuthentication=off)["Listeners"]
    assert changed["MutualAuthentication"] == off
    api("DeleteTrustStore", TrustStoreArn=arn)
    assert api.error("DeleteTrustStore", TrustStoreArn=arn).code == "TrustStoreNotFound"


def test_revocation_lists_come_and_go_by_number(api: Api) -> None:
    arn = create(api)["TrustStoreArn"]
    contents = [content(revoking(ROOT, 1, 2)), content(revoking(OTHER, 3))]
    added = api("AddTrustStoreRevocations", TrustStoreArn=arn, RevocationContents=contents)["TrustStoreRevocations"]
    assert [(each["RevocationId"], each["NumberOfRevokedEntries"]) for each in added] == [(1, 2), (2, 1)]
    assert api("DescribeTrustStores")["TrustStores"][0]["TotalRevokedEntries"] == 3
    api("RemoveTrustStoreRevocations", TrustStoreArn=arn, RevocationIds=[1])
    found = api("DescribeTrustStoreRevocations", TrustStoreArn=arn)["TrustStoreRevocations"]
    assert found == [added[1]]
    assert api("DescribeTrustStoreRevocations", TrustStoreArn=arn, RevocationIds=[2])["TrustStoreRevocations"] == found
    for operation in ("RemoveTrustStoreRevocations", "DescribeTrustStoreRevocations"):
        assert api.error(operation, TrustStoreArn=arn, RevocationIds=[1]).code == "RevocationIdNotFound"


def test_what_is_not_there_or_not_readable_is_refused(api: Api) -> None:
    arn = create(api)["TrustStoreArn"]

    def code(operation: str, **params: Any) -> str:
        return api.error(operation, **params).code

    elsewhere = {"CaCertificatesBundleS3Bucket": "bucket", "CaCertificatesBundleS3Key": "key"}
    error = api.error("CreateTrustStore", Name="other", **elsewhere)
    assert (error.code, "no S3" in error.message) == ("CaCertificatesBundleNotFound", True)
    assert code("CreateTrustStore", Name="other", **inline("x")) == "InvalidCaCertificatesBundle"
    assert code("CreateTrustStore", Name="clients", **inline(BUNDLE)) == "DuplicateTrustStoreName"
    assert code("DescribeTrustStores", Names=["none"]) == "TrustStoreNotFound"
    assert code("DescribeTrustStores", Names=["clients"], TrustStoreArns=[arn]) == "ValidationError"
    revocations = "AddTrustStoreRevocations"
    assert code(revocations, TrustStoreArn=arn) == "ValidationError"
    assert code(revocations, TrustStoreArn=arn, RevocationContents=[{}]) == "RevocationContentNotFound"
    assert code(revocations, TrustStoreArn=arn, RevocationContents=[content("x")]) == "InvalidRevocationContent"
