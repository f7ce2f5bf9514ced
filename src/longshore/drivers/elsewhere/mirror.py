"""Shows moto what Longshore has and requests may name: roles, VPCs, their subnets and security groups.

moto's services look them up in moto's own backends of IAM and EC2, which no request reaches. `moto.py` calls this in
its threads before each request; what it writes there are moto's own objects with Longshore's ids. What moto's services
make there for themselves (network interfaces, groups) stays. Networks are shown once a service has loaded moto's EC2.
"""

import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from longshore.domain.ec2.network import SecurityGroup, Subnet, Vpc
from longshore.domain.iam import Role
from longshore.drivers.ports import Around, PassedRequest

PARTITION = "aws"


class Mirror:
    """What moto has been shown, by account and region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, dict[str, Role]] = {}
        self._networks: dict[tuple[str, str], _Networks] = {}
        self._newest: dict[tuple[str, ...], int] = {}

    def forget(self) -> None:
        """After moto has forgotten everything."""
        with self._lock:
            self._roles.clear()
            self._networks.clear()
            self._newest.clear()

    def show(self, request: PassedRequest) -> None:
        """See to it that moto has what was there when a request came."""
        around = request.around
        if around is None:
            return
        with self._lock:
            if around.roles is not None and "moto.iam.models" in sys.modules and self._is_news(around, request.account):
                self._show_roles(request.account, {role.unique_id: role for role in around.roles})
            place = (request.account, request.region)
            if around.vpcs is not None and "moto.ec2.models" in sys.modules and self._is_news(around, *place):
                self._show_networks(*place, around)

    def _is_news(self, around: Around, *place: str) -> bool:
        """Whether no request that came later has shown more of a place already."""
        newer = around.revision > self._newest.get(place, -1)
        if newer:
            self._newest[place] = around.revision
        return newer

    def _show_roles(self, account: str, wanted: Mapping[str, Role]) -> None:
        from moto.iam.models import iam_backends  # noqa: PLC0415  loaded by then

        shown = self._roles.setdefault(account, {})
        roles = iam_backends[account][PARTITION].roles
        for role_id in shown.keys() - wanted.keys():
            roles.pop(role_id, None)
            del shown[role_id]
        for role_id, role in wanted.items():
            if shown.get(role_id) != role:
                roles[role_id] = _role(role)
                shown[role_id] = role

    def _show_networks(self, account: str, region: str, around: Around) -> None:
        from moto.ec2.models import ec2_backends  # noqa: PLC0415  as above

        of_account = ec2_backends[account]
        if region not in of_account.regions:
            return  # moto knows no such region, and serves none of these there
        networks = self._networks.get((account, region))
        if networks is None:
            networks = self._networks[account, region] = _Networks(of_account[region])
        networks.show(around)


class _Networks:
    """moto's EC2 of one account and region."""

    def __init__(self, backend: Any) -> None:
        """Takes away the default VPC that moto makes for itself: there is Longshore's."""
        self._backend = backend
        self._vpcs: set[str] = set()
        self._subnets: dict[str, Subnet] = {}
        self._groups: dict[str, SecurityGroup] = {}
        for made in (backend.vpcs, backend.subnets, backend.groups):
            made.clear()

    def show(self, around: Around) -> None:
        """See to it that what there is, and nothing that was, is there. What can change of it, nobody there reads."""
        vpcs = {vpc.vpc_id: vpc for vpc in around.vpcs or ()}
        subnets = {subnet.subnet_id: subnet for subnet in around.subnets}
        groups = {group.group_id: group for group in around.groups}
        for subnet_id in self._subnets.keys() - subnets.keys():
            self._backend.subnets[self._subnets.pop(subnet_id).availability_zone].pop(subnet_id, None)
        for group_id in self._groups.keys() - groups.keys():
            self._backend.groups[self._groups.pop(group_id).vpc_id].pop(group_id, None)
        for vpc_id in self._vpcs - vpcs.keys():
            self._backend.vpcs.pop(vpc_id, None)
            self._vpcs.discard(vpc_id)
        for vpc_id in vpcs.keys() - self._vpcs:
            self._put_vpc(vpcs[vpc_id])
        for subnet_id in subnets.keys() - self._subnets.keys():
            self._put_subnet(subnets[subnet_id])
        for group_id in groups.keys() - self._groups.keys():
            self._put_group(groups[group_id])

    def _put_vpc(self, vpc: Vpc) -> None:
        from moto.ec2.models.vpcs import VPC  # noqa: PLC0415  as above

        made = _made(VPC, self._backend, vpc.vpc_id, vpc.cidr, is_default=vpc.is_default)
        self._backend.vpcs[vpc.vpc_id] = made
        self._vpcs.add(vpc.vpc_id)
        if vpc.is_default:
            self._backend.default_vpc = made

    def _put_subnet(self, subnet: Subnet) -> None:
        from moto.ec2.models.subnets import Subnet as MotoSubnet  # noqa: PLC0415  as above

        self._backend.subnets[subnet.availability_zone][subnet.subnet_id] = _made(
            MotoSubnet,
            self._backend,
            subnet.subnet_id,
            subnet.vpc_id,
            subnet.cidr,
            ipv6_cidr_block=None,
            availability_zone=self._zone(subnet.availability_zone),
            default_for_az=subnet.is_default,
            map_public_ip_on_launch=subnet.map_public_ip,
        )
        self._subnets[subnet.subnet_id] = subnet

    def _zone(self, name: str) -> Any:
        from moto.ec2.models.availability_zones_and_regions import Zone  # noqa: PLC0415  as above

        region: str = self._backend.region_name
        found = next((zone for zone in self._backend.zones.get(region, ()) if zone.name == name), None)
        return found or Zone(name=name, region_name=region, zone_id=name, zone_type="availability-zone")

    def _put_group(self, group: SecurityGroup) -> None:
        from moto.ec2.models.security_groups import SecurityGroup as MotoGroup  # noqa: PLC0415  as above

        self._backend.groups[group.vpc_id][group.group_id] = _made(
            MotoGroup,
            self._backend,
            group.group_id,
            group.name,
            group.description,
            vpc_id=group.vpc_id,
            is_default=group.name == "default",
        )
        self._groups[group.group_id] = group


def _made(kind: Any, *values: Any, **named: Any) -> Any:
    """One of moto's models, which for mypy are abstract: CloudFormation's methods are left out of some."""
    return kind(*values, **named)


def _role(role: Role) -> Any:
    from moto.iam.models import Role as MotoRole  # noqa: PLC0415  as above

    made = _made(
        MotoRole,
        role.account,
        PARTITION,
        role_id=role.unique_id,
        name=role.name,
        assume_role_policy_document=role.trust,
        path=role.path,
        permissions_boundary=role.boundary_arn or None,
        description=role.description,
        tags=[{"Key": key, "Value": value} for key, value in role.tags.items()],
        max_session_duration=str(role.max_session_s),
        linked_service=role.service or None,
    )
    made.create_date = datetime.fromtimestamp(role.created_at, UTC).replace(tzinfo=None)
    return made
