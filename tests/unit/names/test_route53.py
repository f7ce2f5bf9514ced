"""Route 53's API: zones, their VPCs, record sets in batches, and the zones of Cloud Map's namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.api import route53, servicediscovery
from longshore.api.route53 import OPERATIONS
from longshore.domain.ec2.network import Vpc
from longshore.domain.names.zone import HostedZone, RecordSet
from tests.support.api import SCOPE, Api
from tests.support.names import instance, registry

VPC = {"VPCId": "vpc-1", "VPCRegion": "us-east-1"}
ALB, NLB_IN_IRELAND = "Z35SXDOTRQ7X7K", "Z2IFOLAFXWLO4F"
"""AWS's hosted zones of application load balancers in us-east-1, and of network load balancers in eu-west-1."""


@pytest.fixture
def api() -> Api:
    return Api(OPERATIONS, service="route53")


def make(api: Api, name: str = "example.internal", reference: str = "", **asked: Any) -> str:
    """A private zone's id."""
    vpc = asked.pop("VPC", VPC)
    made = api("CreateHostedZone", Name=name, CallerReference=reference or f"r-{name}", VPC=vpc, **asked)
    return str(made["HostedZone"]["Id"])


def record(name: str, kind: str = "A", *values: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Name": name, "Type": kind, **more}
    if values:
        made |= {"TTL": 60, "ResourceRecords": [{"Value": value} for value in values], **more}
    return made


def batch(api: Api, zone_id: str, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    listed = [{"Action": action, "ResourceRecordSet": each} for action, each in changes]
    return api("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch={"Changes": listed})


def fault(api: Api, zone_id: str, *changes: tuple[str, dict[str, Any]]) -> str:
    listed = [{"Action": action, "ResourceRecordSet": each} for action, each in changes]
    error = api.error("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch={"Changes": listed})
    assert error.code in {"InvalidChangeBatch", "InvalidInput"}
    return error.message


def names(api: Api, zone_id: str, **asked: Any) -> list[tuple[str, str]]:
    found = api("ListResourceRecordSets", HostedZoneId=zone_id, **asked)["ResourceRecordSets"]
    return [(each["Name"], each["Type"]) for each in found]


# --------------------------------------------------------------------------------------------------------- zones


def test_a_private_zone_is_made_shown_changed_and_deleted(api: Api) -> None:
    made = api(
        "CreateHostedZone",
        Name="Example.Internal.",
        CallerReference="once",
        VPC=VPC,
        HostedZoneConfig={"Comment": "mine", "PrivateZone": True},
    )
    zone_id = made["HostedZone"]["Id"]
    assert zone_id.startswith("/hostedzone/Z")
    assert made["HostedZone"]["Name"] == "example.internal."
    assert (made["VPC"], made["ChangeInfo"]["Status"]) == (VPC, "INSYNC")
    assert made["Location"].endswith(zone_id)
    assert api("GetChange", Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    shown = api("GetHostedZone", Id=zone_id)
    assert shown["VPCs"] == [VPC]
    assert shown["HostedZone"]["Config"] == {"Comment": "mine", "PrivateZone": True}
    assert shown["HostedZone"]["ResourceRecordSetCount"] == 2
    api("UpdateHostedZoneComment", Id=zone_id, Comment="yours")
    assert api("GetHostedZone", Id=zone_id)["HostedZone"]["Config"]["Comment"] == "yours"
    assert api("GetHostedZoneCount") == {"HostedZoneCount": 1}
    api("DeleteHostedZone", Id=zone_id.removeprefix("/hostedzone/"))
    assert api.error("GetHostedZone", Id=zone_id).code == "NoSuchHostedZone"
    assert not [*api.store.all(HostedZone), *api.store.all(RecordSet)]
    assert api.error("GetChange", Id="C1").code == "NoSuchChange"


def test_a_public_zone_has_name_servers_and_no_vpcs(api: Api) -> None:
    made = api("CreateHostedZone", Name="example.com", CallerReference="p")
    assert len(made["DelegationSet"]["NameServers"]) == 4
    shown = api("GetHostedZone", Id=made["HostedZone"]["Id"])
    assert "VPCs" not in shown
    asked = {"HostedZoneId": made["HostedZone"]["Id"], "VPC": VPC}
    assert api.error("AssociateVPCWithHostedZone", **asked).code == "PublicZoneVPCAssociation"


def test_no_zone_is_signed_and_a_private_one_never_is(api: Api) -> None:
    public = api("CreateHostedZone", Name="example.com", CallerReference="p")["HostedZone"]["Id"]
    said = api("GetDNSSEC", HostedZoneId=public)
    assert said == {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}
    error = api.error("GetDNSSEC", HostedZoneId=make(api))
    assert (error.code, error.message) == (
        "InvalidArgument",
        "Operation is unsupported for private hosted zones.",  # Terraform looks for its first words
    )
    assert api.error("GetDNSSEC", HostedZoneId="Z0").code == "NoSuchHostedZone"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Name": "a..b", "VPC": VPC}, "InvalidDomainName"),
        ({"Name": "a.internal", "VPC": {**VPC, "VPCId": "vpc-9"}}, "InvalidVPCId"),
        ({"Name": "a.internal", "VPC": {**VPC, "VPCRegion": "eu-west-1"}}, "InvalidVPCId"),
        ({"Name": "a.internal", "HostedZoneConfig": {"PrivateZone": True}}, "InvalidInput"),
        ({"Name": "example.internal", "VPC": VPC}, "ConflictingDomainExists"),
        ({"Name": "b.internal", "VPC": VPC, "CallerReference": "r-example.internal"}, "HostedZoneAlreadyExists"),
    ],
)
def test_zones_that_cannot_be_are_refused(api: Api, asked: dict[str, Any], code: str) -> None:
    make(api)
    assert api.error("CreateHostedZone", **{"CallerReference": "new", **asked}).code == code


def test_a_zone_can_be_known_in_more_vpcs_and_the_last_one_stays(api: Api) -> None:
    second = {**VPC, "VPCId": "vpc-2"}
    api.put(Vpc(account=SCOPE.account, region=SCOPE.region, vpc_id="vpc-2", cidr="10.0.0.0/16"))
    zone_id = make(api)
    other = make(api, "example.internal", "other", VPC=second)
    conflict = api.error("AssociateVPCWithHostedZone", HostedZoneId=zone_id, VPC=second)
    assert conflict.code == "ConflictingDomainExists"
    api("DeleteHostedZone", Id=other)
    api("AssociateVPCWithHostedZone", HostedZoneId=zone_id, VPC=second, Comment="c")
    assert api("GetHostedZone", Id=zone_id)["VPCs"] == [VPC, second]
    api("DisassociateVPCFromHostedZone", HostedZoneId=zone_id, VPC=VPC)
    assert api("GetHostedZone", Id=zone_id)["VPCs"] == [second]
    asked = {"HostedZoneId": zone_id, "VPC": second}
    assert api.error("DisassociateVPCFromHostedZone", **asked).code == "LastVPCAssociation"
    assert api.error("DisassociateVPCFromHostedZone", **{**asked, "VPC": VPC}).code == "VPCAssociationNotFound"


def test_zones_are_listed_in_pages_by_id_name_and_vpc(api: Api) -> None:
    made = {name: make(api, name) for name in ("b.internal", "a.internal", "internal", "x.a.internal")}
    first = api("ListHostedZones", MaxItems="3")
    second = api("ListHostedZones", MaxItems="3", Marker=first["NextMarker"])
    listed = [each["Id"] for each in (*first["HostedZones"], *second["HostedZones"])]
    assert (sorted(listed), first["IsTruncated"], second["IsTruncated"]) == (sorted(made.values()), True, False)
    by_name = api("ListHostedZonesByName")["HostedZones"]
    assert [each["Name"] for each in by_name] == ["internal.", "a.internal.", "x.a.internal.", "b.internal."]
    found = api("ListHostedZonesByName", DNSName="a.internal", MaxItems="1")
    assert [each["Id"] for each in found["HostedZones"]] == [made["a.internal"]]
    assert found["NextDNSName"] == "x.a.internal."
    in_vpc = api("ListHostedZonesByVPC", VPCId="vpc-1", VPCRegion="us-east-1")["HostedZoneSummaries"]
    assert {each["Owner"]["OwningAccount"] for each in in_vpc} == {SCOPE.account}
    assert len(in_vpc) == 4
    assert api.error("ListHostedZones", MaxItems="none").code == "InvalidInput"


def test_zones_have_tags(api: Api) -> None:
    zone_id = make(api)
    resource = {"ResourceType": "hostedzone", "ResourceId": zone_id}
    api("ChangeTagsForResource", **resource, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    api("ChangeTagsForResource", **resource, AddTags=[{"Key": "b", "Value": "3"}], RemoveTagKeys=["a", "x"])
    shown = api("ListTagsForResource", **resource)["ResourceTagSet"]
    assert shown["Tags"] == [{"Key": "b", "Value": "3"}]
    assert api("ListTagsForResources", ResourceType="hostedzone", ResourceIds=[zone_id])["ResourceTagSets"] == [shown]
    health = {"ResourceType": "healthcheck", "ResourceId": "x"}
    assert api.error("ListTagsForResource", **health).code == "NoSuchHealthCheck"


# --------------------------------------------------------------------------------------------------- record sets


def test_record_sets_are_made_replaced_and_deleted_and_shown_as_they_were_given(api: Api) -> None:
    zone_id = make(api)
    web = record("web.example.internal", "A", "10.0.0.1", "10.0.0.2")
    batch(api, zone_id, ("CREATE", web), ("CREATE", record("*.example.internal", "TXT", r'"a\052" "b"')))
    listed = api("ListResourceRecordSets", HostedZoneId=zone_id)["ResourceRecordSets"]
    assert [(each["Name"], each["Type"]) for each in listed] == [
        ("example.internal.", "NS"),
        ("example.internal.", "SOA"),
        (r"\052.example.internal.", "TXT"),
        ("web.example.internal.", "A"),
    ]
    assert listed[3] == {**web, "Name": "web.example.internal."}
    assert listed[2]["ResourceRecords"] == [{"Value": r'"a\052" "b"'}]
    assert api.error("DeleteHostedZone", Id=zone_id).code == "HostedZoneNotEmpty"
    batch(api, zone_id, ("UPSERT", record("WEB.example.internal.", "A", "10.0.0.3")))
    assert "do not match the current values" in fault(api, zone_id, ("DELETE", web))
    batch(
        api,
        zone_id,
        ("DELETE", record("web.example.internal", "A", "10.0.0.3")),
        ("DELETE", record(r"\052.example.internal.", "TXT", r'"a\052" "b"')),
    )
    api("DeleteHostedZone", Id=zone_id)


def test_a_batch_is_made_whole_or_not_at_all(api: Api) -> None:
    zone_id = make(api)
    good, bad = record("a.example.internal", "A", "10.0.0.1"), record("b.example.internal", "A", "10.0.0")
    assert "10.0.0'" in fault(api, zone_id, ("CREATE", good), ("CREATE", bad))
    assert len(names(api, zone_id)) == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (record("a.other.internal", "A", "10.0.0.1"), "is not permitted in zone example.internal."),
        (record("a.example.internal", "A", "10.0.0.1", "10.0.0.1"), "Duplicate Resource Record"),
        (record("a.example.internal", "AAAA", "10.0.0.1"), "Invalid Resource Record"),
        (record("a.example.internal", "TXT", "bare"), "enclosed in quotation marks"),
        (record("a.example.internal", "SRV", "1 1 web"), "Invalid Resource Record"),
        (record("a.example.internal", "CNAME", "x.test", "y.test"), "one value only"),
        (record("example.internal", "CNAME", "x.test"), "not permitted at apex"),
        (record("taken.example.internal", "CNAME", "x.test"), "conflicting RRSet of type A"),
        (record("a.example.internal", "A"), "Expected exactly one of"),
        (record("a.example.internal", "A", "10.0.0.1", Weight=1), "SetIdentifier"),
        (record("a.example.internal", "A", "10.0.0.1", SetIdentifier="x"), "SetIdentifier"),
        (record("taken.example.internal", "A", "10.0.0.1", SetIdentifier="x", Weight=1), "simple sets exist"),
        (record("a..example.internal", "A", "10.0.0.1"), "invalid character"),
        (record("a.example.internal", "SOA", "a. b. 1 2 3 4 5"), "RRSet of type SOA"),
    ],
)
def test_record_sets_that_cannot_be_are_refused(api: Api, given: dict[str, Any], text: str) -> None:
    zone_id = make(api)
    batch(api, zone_id, ("CREATE", record("taken.example.internal", "A", "10.0.0.9")))
    assert text in fault(api, zone_id, ("CREATE", given))


def test_what_is_there_is_not_created_and_what_is_not_is_not_deleted(api: Api) -> None:
    zone_id = make(api)
    web = record("web.example.internal", "A", "10.0.0.1")
    assert "but it was not found" in fault(api, zone_id, ("DELETE", web))
    batch(api, zone_id, ("CREATE", web))
    assert "but it already exists" in fault(api, zone_id, ("CREATE", web))
    listed = api("ListResourceRecordSets", HostedZoneId=zone_id)["ResourceRecordSets"]
    for own in listed[:2]:
        assert "A HostedZone must contain" in fault(api, zone_id, ("DELETE", own))
    soa = {**listed[1], "TTL": 5}
    batch(api, zone_id, ("UPSERT", soa))
    assert api("ListResourceRecordSets", HostedZoneId=zone_id)["ResourceRecordSets"][1]["TTL"] == 5


def test_weighted_and_multivalue_sets_stand_beside_their_like(api: Api) -> None:
    zone_id = make(api)
    first = record("w.example.internal", "A", "10.0.0.1", SetIdentifier="a", Weight=0)
    second = record("w.example.internal", "A", "10.0.0.2", SetIdentifier="b", Weight=255)
    many = record("m.example.internal", "A", "10.0.0.2", SetIdentifier="a", MultiValueAnswer=True)
    batch(api, zone_id, ("CREATE", first), ("CREATE", second), ("CREATE", many))
    shown = api("ListResourceRecordSets", HostedZoneId=zone_id)["ResourceRecordSets"][2:]
    assert [each.get("Weight") for each in shown] == [None, 0, 255]
    assert shown[0]["MultiValueAnswer"] is True
    third = record("w.example.internal", "A", "10.0.0.3", SetIdentifier="c", MultiValueAnswer=True)
    assert "weighted sets exist" in fault(api, zone_id, ("CREATE", third))


def test_aliases_lead_to_load_balancers_and_within_the_zone(api: Api) -> None:
    zone_id = make(api)

    def alias(name: str, target: str, zone: str, kind: str = "A") -> dict[str, Any]:
        return record(name, kind, AliasTarget={"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": False})

    lb = alias("lb.example.internal", "Front-1.us-east-1.elb.localhost", ALB)
    batch(api, zone_id, ("CREATE", lb), ("CREATE", alias("x.example.internal", "lb.example.internal", zone_id)))
    shown = api("ListResourceRecordSets", HostedZoneId=zone_id)["ResourceRecordSets"][2]
    assert shown["AliasTarget"]["DNSName"] == "front-1.us-east-1.elb.localhost."
    assert "TTL" not in shown
    nowhere = alias("y.example.internal", "nobody.example.internal", zone_id)
    assert "that target was not found" in fault(api, zone_id, ("CREATE", nowhere))
    elsewhere = alias("y.example.internal", "d.cloudfront.net", "Z2FDTNDATAQYW2")
    assert "load balancers and to names of the same zone alone" in fault(api, zone_id, ("CREATE", elsewhere))
    txt = alias("y.example.internal", "front-1.us-east-1.elb.localhost", ALB, "TXT")
    assert "A and AAAA records alone" in fault(api, zone_id, ("CREATE", txt))
    batch(api, zone_id, ("DELETE", lb))
    # What AWS's own tables say of each region, and what earlier versions of Longshore answered.
    for number, (lb_zone, region) in enumerate(
        ((ALB, "us-east-1"), (NLB_IN_IRELAND, "eu-west-1"), ("ZLONGSHOREALB", "us-east-1"), ("ZLONGSHORENLB", "x-1"))
    ):
        to_lb = alias(f"z{number}.example.internal", f"dualstack.not-yet-1.{region}.elb.localhost.", lb_zone)
        batch(api, zone_id, ("CREATE", to_lb))
        batch(api, zone_id, ("DELETE", to_lb))
    for target in ("front-1.eu-west-1.elb.localhost", "www.example.com", "elb.localhost"):
        wrong = alias("y.example.internal", target, ALB)
        assert "does not lie within the target zone" in fault(api, zone_id, ("CREATE", wrong))


@pytest.mark.parametrize(
    "policy",
    [{"Region": "us-east-1"}, {"Failover": "PRIMARY"}, {"GeoLocation": {"CountryCode": "*"}}, {"HealthCheckId": "h"}],
)
def test_policies_that_are_not_served_are_refused(api: Api, policy: dict[str, Any]) -> None:
    zone_id = make(api)
    given = record("a.example.internal", "A", "10.0.0.1", SetIdentifier="x", **policy)
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": given}]}
    error = api.error("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch=changes)
    assert "not served" in error.message


def test_record_sets_are_listed_from_a_name_and_type_on_in_pages(api: Api) -> None:
    zone_id = make(api)
    made = [record(f"{name}.example.internal", "A", "10.0.0.1") for name in ("b", "a", "x.a", "c")]
    batch(api, zone_id, *(("CREATE", each) for each in made))
    whole = names(api, zone_id)
    assert [name for name, _ in whole[2:]] == [f"{name}.example.internal." for name in ("a", "x.a", "b", "c")]
    shown: list[tuple[str, str]] = []
    start: dict[str, Any] = {}
    while True:
        page = api("ListResourceRecordSets", HostedZoneId=zone_id, MaxItems="2", **start)
        shown += [(each["Name"], each["Type"]) for each in page["ResourceRecordSets"]]
        if not page["IsTruncated"]:
            break
        start = {"StartRecordName": page["NextRecordName"], "StartRecordType": page["NextRecordType"]}
    assert shown == whole
    assert names(api, zone_id, StartRecordName="b.example.internal")[0][0] == "b.example.internal."
    asked = {"HostedZoneId": zone_id, "StartRecordType": "A"}
    assert api.error("ListResourceRecordSets", **asked).code == "InvalidInput"


# ------------------------------------------------------------------------------------------ zones of namespaces


@pytest.fixture
def both() -> Api:
    return Api(servicediscovery.OPERATIONS, route53.OPERATIONS, service="route53")


def namespace(both: Api) -> HostedZone:
    with both.transaction() as tx:
        asked = {"Name": "example.internal", "Vpc": "vpc-1"}
        both.operations["CreatePrivateDnsNamespace"].handler(both.call(tx, asked))
    [zone] = both.store.all(HostedZone)
    return zone


def test_the_zone_of_a_namespace_shows_its_instances_and_is_cloud_maps_alone(both: Api) -> None:
    zone = namespace(both)
    both.put(
        registry("A", "SRV", name="web", hosted_zone_id=zone.zone_id),
        registry("A", name="one", service_id="srv-2", routing_policy="WEIGHTED", hosted_zone_id=zone.zone_id),
        instance("i1", "10.0.0.1"),
        instance("i2", "10.0.0.2", service_id="srv-2"),
    )
    shown = both("ListResourceRecordSets", HostedZoneId=zone.zone_id)["ResourceRecordSets"]
    assert shown[2:] == [
        {
            "Name": "one.example.internal.",
            "Type": "A",
            "SetIdentifier": "i2",
            "Weight": 1,
            "TTL": 10,
            "ResourceRecords": [{"Value": "10.0.0.2"}],
        },
        {
            "Name": "web.example.internal.",
            "Type": "A",
            "SetIdentifier": "i1",
            "MultiValueAnswer": True,
            "TTL": 10,
            "ResourceRecords": [{"Value": "10.0.0.1"}],
        },
        {
            "Name": "web.example.internal.",
            "Type": "SRV",
            "SetIdentifier": "i1",
            "MultiValueAnswer": True,
            "TTL": 10,
            "ResourceRecords": [{"Value": "1 1 80 i1.web.example.internal"}],
        },
        {
            "Name": "i1.web.example.internal.",
            "Type": "A",
            "TTL": 10,
            "ResourceRecords": [{"Value": "10.0.0.1"}],
        },
    ]
    described = both("GetHostedZone", Id=zone.zone_id)["HostedZone"]
    assert described["ResourceRecordSetCount"] == len(shown)
    assert described["LinkedService"]["ServicePrincipal"] == "servicediscovery.amazonaws.com"
    [summary] = both("ListHostedZonesByVPC", VPCId="vpc-1", VPCRegion="us-east-1")["HostedZoneSummaries"]
    assert "OwningService" in summary["Owner"]
    for operation in ("DeleteHostedZone", "UpdateHostedZoneComment"):
        error = both.error(operation, Id=zone.zone_id)
        assert error.code == "AccessDenied"
        assert f"namespace/{zone.namespace_id}" in error.message
    change = {"Action": "CREATE", "ResourceRecordSet": record("x.example.internal", "A", "10.0.0.1")}
    asked = {"HostedZoneId": zone.zone_id, "ChangeBatch": {"Changes": [change]}}
    assert both.error("ChangeResourceRecordSets", **asked).code == "AccessDenied"


def test_a_namespace_fails_to_be_made_where_its_vpc_has_a_zone_of_that_name() -> None:
    api = Api(servicediscovery.OPERATIONS, service="servicediscovery")
    zones = Api(route53.OPERATIONS, service="route53")
    zones.store = api.store
    make(zones)
    made = api("CreatePrivateDnsNamespace", Name="example.internal", Vpc="vpc-1")
    operation = api("GetOperation", OperationId=made["OperationId"])["Operation"]
    assert (operation["Status"], operation["ErrorCode"]) == ("FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert "already been associated" in operation["ErrorMessage"]
    assert api("ListNamespaces")["Namespaces"] == []


def test_a_batch_tells_all_its_faults_and_changes_nothing(api: Api) -> None:
    zone_id = make(api)
    batch(api, zone_id, ("CREATE", record("a.example.internal", "A", "10.0.0.1")))
    listed = [
        {"Action": "CREATE", "ResourceRecordSet": record("a.example.internal", "A", "10.0.0.2")},
        {"Action": "CREATE", "ResourceRecordSet": record("b.example.internal", "A", "10.0.0.2")},
        {"Action": "DELETE", "ResourceRecordSet": record("c.example.internal", "A", "10.0.0.2")},
        {"Action": "CREATE", "ResourceRecordSet": record("d.example.internal", "A", "10.0.0")},
    ]
    error = api.error("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch={"Changes": listed})
    told = error.members["messages"]
    assert [text.partition(" ")[0] for text in told] == ["Tried", "Tried", "Invalid"]
    assert "a.example.internal" in told[0]
    assert "c.example.internal" in told[1]
    assert error.message == f"[{', '.join(told)}]"
    assert ("b.example.internal.", "A") not in names(api, zone_id)


def test_a_marker_may_be_the_id_with_its_prefix(api: Api) -> None:
    ids = sorted(make(api, f"{letter}.internal") for letter in "abc")
    for marker in (ids[1], ids[1].removeprefix("/hostedzone/")):
        page = api("ListHostedZones", Marker=marker)
        assert [zone["Id"] for zone in page["HostedZones"]] == ids[1:]
        assert page["Marker"] == marker
