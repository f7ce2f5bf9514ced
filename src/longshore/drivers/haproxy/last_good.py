"""What load balancers were when they last worked: those whose new configuration HAProxy refuses go on with that.

Called by driver.py. All but `read` and `keep` are pure. The file is for the next life, in HAProxy's own folder and as
private as the certificates there. It has what works before anything else is tried: a kill in between loses nothing.
"""

import logging
from collections.abc import Collection
from pathlib import Path

import msgspec

from longshore.domain.elbv2.balancing import BalancerPlan
from longshore.drivers.haproxy.process import write_private
from longshore.drivers.haproxy.render import groups_of

log = logging.getLogger(__name__)


def only(plan: BalancerPlan, lb_ids: Collection[str]) -> BalancerPlan:
    """The plan of some load balancers, with the groups and certificates that they use."""
    kept = tuple(balancer for balancer in plan.load_balancers if balancer.lb_id in lb_ids)
    used = {group_id for balancer in kept for group_id in groups_of(balancer)}
    named = {name for balancer in kept for listener in balancer.listeners for name in listener.certificates}
    return msgspec.structs.replace(
        plan,
        load_balancers=kept,
        groups=tuple(group for group in plan.groups if group.group_id in used),
        certificates=tuple(each for each in plan.certificates if each.certificate_id in named),
    )


def instead(plan: BalancerPlan, last_good: BalancerPlan, refused: Collection[str]) -> BalancerPlan:
    """The plan, with the refused load balancers as they last worked, at the addresses that they have now.

    Those that never worked are left out. What another one uses too is as that one has it.
    """
    new = only(plan, {balancer.lb_id for balancer in plan.load_balancers} - set(refused))
    old = only(last_good, {balancer.lb_id for balancer in plan.load_balancers} & set(refused))
    addresses = {balancer.lb_id: balancer.addresses for balancer in plan.load_balancers}
    moved = tuple(msgspec.structs.replace(each, addresses=addresses[each.lb_id]) for each in old.load_balancers)
    return merged(new, msgspec.structs.replace(old, load_balancers=moved))


def merged(new: BalancerPlan, old: BalancerPlan) -> BalancerPlan:
    """A plan, and what another one has besides."""
    load_balancers = {each.lb_id: each for each in (*old.load_balancers, *new.load_balancers)}
    groups = {group.group_id: group for group in (*old.groups, *new.groups)}
    certificates = {each.certificate_id: each for each in (*old.certificates, *new.certificates)}
    return msgspec.structs.replace(
        new,
        load_balancers=tuple(load_balancers[lb_id] for lb_id in sorted(load_balancers)),
        groups=tuple(groups[group_id] for group_id in sorted(groups)),
        certificates=tuple(certificates[name] for name in sorted(certificates)),
    )


def read(file: Path) -> BalancerPlan:
    """What an earlier life kept; nothing where there is no such file, or none that can be read any more."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=BalancerPlan)
    except FileNotFoundError:
        return BalancerPlan()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("what load balancers were before can't be read: %s", error)
        return BalancerPlan()


def keep(file: Path, plan: BalancerPlan) -> None:
    """For the next life. Without load balancers there is nothing to keep."""
    if plan.load_balancers:
        write_private(file, msgspec.json.encode(plan).decode())
    else:
        file.unlink(missing_ok=True)
