"""Where a VPC's addresses really are: in its own range, or, where that is taken on this machine, in another one.

All VPCs share one machine's networks, and those can't overlap; but two stacks with 10.0.0.0/16, in two regions or
accounts, are common. Why it is done this way: docs/decisions/0013-networks.md.
"""

import ipaddress
from collections.abc import Iterator, Sequence

from longshore.api.operation import Call
from longshore.domain.ec2.network import Vpc
from longshore.domain.ecs.cluster import Host
from longshore.store.store import Reader
from longshore.wire.errors import ApiError

Network = ipaddress.IPv4Network
LARGEST, SMALLEST = 16, 28
"""The prefix lengths that a VPC or a subnet may have."""
POOL: tuple[str, ...] = (
    *(f"10.{number}.0.0/16" for number in range(64, 192)),
    *(f"100.{number}.0.0/16" for number in range(64, 128)),
)
"""Where VPCs are moved to. Stacks rarely have these; default VPCs are in others (`defaults.CANDIDATE_CIDRS`)."""
UNUSABLE = tuple(Network(cidr) for cidr in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"))


def usable_block(cidr: str) -> Network | None:
    """The range that a text means, host bits cleared as AWS does; None where it is none that a VPC may have."""
    network = block(cidr)
    if network is None or not LARGEST <= network.prefixlen <= SMALLEST:
        return None
    return None if any(network.overlaps(other) for other in UNUSABLE) else network


def block(cidr: str) -> Network | None:
    """The IPv4 range that a text means, host bits cleared; None where it is none."""
    if "/" not in cidr or not cidr.isascii():
        return None
    try:
        return Network(cidr, strict=False)
    except ValueError:
        return None


def machine_cidr(call: Call, cidr: str) -> str:
    """Where a new VPC's addresses will be; empty: where it says. Raises where there is no room left."""
    taken = taken_ranges(call.tx)
    wanted = Network(cidr)
    if taken is None or not any(wanted.overlaps(other) for other in taken):
        return ""
    found = next(_free(wanted.prefixlen, taken), None)
    if found is None:
        text = (
            f"The range {cidr} is taken on this machine, by another VPC or by a network of the machine itself, and "
            f"no other one of its size is left to put the VPC's addresses in. Delete a VPC, or use another range."
        )
        raise ApiError("VpcLimitExceeded", text)
    return str(found)


def taken_ranges(tx: Reader) -> list[Network] | None:
    """The ranges of all VPCs and of the machine itself; None where networks only seem to be there."""
    host = tx.get(Host, ("", "", "local"))
    if host is None or host.networks is None:
        return None
    return [*(Network(vpc.range) for vpc in tx.all(Vpc)), *map(Network, host.networks)]


def _free(prefix_length: int, taken: Sequence[Network]) -> Iterator[Network]:
    """The parts of the pool of a size that overlap nothing, in order."""
    for cidr in POOL:
        whole = Network(cidr)
        near = [other for other in taken if whole.overlaps(other)]
        for part in whole.subnets(new_prefix=prefix_length):
            if not any(part.overlaps(other) for other in near):
                yield part
