"""Listings of kinds of which there are none here, as nothing makes one: empty, with ids and filters checked.

Tools list them by habit: Terraform's data sources, Ansible's modules, whatever looks for leftovers in a VPC.
"""

import functools
from typing import Any, NamedTuple

from longshore.api.ec2 import filters
from longshore.api.ec2.absent_filters import NAMES
from longshore.api.ec2.errors import paged
from longshore.api.ec2.resources import MAX_ID, find
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import Subnet
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
NONE = "There are none to choose among: nothing makes one."


class Ids(NamedTuple):
    """A parameter that takes ids or names, and the errors for them."""

    parameter: str
    prefix: str
    """Empty: names, of any form."""
    not_found: str
    sentence: str
    malformed: str = ""


class Absent(NamedTuple):
    """A kind of which there are none."""

    member: str
    ids: tuple[Ids, ...]
    inert: tuple[str, ...] = ()


INSTANCES = Ids(
    "InstanceIds",
    "i-",
    "InvalidInstanceID.NotFound",
    "The instance ID '{id}' does not exist",
    "InvalidInstanceID.Malformed",
)
ATTACHMENTS = Ids(
    "TransitGatewayAttachmentIds",
    "tgw-attach-",
    "InvalidTransitGatewayAttachmentID.NotFound",
    "Transit Gateway Attachment {id} was deleted or does not exist.",
    "InvalidTransitGatewayAttachmentID.Malformed",
)
KINDS: dict[str, Absent] = {
    "DescribeCarrierGateways": Absent(
        "CarrierGateways",
        (
            Ids(
                "CarrierGatewayIds",
                "cagw-",
                "InvalidCarrierGatewayID.NotFound",
                "The carrier gateway ID '{id}' does not exist",
                "InvalidCarrierGatewayID.Malformed",
            ),
        ),
    ),
    "DescribeCustomerGateways": Absent(
        "CustomerGateways",
        (
            Ids(
                "CustomerGatewayIds",
                "cgw-",
                "InvalidCustomerGatewayID.NotFound",
                "The customerGateway ID '{id}' does not exist",
                "InvalidCustomerGatewayId.Malformed",
            ),
        ),
    ),
    "DescribeEgressOnlyInternetGateways": Absent(
        "EgressOnlyInternetGateways",
        (
            Ids(
                "EgressOnlyInternetGatewayIds",
                "eigw-",
                "InvalidEgressOnlyInternetGatewayId.NotFound",
                "The eigw ID '{id}' does not exist",
                "InvalidEgressOnlyInternetGatewayId.Malformed",
            ),
        ),
    ),
    "DescribeInstanceStatus": Absent(
        "InstanceStatuses", (INSTANCES,), ("IncludeAllInstances", "IncludeManagedResources")
    ),
    "DescribeInstances": Absent("Reservations", (INSTANCES,), ("IncludeManagedResources",)),
    "DescribeKeyPairs": Absent(
        "KeyPairs",
        (
            Ids("KeyNames", "", "InvalidKeyPair.NotFound", "The key pair '{id}' does not exist"),
            Ids(
                "KeyPairIds",
                "key-",
                "InvalidKeyPair.NotFound",
                "The key pair '{id}' does not exist",
                "InvalidKeyPairId.Malformed",
            ),
        ),
        ("IncludePublicKey",),
    ),
    "DescribeLaunchTemplates": Absent(
        "LaunchTemplates",
        (
            Ids(
                "LaunchTemplateIds",
                "lt-",
                "InvalidLaunchTemplateId.NotFound",
                "The specified launch template, with template ID {id}, does not exist.",
                "InvalidLaunchTemplateId.Malformed",
            ),
            Ids(
                "LaunchTemplateNames",
                "",
                "InvalidLaunchTemplateName.NotFoundException",
                "At least one of the launch templates specified in the request does not exist: {id}.",
            ),
        ),
        ("IncludeManagedResources",),
    ),
    "DescribeNetworkInterfacePermissions": Absent(
        "NetworkInterfacePermissions",
        (
            Ids(
                "NetworkInterfacePermissionIds",
                "eni-perm-",
                "InvalidPermissionID.NotFound",
                "The network interface permission ID '{id}' does not exist",
                "InvalidPermissionID.Malformed",
            ),
        ),
    ),
    "DescribeTransitGatewayAttachments": Absent("TransitGatewayAttachments", (ATTACHMENTS,)),
    "DescribeTransitGatewayVpcAttachments": Absent("TransitGatewayVpcAttachments", (ATTACHMENTS,)),
    "DescribeTransitGateways": Absent(
        "TransitGateways",
        (
            Ids(
                "TransitGatewayIds",
                "tgw-",
                "InvalidTransitGatewayID.NotFound",
                "Transit Gateway {id} was deleted or does not exist.",
                "InvalidTransitGatewayID.Malformed",
            ),
        ),
    ),
    "DescribeVolumes": Absent(
        "Volumes",
        (
            Ids(
                "VolumeIds",
                "vol-",
                "InvalidVolume.NotFound",
                "The volume '{id}' does not exist.",
                "InvalidVolumeID.Malformed",
            ),
        ),
        ("IncludeManagedResources",),
    ),
    "DescribeVpcPeeringConnections": Absent(
        "VpcPeeringConnections",
        (
            Ids(
                "VpcPeeringConnectionIds",
                "pcx-",
                "InvalidVpcPeeringConnectionID.NotFound",
                "The vpcPeeringConnection ID '{id}' does not exist",
                "InvalidVpcPeeringConnectionId.Malformed",
            ),
        ),
    ),
    "DescribeVpnConnections": Absent(
        "VpnConnections",
        (
            Ids(
                "VpnConnectionIds",
                "vpn-",
                "InvalidVpnConnectionID.NotFound",
                "The vpnConnection ID '{id}' does not exist",
                "InvalidVpnConnectionID.Malformed",
            ),
        ),
    ),
    "DescribeVpnGateways": Absent(
        "VpnGateways",
        (
            Ids(
                "VpnGatewayIds",
                "vgw-",
                "InvalidVpnGatewayID.NotFound",
                "The vpnGateway ID '{id}' does not exist",
                "InvalidVpnGatewayID.Malformed",
            ),
        ),
    ),
}


