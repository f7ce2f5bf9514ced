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

    A name is that of the load balancer whose alias it is, as on AWS, where DNS decides; else that of the oldest one
    with a certificate for it, or a rule for exactly this host. Where only one listens, it is meant by every name.
    """
    at: dict[int, list[_Named]] = {}
    for each in sorted(placed, key=lambda one: (one.created_at, one.balancer.lb_id)):
        aliases, own = _usable(each.aliases), _usable(_own_names(each.balancer, certificate_names))
        for listener in each.balancer.listeners:
            at.setdefault(listener.port, []).append(_Named(listener, aliases, own))
    return tuple(_host_port(port, at[port]) for port in sorted(at))


class _Named(NamedTuple):
    """A listener, and the names that mean its load balancer."""

    listener: ListenerPlan
    aliases: frozenset[str]
    own: frozenset[str]
    """By its certificates and rules."""


def _host_port(port: int, listeners: list[_Named]) -> HostPort:
    if len(listeners) == 1:
        return HostPort(port=port, every=listeners[0].listener.listener_id)
    names: dict[str, str] = {}
    by_alias = [(each.listener, each.aliases) for each in listeners]
    by_own = [(each.listener, each.own) for each in listeners]
    for listener, those in (*by_alias, *by_own):
        names = {**dict.fromkeys(those, listener.listener_id), **names}
    return HostPort(port=port, names=tuple(sorted(names.items())))


def _usable(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in map(str.lower, names) if NAME.fullmatch(name))


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
