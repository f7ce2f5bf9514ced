"""Gives tasks their places in their subnets, and takes them back: the only writer of a task's network interface.

Called by `tasks.py` with the tasks of one transaction, which may be many: each subnet is read and written once.
"""

from longshore.decide.ecs import task as life
from longshore.decide.ecs.launching import free_addresses
from longshore.domain.clock import Ids
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, Subnet, mac_of, usable_addresses
from longshore.domain.ecs.task import Attachment, Task
from longshore.domain.record import Key
from longshore.store.store import Transaction

NO_ADDRESS = "ResourceInitializationError: no free address is left in subnet {subnet}."
NO_GROUP = "ResourceInitializationError: security group {group} does not exist any more."
NO_SUBNET = "ResourceInitializationError: subnet {subnet} does not exist any more."


class Places:
    """The addresses that one transaction hands out; `write` them in its end."""

    def __init__(self, tx: Transaction, ids: Ids, now: float) -> None:
        self._tx = tx
        self._ids = ids
        self._now = now
        self._subnets: dict[Key, _Addresses] = {}
        self._made: list[NetworkInterface] = []

    def give(self, task: Task) -> Task:
        """The task with an address of its own, or on its way down because there is none."""
        if task.attachment is None:
            return life.attached(task, None)
        addresses = self._addresses_of((*task.scope, task.attachment.subnet_id))
        if addresses is None:
            return _unplaceable(task, NO_SUBNET)
        asked = _groups_asked(task)
        for group in asked:
            if self._tx.get(SecurityGroup, (*task.scope, group)) is None:
                return _unplaceable(task, NO_GROUP, group)
        address = addresses.next()
        if address is None:
            return _unplaceable(task, NO_ADDRESS)
        subnet = addresses.subnet
        interface = NetworkInterface(
            account=task.account,
            region=task.region,
            interface_id=f"eni-{self._ids.hex(17)}",
            vpc_id=subnet.vpc_id,
            subnet_id=subnet.subnet_id,
            availability_zone=subnet.availability_zone,
            private_ip=address,
            mac_address=mac_of(address),
            security_groups=asked or addresses.default_groups,
            created_at=self._now,
            attachment_id=task.attachment.attachment_id,
            description=f"arn:aws:ecs:{task.region}:{task.account}:attachment/{task.attachment.attachment_id}",
            task_arn=task.arn,
        )
        self._made.append(interface)
        attachment = Attachment(
            attachment_id=interface.attachment_id,
            subnet_id=interface.subnet_id,
            status="ATTACHED",
            interface_id=interface.interface_id,
            private_ip=address,
            mac_address=interface.mac_address,
        )
        return life.attached(task, attachment)

    def write(self) -> None:
        """Put the interfaces, and how far each subnet has come."""
        for interface in self._made:
            self._tx.put(interface)
        for addresses in self._subnets.values():
            self._tx.put(addresses.subnet.but(next_offset=addresses.next_offset))

    def _addresses_of(self, key: Key) -> "_Addresses | None":
        addresses = self._subnets.get(key)
        if addresses is None:
            subnet = self._tx.get(Subnet, key)
            if subnet is None:
                return None
            addresses = self._subnets[key] = _Addresses(self._tx, subnet)
        return addresses


class _Addresses:
    """A subnet, and the addresses that are free in it. Nothing else of the transaction may take one."""

    def __init__(self, tx: Transaction, subnet: Subnet) -> None:
        self.subnet = subnet
        self.next_offset = subnet.next_offset
        place = (*subnet.scope, subnet.vpc_id)
        groups = tx.select(SecurityGroup, "vpc", place)
        self.default_groups = tuple(group.group_id for group in groups if group.name == "default")
        taken = tx.tally(NetworkInterface, "addresses", subnet.key)
        # A full subnet is known without looking at each of its addresses.
        self._left = usable_addresses(subnet.range) - taken
        self._free = free_addresses(
            subnet, lambda address: tx.count(NetworkInterface, "address", (*place, address)) > 0
        )

    def next(self) -> str | None:
        """The next free address; each is given once."""
        found = next(self._free, None) if self._left > 0 else None
        if found is None:
            return None
        self._left -= 1
        address, self.next_offset = found
        return address


def release(tx: Transaction, task: Task, now: float) -> None:
    """The task stopped, and its address free again."""
    if task.attachment is not None and task.attachment.interface_id:
        tx.delete(NetworkInterface, (*task.scope, task.attachment.interface_id))
    tx.put(life.released(task, now))


def _groups_asked(task: Task) -> tuple[str, ...]:
    return tuple(task.network_configuration.get("awsvpcConfiguration", {}).get("securityGroups") or ())


def _unplaceable(task: Task, reason: str, group: str = "") -> Task:
    subnet = task.attachment.subnet_id if task.attachment else ""
    return life.request_stop(task, "TaskFailedToStart", reason.format(subnet=subnet, group=group))
