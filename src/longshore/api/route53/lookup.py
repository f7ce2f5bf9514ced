"""Finds what an id of Route 53 names, and notes what was changed."""

from typing import Any

from longshore.api.common.zones import global_scope
from longshore.api.operation import Call
from longshore.domain.names.dns_name import labels_of
from longshore.domain.names.naming import naming_arn
from longshore.domain.names.zone import HostedZone, ZoneChange
from longshore.domain.record import Scope
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
INSYNC = "INSYNC"
ZONE_PREFIX, CHANGE_PREFIX = "/hostedzone/", "/change/"


def invalid(text: str) -> ApiError:
    """The error for an input that Route 53 does not take."""
    return ApiError("InvalidInput", text)


def find_zone(call: Call, reference: str) -> HostedZone:
    """The zone with an id, `/hostedzone/` before it or not. Raises NoSuchHostedZone."""
    zone_id = reference.removeprefix(ZONE_PREFIX)
    found = call.tx.get(HostedZone, (*global_scope(call), zone_id))
    if found is None:
        raise ApiError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
    return found


def own_zone(call: Call, reference: str) -> HostedZone:
    """The same, if it is a user's to change. Raises AccessDenied for one of Cloud Map's."""
    zone = find_zone(call, reference)
    if zone.namespace_id:
        text = (
            f"The resource hostedzone/{zone.zone_id} can only be managed through AWS Cloud Map ({namespace_of(zone)})"
        )
        raise ApiError("AccessDenied", text, status=403)
    return zone


def namespace_of(zone: HostedZone) -> str:
    """The ARN of the namespace that a zone belongs to."""
    return naming_arn(Scope(zone.account, zone.namespace_region), "namespace", zone.namespace_id)


def changed(call: Call, comment: str | None = None) -> Answer:
    """`ChangeInfo` of a change, which is done when it is answered."""
    scope = global_scope(call)
    change = ZoneChange(
        account=scope.account,
        region=scope.region,
        change_id=f"C{call.ids.token(20).upper()}",
        submitted_at=call.now,
        comment=comment or "",
    )
    call.tx.put(change)
    return change_view(change)


def change_view(change: ZoneChange) -> Answer:
    """`ChangeInfo`."""
    view = {"Id": CHANGE_PREFIX + change.change_id, "Status": INSYNC, "SubmittedAt": change.submitted_at}
    return {**view, "Comment": change.comment} if change.comment else view


def max_items(call: Call, most: int) -> int:
    """How many items a page is to have: Route 53 takes the number as a text."""
    given = call.params.get("MaxItems")
    if given is None:
        return most
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and int(given) >= 1):
        raise invalid(f"MaxItems is a number from 1 on, not {given[:64]}")
    return min(int(given), most)


def in_order(name: str) -> tuple[str, ...]:
    """What names are sorted by in Route 53: their labels, from the last one on."""
    return tuple(reversed(labels_of(name) or ()))
