"""Amazon EC2, as far as containers need it: VPCs and all that is in them. There are no instances.

A folder per group of resources; `resources.py` says how each kind is named, `errors.py` what all answers share.
"""

from longshore.api.ec2 import absent, account, acls, interfaces, regions, routing, security, tags, vpcs
from longshore.api.ec2.endpoints import endpoints, prefix_lists, service_configurations, services
from longshore.api.ec2.errors import with_dry_run
from longshore.api.operation import Service

TABLES = (
    absent,
    account,
    acls,
    endpoints,
    interfaces,
    prefix_lists,
    regions,
    routing,
    security,
    service_configurations,
    services,
    tags,
    vpcs,
)
SERVICE = Service(
    name="ec2",
    operations=with_dry_run({name: each for table in TABLES for name, each in table.OPERATIONS.items()}),
    refusal_code="UnsupportedOperation",
    summary="VPCs, subnets, routes, gateways, security groups, endpoints, network interfaces; no instances",
)
