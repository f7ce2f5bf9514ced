"""Regions and availability zones: DescribeRegions, DescribeAvailabilityZones, and the zones a region has here.

Every region has three zones, `a` to `c`, with the ids `az1` to `az3`. AWS's regions have two to six and shuffle the
letters per account; three is what most have, and templates that ask for a third zone work everywhere.
"""

import functools
import re
from typing import Any

import botocore.session

from longshore.api.ec2 import filters
from longshore.api.operation import Call, Operation
from longshore.wire.errors import ApiError

ZONE_LETTERS = "abc"
_DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "central": "c", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw",
}  # fmt: skip
_REGION = re.compile(r"(?P<area>[a-z]+)(?P<gov>-gov|-iso[a-z]*)?-(?P<direction>[a-z]+)-(?P<number>\d+)")

OPT_IN = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
        *("ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2"),
        *("il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    }
)
"""Regions that an AWS account has to opt in to. Here all are; that is what tools are told."""


def zones_of(region: str) -> list[str]:
    """The names of a region's zones."""
    return [f"{region}{letter}" for letter in ZONE_LETTERS]


def zone_id(zone: str) -> str:
    """`use1-az1` for `us-east-1a`; a region whose name AWS would not use keeps its name."""
    region, letter = zone[:-1], zone[-1]
    number = ord(letter) - ord("a") + 1
    parts = _REGION.fullmatch(region)
    if parts is None or parts["direction"] not in _DIRECTIONS:
        return f"{region}-az{number}"
    middle = {"-gov": "g", None: ""}.get(parts["gov"], (parts["gov"] or "")[1:])
    return f"{parts['area']}{middle}{_DIRECTIONS[parts['direction']]}{parts['number']}-az{number}"


@functools.cache
def region_names() -> tuple[str, ...]:
    """AWS's public regions, as botocore knows them."""
    return tuple(sorted(botocore.session.get_session().get_available_regions("ec2")))


def opt_in_status(region: str) -> str:
    """Whether an account had to opt in."""
    return "opted-in" if region in OPT_IN else "opt-in-not-required"


REGION_FILTERS = filters.table(tags=None, endpoint="Endpoint", opt_in_status="OptInStatus", region_name="RegionName")


def describe_regions(call: Call) -> dict[str, Any]:
    """AWS's regions, and the one that is being used if it is another: every region works here."""
    names = sorted({*region_names(), call.scope.region})
    asked = call.params.get("RegionNames")
    if asked:
        unknown = [name for name in asked if name not in names]
        if unknown:
            raise ApiError("InvalidParameterValue", f"Invalid region name: {', '.join(unknown)[:256]}")
        names = [name for name in names if name in asked]
    views = [
        {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": opt_in_status(name)}
        for name in names
    ]
    return {"Regions": filters.apply(views, call.params.get("Filters"), REGION_FILTERS)}


ZONE_FILTERS = filters.table(
    tags=None,
    group_long_name="GroupLongName",
    group_name="GroupName",
    message="Messages.Message",
    opt_in_status="OptInStatus",
    parent_zone_id="ParentZoneId",
    parent_zone_name="ParentZoneName",
    region_name="RegionName",
    state="State",
    zone_id="ZoneId",
    zone_name="ZoneName",
    zone_type="ZoneType",
)


def describe_availability_zones(call: Call) -> dict[str, Any]:
    """The region's zones."""
    views = [zone_view(call.scope.region, zone) for zone in zones_of(call.scope.region)]
    for parameter, member in (("ZoneNames", "ZoneName"), ("ZoneIds", "ZoneId")):
        asked = call.params.get(parameter)
        if not asked:
            continue
        known = {view[member] for view in views}
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise ApiError("InvalidParameterValue", f"Invalid availability zone: [{unknown[0][:64]}]")
        views = [view for view in views if view[member] in asked]
    return {"AvailabilityZones": filters.apply(views, call.params.get("Filters"), ZONE_FILTERS)}


def zone_view(region: str, zone: str) -> dict[str, Any]:
    """A zone, as EC2 answers it."""
    return {
        "OptInStatus": "opt-in-not-required",
        "Messages": [],
        "RegionName": region,
        "ZoneName": zone,
        "ZoneId": zone_id(zone),
        "GroupName": f"{region}-zg-1",
        "GroupLongName": f"{region} 1",
        "NetworkBorderGroup": region,
        "ZoneType": "availability-zone",
        "State": "available",
    }


_ALL_ZONES = "Every region has its availability zones alone: there are no local or Wavelength zones to include."
OPERATIONS = {
    "DescribeAvailabilityZones": Operation(describe_availability_zones, inert={"AllAvailabilityZones": _ALL_ZONES}),
    "DescribeRegions": Operation(
        describe_regions, inert={"AllRegions": "Every region is enabled, so all are always listed."}
    ),
}
