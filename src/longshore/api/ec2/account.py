"""DescribeAccountAttributes: what an account can do in a region."""

from typing import Any

from longshore.api.ec2.defaults import default_vpc
from longshore.api.ec2.interfaces.making import MAX_GROUPS
from longshore.api.ec2.routing.addresses import MAX_ADDRESSES
from longshore.api.operation import Call, Operation


def describe_account_attributes(call: Call) -> dict[str, Any]:
    """DescribeAccountAttributes: all, or those that are named."""
    asked = call.params.get("AttributeNames")
    vpc = default_vpc(call.tx, call.scope)
    values = {
        "default-vpc": vpc.vpc_id if vpc else "none",
        "max-elastic-ips": str(MAX_ADDRESSES),
        "max-instances": "0",
        "supported-platforms": "VPC",
        "vpc-max-elastic-ips": str(MAX_ADDRESSES),
        "vpc-max-security-groups-per-interface": str(MAX_GROUPS),
    }
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": value}]}
            for name, value in values.items()
            if not asked or name in asked
        ]
    }


OPERATIONS = {"DescribeAccountAttributes": Operation(describe_account_attributes)}
