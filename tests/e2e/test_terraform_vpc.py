"""Terraform: a VPC with all that is in one is applied, changed, destroyed; plans are empty, and nothing is left."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.support import terraform
from tests.support.server import Server

PROJECT = Path(__file__).parent / "terraform" / "vpc.tf"
LISTS = {
    "Addresses": "describe_addresses",
    "FlowLogs": "describe_flow_logs",
    "NetworkInterfaces": "describe_network_interfaces",
    "SecurityGroups": "describe_security_groups",
    "SecurityGroupRules": "describe_security_group_rules",
    "InternetGateways": "describe_internet_gateways",
    "NetworkAcls": "describe_network_acls",
    "RouteTables": "describe_route_tables",
    "Subnets": "describe_subnets",
    "VpcEndpoints": "describe_vpc_endpoints",
    "Vpcs": "describe_vpcs",
    "DhcpOptions": "describe_dhcp_options",
    "PrefixLists": "describe_managed_prefix_lists",
}

pytestmark = terraform.NEEDED


def network_balancer(server: Server) -> str:
    """One in the default VPC, by boto3: with Terraform each takes minutes."""
    subnets = [each["SubnetId"] for each in server.client("ec2").describe_subnets()["Subnets"]]
    made = server.client("elbv2").create_load_balancer(Name="offered", Type="network", Subnets=subnets)
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def inventory(server: Server) -> dict[str, int]:
    """How many there are of each kind."""
    ec2 = server.client("ec2")
    return {name: len(getattr(ec2, operation)()[name]) for name, operation in LISTS.items()}


def permissions(server: Server, group: str) -> list[dict[str, Any]]:
    (found,) = server.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    shown: list[dict[str, Any]] = found["IpPermissions"]
    return shown


def test_a_vpc_is_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    balancer = network_balancer(simulated)
    before = inventory(simulated)
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    project.apply(balancer=balancer)
    assert project.changes() == ""
    ec2 = simulated.client("ec2")
    outputs = project.outputs()
    (table,) = ec2.describe_route_tables(RouteTableIds=[outputs["private_table"]])["RouteTables"]
    assert {route["State"] for route in table["Routes"]} == {"active"}
    assert len(table["Routes"]) == 4
    assert outputs["public_ip"].startswith(("198.18.", "198.19."))
    assert permissions(simulated, outputs["database"])[0]["UserIdGroupPairs"][0]["GroupId"] == outputs["app"]
    assert {each["FromPort"] for each in permissions(simulated, outputs["app"])} == {8080, -1}
    (default,) = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [outputs["vpc"]]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    assert default["IpPermissions"] == default["IpPermissionsEgress"] == []

    project.apply(port="9090", stage="prod")
    assert project.changes() == ""
    assert {each["FromPort"] for each in permissions(simulated, outputs["app"])} == {9090, -1}
    simulated.restart(kill=True)
    assert project.changes() == ""

    project.destroy()
    assert project.resources() == []
    assert ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    assert inventory(simulated) == before
