"""Terraform: namespaces, registries of services and records are applied, changed, destroyed; plans are empty."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.support import terraform
from tests.support.server import Server, until

PROJECT = Path(__file__).parent / "terraform" / "names.tf"

pytestmark = terraform.NEEDED


def records(server: Server, zone_name: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Of a zone, by name and type."""
    route53 = server.client("route53")
    [zone] = route53.list_hosted_zones_by_name(DNSName=zone_name, MaxItems="1")["HostedZones"]
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"]):
        for each in page["ResourceRecordSets"]:
            found.setdefault((each["Name"], each["Type"]), []).append(each)
    return found


def test_names_are_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    subnets = [subnet["SubnetId"] for subnet in simulated.client("ec2").describe_subnets()["Subnets"]]
    made = simulated.client("elbv2").create_load_balancer(Name="front", Subnets=subnets)
    project.apply(front=made["LoadBalancers"][0]["LoadBalancerArn"])
    assert project.changes() == ""

    outputs = project.outputs()
    assert outputs["zone_of_namespace"] == "tf.internal"
    discovery = simulated.client("servicediscovery")
    asked = {"NamespaceName": "tf.internal", "ServiceName": "web"}
    until(lambda: len(discovery.discover_instances(**asked)["Instances"]) == 2, "both tasks to be in the name")
    of_namespace = records(simulated, "tf.internal.")
    assert len(of_namespace["web.tf.internal.", "A"]) == 2
    assert of_namespace["one.ported.tf.internal.", "A"][0]["ResourceRecords"] == [{"Value": "172.31.0.201"}]
    own = records(simulated, "own.internal.")
    assert own["db.own.internal.", "A"][0]["TTL"] == 10
    assert own["front.own.internal.", "A"][0]["AliasTarget"]["EvaluateTargetHealth"] is True
    assert {each["Weight"] for each in own["weighted.own.internal.", "A"]} == {90, 10}

    project.apply(ttl="20", comment="changed")
    assert project.changes() == ""
    assert records(simulated, "own.internal.")["db.own.internal.", "A"][0]["TTL"] == 20
    found = discovery.get_service(Id=outputs["web_arn_as_found"].rpartition("/")[2])["Service"]
    assert found["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 20}]

    route53 = simulated.client("route53")
    [public] = route53.list_hosted_zones_by_name(DNSName="open.example.org", MaxItems="1")["HostedZones"]
    by_hand = {"Name": "x.open.example.org", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"by hand"'}]}
    batch: Any = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": by_hand}]}
    route53.change_resource_record_sets(HostedZoneId=public["Id"], ChangeBatch=batch)
    project.destroy()
    assert discovery.list_namespaces()["Namespaces"] == []
    assert route53.list_hosted_zones()["HostedZones"] == []
