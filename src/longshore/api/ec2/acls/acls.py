"""Network ACLs: created, described, associated with subnets, deleted. The firewall follows (`decide/ec2/acls.py`)."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import invalid, listed
from longshore.api.ec2.resources import RESOURCES, find, in_use, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ec2.network_acl import LAST, AclEntry, NetworkAcl
from longshore.wire.errors import ApiError

MAX_ACLS = 200
"""Per VPC."""
ENTRY_FILTERS = {
    "cidr": "CidrBlock",
    "icmp.code": "IcmpTypeCode.Code",
    "icmp.type": "IcmpTypeCode.Type",
    "ipv6-cidr": "Ipv6CidrBlock",
    "port-range.from": "PortRange.From",
    "port-range.to": "PortRange.To",
    "protocol": "Protocol",
    "rule-action": "RuleAction",
    "egress": "Egress",
    "rule-number": "RuleNumber",
}
FILTERS = {
    **filters.table(default="IsDefault", network_acl_id="NetworkAclId", owner_id="OwnerId", vpc_id="VpcId"),
    "association.association-id": filters.at("Associations.NetworkAclAssociationId"),
    "association.network-acl-id": filters.at("Associations.NetworkAclId"),
    "association.subnet-id": filters.at("Associations.SubnetId"),
    **{f"entry.{name}": filters.at(f"Entries.{path}") for name, path in ENTRY_FILTERS.items()},
}


def create_network_acl(call: Call) -> dict[str, Any]:
    """CreateNetworkAcl: of no subnet yet, and nothing is allowed."""
    token = call.params.get("ClientToken")
    made = repeated(call, NetworkAcl)
    if made is None:
        vpc = find(call, Vpc, call.params["VpcId"])
        if call.tx.count(NetworkAcl, "vpc", (*call.scope, vpc.vpc_id)) >= MAX_ACLS:
            text = f"The maximum number of network ACLs has been reached: {MAX_ACLS} per VPC."
            raise ApiError("NetworkAclLimitExceeded", text)
        made = NetworkAcl(
            **place_of(call),
            **token_fields(call),
            acl_id=f"acl-{call.ids.hex(17)}",
            vpc_id=vpc.vpc_id,
            tags=new_tags(call, "network-acl"),
        )
        call.tx.put(made)
    return {"NetworkAcl": view(call, made), "ClientToken": token}


def delete_network_acl(call: Call) -> dict[str, Any]:
    """DeleteNetworkAcl, once no subnet has it; the default one goes with its VPC."""
    acl = find(call, NetworkAcl, call.params["NetworkAclId"])
    if acl.is_default:
        raise invalid(f"cannot delete default network ACL {acl.acl_id}")
    if call.tx.count(Subnet, "network_acl", acl.key):
        raise in_use(RESOURCES[NetworkAcl], acl.acl_id)
    call.tx.delete(NetworkAcl, acl.key)
    return {}


def replace_network_acl_association(call: Call) -> dict[str, Any]:
    """ReplaceNetworkAclAssociation: another ACL for a subnet."""
    reference = call.params["AssociationId"]
    acl = find(call, NetworkAcl, call.params["NetworkAclId"])
    subnets = call.tx.select(Subnet, "scope", call.scope)
    subnet = next((each for each in subnets if each.network_acl_association == reference), None)
    if subnet is None:
        raise ApiError("InvalidAssociationID.NotFound", f"The association ID '{reference[:64]}' does not exist")
    if subnet.vpc_id != acl.vpc_id:
        raise invalid(f"network ACL {acl.acl_id} and subnet {subnet.subnet_id} belong to different networks")
    new = f"aclassoc-{call.ids.hex(17)}"
    own = "" if acl.is_default else acl.acl_id
    call.tx.put(subnet.but(network_acl_id=own, network_acl_association_id=new))
    return {"NewAssociationId": new}


def describe_network_acls(call: Call) -> dict[str, Any]:
    """DescribeNetworkAcls."""
    return listed(
        call,
        NetworkAcl,
        lambda acl: view(call, acl),
        FILTERS,
        "NetworkAcls",
        operation="DescribeNetworkAcls",
        member="NetworkAclId",
    )


def view(call: Call, acl: NetworkAcl) -> dict[str, Any]:
    """A network ACL, as EC2 answers it."""
    if acl.is_default:
        of_vpc = call.tx.select(Subnet, "vpc", (*call.scope, acl.vpc_id))
        subnets = [subnet for subnet in of_vpc if not subnet.network_acl_id]
    else:
        subnets = call.tx.select(Subnet, "network_acl", acl.key)
    entries = sorted(acl.entries, key=lambda entry: (not entry.egress, entry.number))
    return {
        "NetworkAclId": acl.acl_id,
        "VpcId": acl.vpc_id,
        "OwnerId": acl.account,
        "IsDefault": acl.is_default,
        "Associations": [
            {
                "NetworkAclAssociationId": subnet.network_acl_association,
                "NetworkAclId": acl.acl_id,
                "SubnetId": subnet.subnet_id,
            }
            for subnet in subnets
        ],
        "Entries": [
            *(_entry_view(entry) for entry in entries if entry.egress),
            _last(egress=True),
            *(_entry_view(entry) for entry in entries if not entry.egress),
            _last(egress=False),
        ],
        "Tags": shown(acl.tags),
    }


def _entry_view(entry: AclEntry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "RuleNumber": entry.number,
        "Egress": entry.egress,
        "RuleAction": entry.action,
        "Protocol": entry.protocol,
    }
    if entry.cidr_ipv4:
        found["CidrBlock"] = entry.cidr_ipv4
    if entry.cidr_ipv6:
        found["Ipv6CidrBlock"] = entry.cidr_ipv6
    if entry.ports is not None:
        found["PortRange"] = {"From": entry.ports[0], "To": entry.ports[1]}
    if entry.icmp is not None:
        found["IcmpTypeCode"] = {"Type": entry.icmp[0], "Code": entry.icmp[1]}
    return found


def _last(*, egress: bool) -> dict[str, Any]:
    everywhere = AclEntry(number=LAST, egress=egress, action="deny", protocol="-1", cidr_ipv4="0.0.0.0/0")
    return _entry_view(everywhere)


OPERATIONS = {
    "CreateNetworkAcl": Operation(create_network_acl),
    "DeleteNetworkAcl": Operation(delete_network_acl),
    "DescribeNetworkAcls": Operation(describe_network_acls),
    "ReplaceNetworkAclAssociation": Operation(replace_network_acl_association),
}
