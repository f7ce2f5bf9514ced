"""Managed prefix lists: created, changed version by version, described, deleted; AWS's own are listed beside them."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.endpoints.services import ADDRESS, aws_prefix_lists
from longshore.api.ec2.errors import bad_value, chosen, invalid, paged, required
from longshore.api.ec2.resources import RESOURCES, find, place_of
from longshore.api.ec2.security.permissions import ipv4_range, ipv6_range
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.ec2.endpoint import PrefixEntry, PrefixList
from longshore.domain.ec2.network import SecurityGroupRule
from longshore.domain.ec2.routing import RouteTable
from longshore.wire.errors import ApiError

MAX_ENTRIES = 1000
MAX_CHANGED = 100
"""Entries added or removed in one call."""
MAX_NAME = 255
VERSIONS_KEPT = 100
FAMILIES = ("IPv4", "IPv6")
FILTERS = filters.table(owner_id="OwnerId", prefix_list_id="PrefixListId", prefix_list_name="PrefixListName")


def create_managed_prefix_list(call: Call) -> dict[str, Any]:
    """CreateManagedPrefixList."""
    call.params.get("ClientToken")
    made = repeated(call, PrefixList)
    if made is not None:
        return {"PrefixList": view(made)}
    name, family = call.params["PrefixListName"], call.params["AddressFamily"]
    limit = call.params["MaxEntries"]
    _check_name(name)
    _check_limit(limit)
    if family not in FAMILIES:
        raise bad_value(family, "AddressFamily", "It is IPv4 or IPv6.")
    entries = _with_added((), call.params.get("Entries") or (), family)
    _check_room(entries, limit)
    made = PrefixList(
        **place_of(call),
        **token_fields(call),
        list_id=f"pl-{call.ids.hex(17)}",
        name=name,
        address_family=family,
        max_entries=limit,
        versions=(entries,),
        tags=new_tags(call, "prefix-list"),
    )
    call.tx.put(made)
    return {"PrefixList": {**view(made), "State": "create-in-progress"}}


def modify_managed_prefix_list(call: Call) -> dict[str, Any]:
    """ModifyManagedPrefixList: a new version with other entries; or another name or limit."""
    params = call.params
    known = find(call, PrefixList, params["PrefixListId"])
    added, removed = params.get("AddEntries") or (), params.get("RemoveEntries") or ()
    name, limit, version = params.get("PrefixListName"), params.get("MaxEntries"), params.get("CurrentVersion")
    if (added or removed) and version is None:
        raise required("CurrentVersion")
    if version is not None:
        _check_version(known, version)
    if limit is not None and (added or removed):
        text = "MaxEntries can't be changed together with entries"
        raise ApiError("InvalidParameterCombination", text)
    if name is not None:
        _check_name(name)
        known = known.but(name=name)
    if limit is not None:
        _check_limit(limit)
        known = known.but(max_entries=limit)
    entries = known.entries
    if added or removed:
        entries = _with_added(_without(entries, removed, known.address_family), added, known.address_family)
        known = _with_version(known, entries)
    _check_room(entries, known.max_entries)
    call.tx.put(known)
    return {"PrefixList": {**view(known), "State": "modify-in-progress"}}


def restore_managed_prefix_list_version(call: Call) -> dict[str, Any]:
    """RestoreManagedPrefixListVersion: a new version with the entries of an earlier one."""
    known = find(call, PrefixList, call.params["PrefixListId"])
    _check_version(known, call.params["CurrentVersion"])
    entries = _entries_of(known, call.params["PreviousVersion"])
    _check_room(entries, known.max_entries)
    known = _with_version(known, entries)
    call.tx.put(known)
    return {"PrefixList": {**view(known), "State": "restore-in-progress"}}


def _check_version(known: PrefixList, version: int) -> None:
    if version != version_of(known):
        raise ApiError("PrefixListVersionMismatch", "The prefix list has the incorrect version number.")


def _entries_of(known: PrefixList, version: int) -> tuple[PrefixEntry, ...]:
    position = version - known.dropped - 1
    if not 0 <= position < len(known.versions):
        text = f"The version {version} of the prefix list '{known.list_id}' does not exist"
        raise ApiError("InvalidPrefixListVersion.NotFound", text)
    return known.versions[position]


def _with_version(known: PrefixList, entries: tuple[PrefixEntry, ...]) -> PrefixList:
    """The list with one more version; the oldest goes where there are too many."""
    versions = (*known.versions, entries)
    dropped = max(0, len(versions) - VERSIONS_KEPT)
    return known.but(versions=versions[dropped:], dropped=known.dropped + dropped)


def get_managed_prefix_list_associations(call: Call) -> dict[str, Any]:
    """GetManagedPrefixListAssociations: the security groups and route tables that name it."""
    reference = call.params["PrefixListId"]
    if reference not in aws_prefix_lists(call.scope.region):
        find(call, PrefixList, reference)
    views = [{"ResourceId": each, "ResourceOwner": call.scope.account} for each in _users_of(call, reference)]
    name = "GetManagedPrefixListAssociations"
    return paged(call, name, "PrefixListAssociations", views, lambda each: str(each["ResourceId"]), "")


def _users_of(call: Call, list_id: str) -> list[str]:
    rules = call.tx.select(SecurityGroupRule, "scope", call.scope)
    tables = call.tx.select(RouteTable, "scope", call.scope)
    found = {rule.group_id for rule in rules if rule.prefix_list_id == list_id}
    found |= {table.table_id for table in tables if any(route.destination == list_id for route in table.routes)}
    return sorted(found)


def version_of(known: PrefixList) -> int:
    """The number of the newest version."""
    return known.dropped + len(known.versions)


def delete_managed_prefix_list(call: Call) -> dict[str, Any]:
    """DeleteManagedPrefixList, once no rule and no route names it."""
    known = find(call, PrefixList, call.params["PrefixListId"])
    if _users_of(call, known.list_id):
        text = f"The prefix list ({known.list_id}) is referenced by other resources and cannot be deleted."
        raise ApiError("DependencyViolation", text)
    call.tx.delete(PrefixList, known.key)
    return {"PrefixList": {**view(known), "State": "delete-in-progress"}}


def describe_managed_prefix_lists(call: Call) -> dict[str, Any]:
    """DescribeManagedPrefixLists: the account's, and AWS's own."""
    views = {each.list_id: view(each) for each in call.tx.select(PrefixList, "scope", call.scope)}
    views |= {list_id: _aws_view(call, list_id, name) for list_id, name in aws_prefix_lists(call.scope.region).items()}
    asked = chosen(views, call.params.get("PrefixListIds") or (), RESOURCES[PrefixList])
    found = filters.apply(asked, call.params.get("Filters"), FILTERS)
    return paged(
        call,
        "DescribeManagedPrefixLists",
        "PrefixLists",
        found,
        lambda each: str(each["PrefixListId"]),
        "PrefixListIds",
    )


def get_managed_prefix_list_entries(call: Call) -> dict[str, Any]:
    """GetManagedPrefixListEntries: of the newest version, or of another."""
    reference, version = call.params["PrefixListId"], call.params.get("TargetVersion")
    entries: tuple[PrefixEntry, ...]
    if reference in aws_prefix_lists(call.scope.region):
        entries = (PrefixEntry(cidr=ADDRESS),)
    else:
        known = find(call, PrefixList, reference)
        entries = _entries_of(known, version if version is not None else version_of(known))
    views = [
        {"Cidr": entry.cidr, **({"Description": entry.description} if entry.description else {})}
        for entry in sorted(entries, key=lambda entry: entry.cidr)
    ]
    return paged(call, "GetManagedPrefixListEntries", "Entries", views, lambda each: each["Cidr"], "")


def view(known: PrefixList) -> dict[str, Any]:
    """A prefix list, as EC2 answers it."""
    return {
        "PrefixListId": known.list_id,
        "PrefixListArn": str(Arn("ec2", known.scope, f"prefix-list/{known.list_id}")),
        "PrefixListName": known.name,
        "AddressFamily": known.address_family,
        "State": "create-complete" if version_of(known) == 1 else "modify-complete",
        "MaxEntries": known.max_entries,
        "Version": version_of(known),
        "OwnerId": known.account,
        "Tags": shown(known.tags),
    }


def _aws_view(call: Call, list_id: str, name: str) -> dict[str, Any]:
    return {
        "PrefixListId": list_id,
        "PrefixListArn": f"arn:aws:ec2:{call.scope.region}:aws:prefix-list/{list_id}",
        "PrefixListName": name,
        "AddressFamily": "IPv4",
        "State": "create-complete",
        "OwnerId": "AWS",
        "Tags": [],
    }


def _with_added(entries: tuple[PrefixEntry, ...], added: Any, family: str) -> tuple[PrefixEntry, ...]:
    """The entries and more of them; one that is there gets the new description."""
    if len(added) > MAX_CHANGED:
        raise invalid(f"At most {MAX_CHANGED} entries can be added in one call")
    found = {entry.cidr: entry for entry in entries}
    named: set[str] = set()
    for given in added:
        cidr = _range(given["Cidr"], family)
        description = given.get("Description") or ""
        if cidr in named:
            raise invalid(f"The CIDR {cidr} is given more than once")
        if len(description) > MAX_NAME:
            raise invalid(f"The description has more than {MAX_NAME} characters")
        named.add(cidr)
        found[cidr] = PrefixEntry(cidr=cidr, description=description)
    return tuple(found.values())


def _without(entries: tuple[PrefixEntry, ...], removed: Any, family: str) -> tuple[PrefixEntry, ...]:
    gone = {_range(given["Cidr"], family) for given in removed}
    if len(gone) > MAX_CHANGED:
        raise invalid(f"At most {MAX_CHANGED} entries can be removed in one call")
    unknown = gone - {entry.cidr for entry in entries}
    if unknown:
        raise invalid(f"The prefix list has no entry {min(unknown)}")
    return tuple(entry for entry in entries if entry.cidr not in gone)


def _range(cidr: str, family: str) -> str:
    return ipv4_range(cidr) if family == "IPv4" else ipv6_range(cidr)


def _check_name(name: str) -> None:
    if not name or len(name) > MAX_NAME or name.startswith("com.amazonaws"):
        raise bad_value(name, "PrefixListName", "It has 1 to 255 characters and can't start with com.amazonaws.")


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_ENTRIES:
        raise bad_value(limit, "MaxEntries", f"It is 1 to {MAX_ENTRIES}.")


def _check_room(entries: tuple[PrefixEntry, ...], limit: int) -> None:
    if len(entries) > limit:
        text = f"You've reached the maximum number of entries for the prefix list: {limit}."
        raise ApiError("PrefixListMaxEntriesExceeded", text)


OPERATIONS = {
    "CreateManagedPrefixList": Operation(create_managed_prefix_list),
    "DeleteManagedPrefixList": Operation(delete_managed_prefix_list),
    "DescribeManagedPrefixLists": Operation(describe_managed_prefix_lists),
    "GetManagedPrefixListAssociations": Operation(get_managed_prefix_list_associations),
    "RestoreManagedPrefixListVersion": Operation(restore_managed_prefix_list_version),
    "GetManagedPrefixListEntries": Operation(get_managed_prefix_list_entries),
    "ModifyManagedPrefixList": Operation(
        modify_managed_prefix_list,
        refuses={"IpamPrefixListResolverSyncEnabled": "There is no IP address manager."},
        allowed={"IpamPrefixListResolverSyncEnabled": (False,)},
    ),
}
