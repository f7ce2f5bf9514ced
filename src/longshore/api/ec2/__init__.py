"""Amazon EC2, as far as containers need it: the network that tasks run in, as it can be described."""

from longshore.api.ec2.network_interfaces import describe_network_interfaces
from longshore.api.ec2.regions import describe_availability_zones, describe_regions
from longshore.api.ec2.routes import describe_internet_gateways, describe_route_tables
from longshore.api.ec2.security_groups import describe_security_groups
from longshore.api.ec2.subnets import describe_subnets
from longshore.api.ec2.vpcs import describe_vpc_attribute, describe_vpcs
from longshore.api.operation import Operation, Service

_ALL_ZONES = "Every region has its availability zones alone: there are no local or Wavelength zones to include."
_MANAGED = "Interfaces that AWS hides by default are of services that are not served."

SERVICE = Service(
    name="ec2",
    operations={
        "DescribeAvailabilityZones": Operation(describe_availability_zones, inert={"AllAvailabilityZones": _ALL_ZONES}),
        "DescribeInternetGateways": Operation(describe_internet_gateways),
        "DescribeNetworkInterfaces": Operation(
            describe_network_interfaces, inert={"IncludeManagedResources": _MANAGED}
        ),
        "DescribeRegions": Operation(
            describe_regions, inert={"AllRegions": "Every region is enabled, so all are always listed."}
        ),
        "DescribeRouteTables": Operation(describe_route_tables),
        "DescribeSecurityGroups": Operation(describe_security_groups),
        "DescribeSubnets": Operation(describe_subnets),
        "DescribeVpcAttribute": Operation(describe_vpc_attribute),
        "DescribeVpcs": Operation(describe_vpcs),
    },
    refusal_code="UnsupportedOperation",
    summary="The default VPC: described, not changed",
)
