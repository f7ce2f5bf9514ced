"""`longshore dns`: whether the name server answers on this host, and what to write where so that the host asks it."""

from collections.abc import Sequence

import dns.exception
import dns.message
import dns.query
import dns.rcode
from botocore.exceptions import BotoCoreError, ClientError

from longshore.api.task_endpoint.app import ADDRESS
from longshore.cli.client import Server

DOMAINS = ("elb.internal", "ec2.internal", "compute.internal")
"""What to ask it for beside private zones: the host takes `*.localhost` for itself, and load balancers answer there
too. Private names of regions but us-east-1 are in `REGION.compute.internal`."""
WAIT_S = 2.0

NO_ANSWER = (
    f"Nothing answers for names at {ADDRESS} on this host. Is Longshore running here, with the Docker engine? If so, "
    "another program has port 53 of all addresses: `ss -lntup sport = 53` shows which."
)


def answers(address: str = ADDRESS, port: int = 53) -> bool:
    """Whether a name server answers there for a name that Longshore's knows."""
    query = dns.message.make_query("ip-10-0-0-1.ec2.internal", "A")
    try:
        reply = dns.query.udp(query, address, timeout=WAIT_S, port=port)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.answer)


def private_zones(server: Server) -> list[str] | None:
    """The private hosted zones of the caller's account, those of namespaces too; None where nobody says."""
    try:
        pages = server.client("route53").get_paginator("list_hosted_zones").paginate(HostedZoneType="PrivateHostedZone")
        names = {zone["Name"].removesuffix(".") for page in pages for zone in page["HostedZones"]}
    except (BotoCoreError, ClientError):  # there is no server, or it does not allow it: the rest is true all the same
        return None
    return sorted(names)


def advice(zones: Sequence[str] | None, address: str = ADDRESS) -> str:
    """What to write where. `zones`: the private hosted zones, None where they are not known."""
    domains = dict.fromkeys((*DOMAINS, *(zones or ())))
    routes = " ".join(f"~{domain}" for domain in domains)
    dnsmasq = "\n".join(f"  server=/{domain}/{address}" for domain in domains)
    unknown = "Add your private namespaces and zones to the domains below: the API did not tell them.\n"
    return f"""\
Tasks ask Longshore for names by themselves. This host can, too, at {address}.
{"" if zones is not None else unknown}
systemd-resolved: write /etc/systemd/resolved.conf.d/longshore.conf, then `systemctl restart systemd-resolved`
  [Resolve]
  DNS={address}
  Domains={routes}

dnsmasq (also NetworkManager's): write a file in /etc/dnsmasq.d, then restart it
{dnsmasq}

neither: make it the first server in /etc/resolv.conf; it asks the others for all names that are not its own
  nameserver {address}

To try: dig @{address} NAME"""
