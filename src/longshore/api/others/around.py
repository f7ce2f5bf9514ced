"""What requests to services of others may name of ours: read from the store for a provider that has none of it itself.

`app.py` gives it to `routes.py`, which hands it on with each request.
"""

from collections.abc import Collection

from longshore.domain.ec2.network import SecurityGroup, Subnet, Vpc
from longshore.domain.iam import Role
from longshore.domain.names.zone import GLOBAL
from longshore.domain.record import Scope
from longshore.drivers.ports import Around
from longshore.store.store import Store


def around(store: Store, scope: Scope, forwarded: Collection[str]) -> Around:
    """What there is of an account in a region; nothing of services that are forwarded: theirs lie elsewhere."""
    networks = "ec2" not in forwarded
    return Around(
        revision=store.revision,
        roles=store.select(Role, "scope", Scope(scope.account, GLOBAL)) if "iam" not in forwarded else None,
        vpcs=store.select(Vpc, "scope", scope) if networks else None,
        subnets=store.select(Subnet, "scope", scope) if networks else (),
        groups=store.select(SecurityGroup, "scope", scope) if networks else (),
    )