def describe_none(operation: str, call: Call) -> Answer:
    """The empty listing. Raises the kind's error for an id that is asked for."""
    kind = KINDS[operation]
    for ids in kind.ids:
        for reference in call.params.get(ids.parameter) or ():
            raise _missing(ids, reference)
    known = filters.table()
    known |= dict.fromkeys(NAMES[operation], known["tag-key"])
    found = filters.apply((), call.params.get("Filters"), known)
    return paged(call, operation, kind.member, found, str, kind.ids[0].parameter)


def _missing(ids: Ids, reference: str) -> ApiError:
    if not reference.startswith(ids.prefix):
        return ApiError(ids.malformed, f'Invalid id: "{reference[:MAX_ID]}" (expecting "{ids.prefix}...")')
    return ApiError(ids.not_found, ids.sentence.format(id=reference[:256]))


def describe_vpc_block_public_access_options(call: Call) -> Answer:
    """DescribeVpcBlockPublicAccessOptions: as in an account that has never set them."""
    return {
        "VpcBlockPublicAccessOptions": {
            "AwsAccountId": call.scope.account,
            "AwsRegion": call.scope.region,
            "State": "default-state",
            "InternetGatewayBlockMode": "off",
            "ManagedBy": "account",
            "ExclusionsAllowed": "allowed",
        }
    }


RESERVATION_FILTERS = filters.table(
    reservation_type="ReservationType", subnet_id="SubnetId", reservation_id="SubnetCidrReservationId", cidr="Cidr"
)


def get_subnet_cidr_reservations(call: Call) -> Answer:
    """GetSubnetCidrReservations: none, of a subnet that exists."""
    find(call, Subnet, call.params["SubnetId"])
    found = filters.apply((), call.params.get("Filters"), RESERVATION_FILTERS)
    name = "GetSubnetCidrReservations"
    return {"SubnetIpv6CidrReservations": [], **paged(call, name, "SubnetIpv4CidrReservations", found, str, "")}


OPERATIONS: dict[str, Operation] = {
    **{
        name: Operation(functools.partial(describe_none, name), inert=dict.fromkeys(("Filters", *kind.inert), NONE))
        for name, kind in KINDS.items()
    },
    "DescribeVpcBlockPublicAccessOptions": Operation(describe_vpc_block_public_access_options),
    "GetSubnetCidrReservations": Operation(get_subnet_cidr_reservations, inert={"Filters": NONE}),
}
