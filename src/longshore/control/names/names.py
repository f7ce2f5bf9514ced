"""Longshore's own names, read from the store at every question: nothing here is kept, so nothing can be out of date.

Called by the name server through `Zones`. Writes nothing.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence

from longshore.control.names.connect import ConnectController
from longshore.domain.ec2.network import Vpc, private_dns_name
from longshore.domain.elbv2.balancer import DNS_ZONE, DNS_ZONE_INSIDE, LoadBalancer
from longshore.domain.names.resolving import DnsRecord, ZoneAnswer, soa
from longshore.store.store import Reader

LOCAL = "localhost"
TTL_S = 60
"""Of a load balancer's addresses, as AWS has it: they stay the same as long as it exists."""
CONNECT_TTL_S = 2
"""Of a Service Connect name. Its address stays the same as long as the name is in use, but not for ever."""
NEGATIVE_TTL_S = 2
"""A name that is asked for too early is soon found."""
_LOOPBACK = {"A": "127.0.0.1", "AAAA": "::1"}
_REVERSE = ".in-addr.arpa"
_OCTETS = 4
_PRIVATE = re.compile(r"ip-(\d+)-(\d+)-(\d+)-(\d+)\.(?:ec2|[a-z0-9-]+\.compute)\.internal")


class LoadBalancerNames:
    """The names of load balancers, and all others under `localhost`, which are whoever asks (RFC 6761)."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    def answer(self, _vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """The addresses of a load balancer, from wherever it is asked for, as AWS's public names are."""
        for zone in (DNS_ZONE, DNS_ZONE_INSIDE):
            if _within(name, zone):
                return self._balancer(zone, name, record_type)
        if not _within(name, LOCAL):
            return None
        data = {kind: (address,) for kind, address in _LOOPBACK.items()}
        return _with(soa(LOCAL, NEGATIVE_TTL_S), name, record_type, data)

    def _balancer(self, zone: str, name: str, record_type: str) -> ZoneAnswer:
        start = soa(zone, NEGATIVE_TTL_S)
        if name == zone:
            return ZoneAnswer(start, (start,) if record_type == "SOA" else ())
        found = self._store.select(LoadBalancer, "dns", (name.removesuffix(zone) + DNS_ZONE,))
        if not found:
            return ZoneAnswer(start, exists=False)
        return _with(start, name, record_type, {"A": tuple(each.address for each in found[0].zones)})


class ConnectNames:
    """The names of Service Connect: in a task with it they are addresses of its own loopback, where its proxy is."""

    def __init__(self, connect: ConnectController) -> None:
        self._connect = connect

    def answer_to(self, vpc_id: str, client: str, name: str, record_type: str) -> ZoneAnswer | None:
        """The address of a name of the asking task's namespace, from the moment on at which a service offers it."""
        for route in self._connect.routes_at(vpc_id, client):
            if route.dns_name.lower() == name:
                return _with(soa(name, NEGATIVE_TTL_S), name, record_type, {"A": (route.address,)}, CONNECT_TTL_S)
        return None


class PrivateNames:
    """The names that AWS gives to private addresses: `ip-172-31-0-4.ec2.internal` says itself what it means."""

    def answer(self, _vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """The address in the name; others in these domains are the host's resolvers' to know."""
        match = _PRIVATE.fullmatch(name)
        if match is None:
            return None
        try:
            address = str(ipaddress.IPv4Address(".".join(match.groups())))
        except ValueError:
            return None
        return _with(soa(name.partition(".")[2], NEGATIVE_TTL_S), name, record_type, {"A": (address,)})


class ReverseNames:
    """The names of private addresses: what AWS's resolver has rules for in every VPC.

    Asked after hosted zones, so that a user's own zone of addresses goes before it.
    """

    def __init__(self, store: Reader) -> None:
        self._store = store

    def answer(self, vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """The private DNS name of an address of the VPC; other private addresses have none, and nobody else is asked.

        The host, which is in no VPC, may have names for private addresses of its own: those of VPCs alone are ours.
        """
        numbers = name.removesuffix(_REVERSE).split(".")[::-1] if name.endswith(_REVERSE) else []
        vpc, zone = self._vpc(vpc_id, _address(numbers)), _private_zone(numbers)
        if vpc is not None:
            private = private_dns_name(".".join(numbers), vpc.region)
            start = soa(zone or f"{numbers[1]}.{numbers[0]}{_REVERSE}", NEGATIVE_TTL_S)
            return _with(start, name, record_type, {"PTR": (f"{private}.",)})
        if vpc_id is None or not zone:
            return None
        start = soa(zone, NEGATIVE_TTL_S)
        if name == zone and record_type == "SOA":
            return ZoneAnswer(start, (start,))
        above_others = len(numbers) < _OCTETS and all(map(_is_octet, numbers))
        return ZoneAnswer(start, exists=above_others)

    def _vpc(self, vpc_id: str | None, address: ipaddress.IPv4Address | None) -> Vpc | None:
        """The one that has the address: that from which the question comes, or any where it comes from the host."""
        if address is None:
            return None
        asked = self._store.all(Vpc) if vpc_id is None else self._store.select(Vpc, "id", (vpc_id,))
        return next((vpc for vpc in asked if address in ipaddress.IPv4Network(vpc.range)), None)


class EndpointNames:
    """The name at which SDKs in tasks look for DiscoverInstances: they put `data-` before the host of the endpoint.

    That one is an address here, and the whole is taken for a name: `data-169.254.170.2`.
    """

    def __init__(self, address: str) -> None:
        self._name, self._address = f"data-{address}", address

    def answer(self, _vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """The address in the name."""
        if name != self._name:
            return None
        return _with(soa(name, NEGATIVE_TTL_S), name, record_type, {"A": (self._address,)})


def _address(numbers: Sequence[str]) -> ipaddress.IPv4Address | None:
    whole = len(numbers) == _OCTETS and all(map(_is_octet, numbers))
    return ipaddress.IPv4Address(".".join(numbers)) if whole else None


def _is_octet(text: str) -> bool:
    return text.isascii() and text.isdigit() and str(int(text)) == text and int(text) < 256


def _private_zone(numbers: Sequence[str]) -> str:
    """The reverse zone of a private range (RFC 1918) in which a name is; empty for others."""
    match numbers:
        case ["10", *_]:
            return f"10{_REVERSE}"
        case ["172", second, *_] if _is_octet(second) and 16 <= int(second) < 32:
            return f"{second}.172{_REVERSE}"
        case ["192", "168", *_]:
            return f"168.192{_REVERSE}"
    return ""


def _within(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _with(
    start: DnsRecord, name: str, record_type: str, data: Mapping[str, tuple[str, ...]], ttl_s: int = TTL_S
) -> ZoneAnswer:
    records = (DnsRecord(name, record_type, ttl_s, each) for each in data.get(record_type, ()))
    return ZoneAnswer(start, tuple(records))
