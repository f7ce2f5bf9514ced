"""What the firewall is to be told, read from the store: everything, or one thing, for `control/ec2/firewall.py`."""

from collections.abc import Callable, Iterable

from longshore.decide.ec2 import egress
from longshore.decide.ec2 import firewall as decide
from longshore.decide.ec2.acls import acls_of
from longshore.domain.ec2.endpoint import PrefixList
from longshore.domain.ec2.firewall import Acl, Exit, GroupRules, Place, Ruleset
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.routing import InternetGateway, NatGateway, RouteTable
from longshore.domain.elbv2.balancer import LoadBalancer
from longshore.domain.record import Key, Scope
from longshore.store.store import Store


class Rules:
    """The rules of one store.

    `by_groups`: whether security groups and network ACLs count; `by_routes`: whether route tables do.
    """

    def __init__(self, store: Store, *, by_groups: bool, by_routes: bool) -> None:
        self._store = store
        self.by_groups = by_groups
        self.by_routes = by_routes

    def all(self) -> Ruleset:
        """Everything."""
        store = self._store
        groups = {group.group_id: self.of_group(group.key) for group in store.all(SecurityGroup)}
        places = {each.interface_id: self.place(each.key) for each in store.all(NetworkInterface)}
        return Ruleset(
            vpcs=self.vpcs(),
            groups={group_id: rules for group_id, rules in groups.items() if rules is not None},
            places={interface_id: place for interface_id, place in places.items() if place is not None},
            exits=self.exits() if self.by_routes else None,
            acls=self.acls() if self.by_groups else (),
        )

    def vpcs(self) -> frozenset[str]:
        """The ids of all VPCs."""
        return frozenset(vpc.vpc_id for vpc in self._store.all(Vpc))

    def of_group(self, key: Key) -> GroupRules | None:
        """A security group's rules; None: it is gone."""
        group = self._store.get(SecurityGroup, key)
        if group is None:
            return None
        vpc = self._store.get(Vpc, (*group.scope, group.vpc_id))

        def ranges(rule: SecurityGroupRule) -> Iterable[str]:
            return decide.meant_by(rule, vpc, self._entries(group.scope, rule.prefix_list_id))

        return decide.group_rules(
            self._store.select(SecurityGroupRule, "group", key), self._exists(group.scope), ranges
        )

    def place(self, key: Key) -> Place | None:
        """A network interface; None: it is gone."""
        found = self._store.get(NetworkInterface, key)
        if found is None:
            return None
        return decide.place_of(found, self._exists(found.scope), public=self._is_public(found))

    def _is_public(self, interface: NetworkInterface) -> bool:
        """Whether an internet-facing load balancer stands there."""
        if interface.instance_owner_id != decide.ON_HOST:
            return False
        balancers = self._store.select(LoadBalancer, "vpc", (*interface.scope, interface.vpc_id))
        return any(
            zone.interface_id == interface.interface_id
            for balancer in balancers
            if balancer.scheme == "internet-facing"
            for zone in balancer.zones
        )

    def acls(self) -> tuple[Acl, ...]:
        """All network ACLs that hold something back."""
        store = self._store
        found: list[Acl] = []
        for scope in sorted({vpc.scope for vpc in store.all(Vpc)}):
            vpcs = {each.vpc_id: each for each in store.select(Vpc, "scope", scope)}
            acls = {each.acl_id: each for each in store.select(NetworkAcl, "scope", scope)}
            found += acls_of(vpcs, store.select(Subnet, "scope", scope), acls)
        return tuple(found)

    def exits(self) -> tuple[Exit, ...]:
        """What all subnets reach outside."""
        found: list[Exit] = []
        for scope in sorted({vpc.scope for vpc in self._store.all(Vpc)}):
            found += egress.exits_of(self._routing(scope))
        return tuple(found)

    def _routing(self, scope: Scope) -> egress.Routing:
        read = self._store.select
        return egress.Routing(
            vpcs={each.vpc_id: each for each in read(Vpc, "scope", scope)},
            subnets={each.subnet_id: each for each in read(Subnet, "scope", scope)},
            tables={each.table_id: each for each in read(RouteTable, "scope", scope)},
            internet_gateways={each.gateway_id: each for each in read(InternetGateway, "scope", scope)},
            nat_gateways={each.gateway_id: each for each in read(NatGateway, "scope", scope)},
            entries=lambda list_id: self._entries(scope, list_id),
        )

    def _entries(self, scope: Scope, list_id: str) -> list[str]:
        """The ranges of a prefix list. AWS's own lists have none that are outside: their services answer here."""
        found = self._store.get(PrefixList, (*scope, list_id)) if list_id else None
        return [entry.cidr for entry in found.entries] if found is not None else []

    def _exists(self, scope: Scope) -> Callable[[str], bool]:
        """Whether there is a group that counts, of an account in a region."""
        return lambda group_id: self.by_groups and self._store.get(SecurityGroup, (*scope, group_id)) is not None
