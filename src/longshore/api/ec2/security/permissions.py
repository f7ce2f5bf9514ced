"""Permissions, as requests give them, taken apart into what rules permit: one range, prefix list or group each."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from longshore.api.ec2.endpoints.services import aws_prefix_lists
from longshore.api.ec2.errors import invalid, required
from longshore.api.ec2.resources import find, missing_group
from longshore.api.ec2.security.groups import ALLOWED, TEXT, group_of
from longshore.api.operation import Call
from longshore.domain.ec2.endpoint import PrefixList
from longshore.domain.ec2.network import SecurityGroup, SecurityGroupRule
from longshore.wire.errors import ApiError

NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
NAMED = ("tcp", "udp", "icmp", "icmpv6")
LARGEST_PORT, LARGEST_NUMBER = 65535, 255
_NO_PEERS = "There are no VPC peering connections."
REFUSED = {
    "IpPermissions[].UserIdGroupPairs[].VpcPeeringConnectionId": _NO_PEERS,
    "IpPermissions[].UserIdGroupPairs[].PeeringStatus": _NO_PEERS,
}
INERT = {"IpPermissions[].UserIdGroupPairs[].VpcId": "A group's id says its VPC."}


class Peer(NamedTuple):
    """Where from or where to: exactly one is set."""

    cidr_ipv4: str = ""
    cidr_ipv6: str = ""
    prefix_list_id: str = ""
    referenced_group_id: str = ""


class Permission(NamedTuple):
    """What a rule is but for its group, its direction and its description."""

    protocol: str
    from_port: int
    to_port: int
    peer: Peer

    def text(self) -> str:
        """As EC2 writes a rule in its errors."""
        peer = "".join(self.peer)
        name = "ALL" if self.protocol == "-1" else self.protocol.upper()
        if self.protocol in {"tcp", "udp"}:
            return f"peer: {peer}, {name}, from port: {self.from_port}, to port: {self.to_port}, ALLOW"
        if self.protocol in {"icmp", "icmpv6"}:
            return f"peer: {peer}, {name}, type: {self.from_port}, code: {self.to_port}, ALLOW"
        return f"peer: {peer}, {name}, ALLOW"


def permission_of(rule: SecurityGroupRule) -> Permission:
    """What a rule permits."""
    peer = Peer(rule.cidr_ipv4, rule.cidr_ipv6, rule.prefix_list_id, rule.referenced_group_id)
    return Permission(rule.protocol, rule.from_port, rule.to_port, peer)


def asked_permissions(call: Call, group: SecurityGroup, *, ingress: bool) -> dict[Permission, str]:
    """What a call permits, or wants to be permitted no more, and the description of each."""
    given = call.params.get("IpPermissions") or ()
    single = _single(call, ingress=ingress)
    if given and single is not None:
        text = "The parameter ipPermissions may not be used in combination with the others that say a permission"
        raise ApiError("InvalidParameterCombination", text)
    found: dict[Permission, str] = {}
    pairs = single or (pair for each in given for pair in _taken_apart(call, group, each))
    for permission, description in pairs:
        if permission in found:
            raise invalid("The same permission must not appear multiple times")
        found[permission] = description
    return found


def _single(call: Call, *, ingress: bool) -> list[tuple[Permission, str]] | None:
    """The permission that is said by members of the call itself; None where there is none."""
    params = call.params
    protocol, cidr, name = params.get("IpProtocol"), params.get("CidrIp"), params.get("SourceSecurityGroupName")
    owner, first, last = params.get("SourceSecurityGroupOwnerId"), params.get("FromPort"), params.get("ToPort")
    if not ingress and (name or owner):
        raise invalid("Rules for outgoing traffic name groups in ipPermissions")
    if name:
        if owner and owner != call.scope.account:
            raise missing_group(name)
        peer = Peer(referenced_group_id=group_of(call, None, name).group_id)
        if not protocol:  # as it was before there were VPCs: everything
            return [(Permission("-1", -1, -1, peer), "")]
    elif cidr:
        peer = Peer(cidr_ipv4=ipv4_range(cidr))
    elif protocol or first is not None or last is not None:
        raise required("ipPermissions")
    else:
        return None
    return [(Permission(*traffic(protocol, first, last), peer), "")]


def _taken_apart(call: Call, group: SecurityGroup, given: Mapping[str, Any]) -> Iterator[tuple[Permission, str]]:
    protocol = traffic(given.get("IpProtocol"), given.get("FromPort"), given.get("ToPort"))
    peers: list[tuple[Peer, Mapping[str, Any]]] = [
        *((Peer(cidr_ipv4=ipv4_range(each.get("CidrIp") or "")), each) for each in given.get("IpRanges") or ()),
        *((Peer(cidr_ipv6=ipv6_range(each.get("CidrIpv6") or "")), each) for each in given.get("Ipv6Ranges") or ()),
        *(
            (Peer(prefix_list_id=prefix_list(call, each.get("PrefixListId") or "")), each)
            for each in given.get("PrefixListIds") or ()
        ),
        *(
            (Peer(referenced_group_id=_paired_group(call, group, each)), each)
            for each in given.get("UserIdGroupPairs") or ()
        ),
    ]
    if not peers:
        raise required("ipPermissions.1.ipRanges")
    for peer, each in peers:
        yield Permission(*protocol, peer), checked_description(each.get("Description"))


def _paired_group(call: Call, group: SecurityGroup, pair: Mapping[str, Any]) -> str:
    reference, name, owner = pair.get("GroupId"), pair.get("GroupName"), pair.get("UserId")
    if owner and owner != call.scope.account:
        raise missing_group(reference or name or "")
    if reference:
        return referenced_group(call, group, reference)
    for other in call.tx.select(SecurityGroup, "vpc", (*call.scope, group.vpc_id)):
        if other.name == name:
            return other.group_id
    raise missing_group(name or "")


def referenced_group(call: Call, group: SecurityGroup, reference: str) -> str:
    """The id of a group that a rule may name: one of the same VPC."""
    other = find(call, SecurityGroup, reference)
    if other.vpc_id != group.vpc_id:
        text = (
            f"You have specified two resources that belong to different networks: {other.group_id} is in another VPC."
        )
        raise ApiError("InvalidGroup.NotFound", text)
    return other.group_id


def traffic(protocol: str | None, first: int | None, last: int | None) -> tuple[str, int, int]:
    """Protocol and ports, as rules keep them."""
    if not protocol:
        raise required("ipProtocol")
    name = NAMES.get(protocol.lower(), protocol.lower())
    if name == "-1":
        return name, -1, -1
    if name not in NAMED:
        if not (name.isascii() and name.isdecimal() and int(name) <= LARGEST_NUMBER):
            raise invalid(f"Invalid value '{protocol[:64]}' for IP protocol. Unknown protocol.")
        name = NAMES.get(str(int(name)), str(int(name)))
    if name in {"tcp", "udp"}:
        if first is None or last is None:
            raise invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
        if not 0 <= first <= last <= LARGEST_PORT:
            raise invalid(f"Invalid TCP/UDP port range ({first}:{last})")
        return name, first, last
    if name in {"icmp", "icmpv6"}:
        kind, code = -1 if first is None else first, -1 if last is None else last
        if not (-1 <= kind <= LARGEST_NUMBER and -1 <= code <= LARGEST_NUMBER) or (kind == -1 and code != -1):
            raise invalid(f"ICMP code ({code}) or type ({kind}) out of range")
        return name, kind, code
    return name, -1, -1


def ipv4_range(cidr: str) -> str:
    """An IPv4 range in its usual form; EC2 clears host bits."""
    try:
        return str(ipaddress.IPv4Network(cidr, strict=False)) if "/" in cidr and cidr.isascii() else _no_range(cidr)
    except ValueError:
        return _no_range(cidr)


def ipv6_range(cidr: str) -> str:
    """An IPv6 range in its usual form."""
    try:
        return str(ipaddress.IPv6Network(cidr, strict=False)) if "/" in cidr and cidr.isascii() else _no_range(cidr)
    except ValueError:
        return _no_range(cidr)


def _no_range(cidr: str) -> str:
    raise invalid(f"CIDR block {cidr[:64]} is malformed")


def prefix_list(call: Call, reference: str) -> str:
    """The id of a prefix list that is there."""
    if reference not in aws_prefix_lists(call.scope.region):
        find(call, PrefixList, reference)
    return reference


def checked_description(text: str | None) -> str:
    """A rule's description."""
    if text and not TEXT.fullmatch(text):
        why = "Valid descriptions are strings less than 256 characters from the following set: "
        raise invalid(f"Invalid rule description. {why} {ALLOWED}")
    return text or ""
