"""Cloud Map and Route 53 through real HTTP: boto3 with its pages, waiters and errors, and the AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from longshore.cli.client import Server as LongshoreServer
from longshore.cli.names import advice, private_zones
from tests.support.serving import ACCOUNT, REGION, Serving, furnished

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def serving() -> Iterator[Serving]:
    with furnished() as running:
        yield running


@pytest.fixture
def discovery(serving: Serving) -> Any:
    return serving.client("servicediscovery")


@pytest.fixture
def route53(serving: Serving) -> Any:
    return serving.client("route53")


@pytest.fixture
def vpc_id(serving: Serving) -> str:
    return str(serving.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def namespace(discovery: Any, vpc_id: str) -> str:
    made = discovery.create_private_dns_namespace(Name="example.internal", Vpc=vpc_id)
    operation = discovery.get_operation(OperationId=made["OperationId"])["Operation"]
    assert operation["Status"] == "SUCCESS"
    return str(operation["Targets"]["NAMESPACE"])


def test_a_namespace_from_creation_to_its_end(discovery: Any, route53: Any, vpc_id: str) -> None:
    namespace_id = namespace(discovery, vpc_id)
    config = {"DnsRecords": [{"Type": "A", "TTL": 5}]}
    service = discovery.create_service(Name="web", NamespaceId=namespace_id, DnsConfig=config)["Service"]
    for number in range(120):
        address = {"AWS_INSTANCE_IPV4": f"10.0.0.{number}"}
        discovery.register_instance(ServiceId=service["Id"], InstanceId=f"i{number}", Attributes=address)
    pages = discovery.get_paginator("list_instances").paginate(ServiceId=service["Id"])
    assert len({each["Id"] for page in pages for each in page["Instances"]}) == 120
    found = discovery.discover_instances(NamespaceName="example.internal", ServiceName="web", MaxResults=3)
    assert len(found["Instances"]) == 3
    assert found["InstancesRevision"] == 120
    health = discovery.get_instances_health_status(ServiceId=service["Id"])
    rest = discovery.get_instances_health_status(ServiceId=service["Id"], NextToken=health["NextToken"])
    assert len({*health["Status"], *rest["Status"]}) == 120
    zone_id = discovery.get_namespace(Id=namespace_id)["Namespace"]["Properties"]["DnsProperties"]["HostedZoneId"]
    sets = route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone_id, PaginationConfig={"PageSize": 50}
    )
    listed = [each for page in sets for each in page["ResourceRecordSets"]]
    assert len({(each["Name"], each["Type"], each.get("SetIdentifier")) for each in listed}) == len(listed) == 122
    with pytest.raises(discovery.exceptions.ResourceInUse):
        discovery.delete_namespace(Id=namespace_id)
    for number in range(120):
        discovery.deregister_instance(ServiceId=service["Id"], InstanceId=f"i{number}")
    discovery.delete_service(Id=service["Id"])
    discovery.delete_namespace(Id=namespace_id)
    with pytest.raises(route53.exceptions.NoSuchHostedZone):
        route53.get_hosted_zone(Id=zone_id)


def test_errors_carry_what_the_model_says(discovery: Any, vpc_id: str) -> None:
    namespace_id = namespace(discovery, vpc_id)
    with pytest.raises(discovery.exceptions.NamespaceAlreadyExists) as caught:
        discovery.create_private_dns_namespace(Name="example.internal", Vpc=vpc_id)
    assert caught.value.response["NamespaceId"] == namespace_id
    with pytest.raises(discovery.exceptions.InvalidInput):
        discovery.create_private_dns_namespace(Name="example.internal", Vpc="vpc-none")
    with pytest.raises(discovery.exceptions.ServiceNotFound):
        discovery.discover_instances(NamespaceName="example.internal", ServiceName="nobody")


def test_a_zone_and_its_records_from_creation_to_their_end(route53: Any, vpc_id: str) -> None:
    vpc = {"VPCRegion": REGION, "VPCId": vpc_id}
    made = route53.create_hosted_zone(Name="own.internal", CallerReference="once", VPC=vpc)
    zone_id = made["HostedZone"]["Id"]
    route53.get_waiter("resource_record_sets_changed").wait(Id=made["ChangeInfo"]["Id"])
    assert route53.get_hosted_zone(Id=zone_id)["VPCs"] == [vpc]
    record = {"Name": "*.own.internal", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"a & <b>"'}]}
    change = {"Action": "UPSERT", "ResourceRecordSet": record}
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [change], "Comment": "ü"})
    listed = route53.list_resource_record_sets(HostedZoneId=zone_id, StartRecordName="*.own.internal")
    assert listed["ResourceRecordSets"] == [{**record, "Name": r"\052.own.internal."}]
    with pytest.raises(route53.exceptions.InvalidChangeBatch) as caught:
        route53.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": [{**change, "Action": "CREATE"}]}
        )
    assert "but it already exists" in caught.value.response["Error"]["Message"]
    with pytest.raises(route53.exceptions.HostedZoneNotEmpty):
        route53.delete_hosted_zone(Id=zone_id)
    gone = {"Changes": [{**change, "Action": "DELETE"}]}
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=gone)
    route53.delete_hosted_zone(Id=zone_id)
    assert route53.list_hosted_zones()["HostedZones"] == []


def test_zones_are_the_same_from_every_region(serving: Serving, vpc_id: str) -> None:
    namespace(serving.client("servicediscovery"), vpc_id)
    elsewhere = serving.client("route53", region="eu-west-1")
    assert [zone["Name"] for zone in elsewhere.list_hosted_zones()["HostedZones"]] == ["example.internal."]
    with pytest.raises(ClientError, match="can only be managed through AWS Cloud Map"):
        elsewhere.delete_hosted_zone(Id=elsewhere.list_hosted_zones()["HostedZones"][0]["Id"])


def test_longshore_dns_lists_the_private_zones_that_it_may_see(serving: Serving, discovery: Any, vpc_id: str) -> None:
    namespace(discovery, vpc_id)
    vpc = {"VPCRegion": REGION, "VPCId": vpc_id}
    serving.client("route53").create_hosted_zone(Name="own.internal", CallerReference="1", VPC=vpc)
    serving.client("route53").create_hosted_zone(Name="public.example", CallerReference="2")
    zones = private_zones(LongshoreServer(serving.url))
    assert zones == ["example.internal", "own.internal"]
    told = advice(zones)
    assert "Domains=~elb.internal ~ec2.internal ~compute.internal ~example.internal ~own.internal\n" in told
    assert "server=/own.internal/169.254.170.2\n" in told
    assert "Add " not in told


def test_longshore_dns_says_what_to_add_where_nobody_tells_it_the_zones() -> None:
    with furnished(auth=True) as closed:
        assert private_zones(LongshoreServer(closed.url)) is None
    assert private_zones(LongshoreServer(closed.url)) is None  # nobody answers any more
    told = advice(None)
    assert "Domains=~elb.internal ~ec2.internal ~compute.internal\n" in told
    assert "Add your private namespaces and zones" in told


def test_the_cli_makes_namespaces_and_finds_their_zones(serving: Serving, vpc_id: str) -> None:
    def aws(*words: str) -> Any:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": serving.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        }
        program = Path(sys.executable).with_name("aws")
        done = subprocess.run([program, *words], capture_output=True, text=True, env=environment, check=True)
        return json.loads(done.stdout)

    made = aws("servicediscovery", "create-private-dns-namespace", "--name", "cli.internal", "--vpc", vpc_id)
    assert aws("servicediscovery", "get-operation", "--operation-id", made["OperationId"])["Operation"]["Targets"]
    [zone] = aws("route53", "list-hosted-zones-by-name", "--dns-name", "cli.internal")["HostedZones"]
    assert f":{ACCOUNT}:namespace/" in zone["LinkedService"]["Description"]
