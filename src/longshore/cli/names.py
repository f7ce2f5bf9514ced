"""`longshore dns`: whether the name server answers on this host, and what to write where so that the host asks it."""

import dns.exception
import dns.message
import dns.query
import dns.rcode

from longshore.api.task_endpoint.app import ADDRESS

DOMAINS = ("elb.internal", "ec2.internal")
"""What to ask it for: the host takes `*.localhost` for itself, and load balancers answer there too."""
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


def advice(address: str = ADDRESS) -> str:
    """What to write where."""
    routes = " ".join(f"~{domain}" for domain in DOMAINS)
    dnsmasq = "\n".join(f"  server=/{domain}/{address}" for domain in DOMAINS)
    return f"""\
Tasks ask Longshore for names by themselves. This host can, too, at {address}.
Add your private namespaces to the domains below.

systemd-resolved: write /etc/systemd/resolved.conf.d/longshore.conf, then `systemctl restart systemd-resolved`
  [Resolve]
  DNS={address}
  Domains={routes}

dnsmasq (also NetworkManager's): write a file in /etc/dnsmasq.d, then restart it
{dnsmasq}

neither: make it the first server in /etc/resolv.conf; it asks the others for all names that are not its own
  nameserver {address}

To try: dig @{address} NAME"""
