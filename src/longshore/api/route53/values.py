"""The values of record sets: checked as the name server will read them, and alias targets."""

import ipaddress

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from longshore.api.operation import Call
from longshore.decide.names.zones import zone_file
from longshore.domain.elbv2.balancer import LoadBalancer, dns_name_in
from longshore.domain.elbv2.hosted_zones import hosted_zone
from longshore.domain.names.zone import RecordSet

ADDRESSES = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}
QUOTED = frozenset({"TXT", "SPF"})


def fault_in(kind: str, value: str) -> str | None:
    """What is wrong with the value of a record of a type; None if nothing is."""
    if kind in QUOTED and not (len(value) >= 2 and value[0] == value[-1] == '"'):
        return f"InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{value}'"
    if not value.isprintable() or not value.isascii():
        return f"InvalidValue (Value has characters that must be escaped) encountered with '{value}'"
    try:
        if kind in ADDRESSES:
            ADDRESSES[kind](value)
            return None
        rdtype = dns.rdatatype.from_text(kind)
        read = dns.rdata.from_text(dns.rdataclass.IN, rdtype, zone_file(value), origin=dns.name.root, relativize=False)
        read.to_wire()
    except (dns.exception.DNSException, ValueError, OverflowError, AttributeError, IndexError) as error:
        return f"InvalidValue (Value is not one of a record of type {kind}: {error}) encountered with '{value}'"
    return None


def zone_of_alias(call: Call, target: str) -> str:
    """The zone that an alias to a load balancer names; empty for what is none."""
    found = call.tx.select(LoadBalancer, "dns", (dns_name_in(target),))
    return hosted_zone(found[0].region, found[0].type) if found else ""


def alias_view(record_set: RecordSet) -> dict[str, object]:
    """`AliasTarget`."""
    return {
        "HostedZoneId": record_set.alias["HostedZoneId"],
        "DNSName": f"{record_set.alias['DNSName'].removesuffix('.')}.",
        "EvaluateTargetHealth": record_set.evaluate_target_health,
    }
