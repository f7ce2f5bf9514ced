"""Which load balancer a name means at the ports of this host that all of them share. Pure.

Called by `balancing.py`. A load balancer's own DNS name is not in it: that is always its own, at whatever port.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from longshore.domain.elbv2.balancing import HostPort, ListenerPlan, LoadBalancerPlan

NAME = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
"""What can be a host in a request; `*.` stands for one label, as in certificates."""
DUALSTACK = "dualstack."
"""What aliases may put before the name of a load balancer."""


class Placed(NamedTuple):
    """A load balancer, and the names that lead to it from elsewhere."""

    balancer: LoadBalancerPlan
    created_at: float
    aliases: frozenset[str]


def names_leading_to(dns_name: str, leading: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """All names that are aliases of a load balancer, or of one of its aliases. `leading`: those of one name."""
    found: set[str] = set()
    open_names = [dns_name, f"{DUALSTACK}{dns_name}"]
    while open_names:
        new = set(leading(open_names.pop())) - found
        found |= new
        open_names.extend(new)
    return frozenset(found)


def host_ports(placed: Iterable[Placed], certificate_names: Mapping[str, Iterable[str]]) -> tuple[HostPort, ...]:
    """For each port at which load balancers listen, which one a name means. `certificate_names`: by certificate's id.

    A name is that of the oldest load balancer that an alias, a certificate or the exact host of a rule gives it to.
    Where only one listens, it is meant by every name.
    """
    at: dict[int, list[tuple[ListenerPlan, frozenset[str]]]] = {}
    for each in sorted(placed, key=lambda one: (one.created_at, one.balancer.lb_id)):
        names = each.aliases | _own_names(each.balancer, certificate_names)
        usable = frozenset(name for name in map(str.lower, names) if NAME.fullmatch(name))
        for listener in each.balancer.listeners:
            at.setdefault(listener.port, []).append((listener, usable))
    return tuple(_host_port(port, at[port]) for port in sorted(at))


def _host_port(port: int, listeners: list[tuple[ListenerPlan, frozenset[str]]]) -> HostPort:
    if len(listeners) == 1:
        return HostPort(port=port, every=listeners[0][0].listener_id)
    names: dict[str, str] = {}
    for listener, of_balancer in listeners:
        names = {**dict.fromkeys(of_balancer, listener.listener_id), **names}
    return HostPort(port=port, names=tuple(sorted(names.items())))


def _own_names(balancer: LoadBalancerPlan, certificate_names: Mapping[str, Iterable[str]]) -> frozenset[str]:
    found: set[str] = set()
    for listener in balancer.listeners:
        for certificate_id in listener.certificates:
            found.update(certificate_names.get(certificate_id, ()))
        for rule in listener.rules:
            for condition in rule.conditions:
                if condition.field == "host-header":
                    found.update(value for value in condition.values if "*" not in value)
    return frozenset(found)
