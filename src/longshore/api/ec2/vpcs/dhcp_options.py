"""Sets of DHCP options: kept and answered, without effect: tasks ask the name server that they are given."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import bad_value, invalid, listed, required
from longshore.api.ec2.making import default_options_id
from longshore.api.ec2.resources import RESOURCES, find, in_use, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import Vpc, parsed_address
from longshore.domain.ec2.network_settings import DhcpOptions

MOST = {
    "domain-name": 1,
    "domain-name-servers": 4,
    "ipv6-address-preferred-lease-time": 1,
    "netbios-name-servers": 4,
    "netbios-node-type": 1,
    "ntp-servers": 4,
}
"""How many values an option may have."""
ADDRESSES = {"domain-name-servers", "netbios-name-servers", "ntp-servers"}
FILTERS = {
    **filters.table(dhcp_options_id="DhcpOptionsId", owner_id="OwnerId"),
    "key": filters.at("DhcpConfigurations.Key"),
    "value": filters.at("DhcpConfigurations.Values.Value"),
}


def create_dhcp_options(call: Call) -> dict[str, Any]:
    """CreateDhcpOptions."""
    values: dict[str, tuple[str, ...]] = {}
    for given in call.params["DhcpConfigurations"]:
        key, items = given.get("Key") or "", tuple(given.get("Values") or ())
        if key not in MOST:
            raise bad_value(key, "dhcpConfiguration", "It is not the name of an option.")
        if not items or len(items) > MOST[key]:
            raise invalid(f"The option {key} takes 1 to {MOST[key]} values")
        for item in items:
            if key in ADDRESSES and item != "AmazonProvidedDNS" and parsed_address(item) is None:
                raise bad_value(item, key, "It is not an IP address.")
        values[key] = items
    if not values:
        raise required("dhcpConfiguration")
    options = DhcpOptions(
        **place_of(call), options_id=f"dopt-{call.ids.hex(17)}", values=values, tags=new_tags(call, "dhcp-options")
    )
    call.tx.put(options)
    return {"DhcpOptions": view(options)}


def delete_dhcp_options(call: Call) -> dict[str, Any]:
    """DeleteDhcpOptions, once no VPC has them."""
    options = find(call, DhcpOptions, call.params["DhcpOptionsId"])
    own = default_options_id(call.scope)
    for vpc in call.tx.select(Vpc, "scope", call.scope):
        if (vpc.dhcp_options_id or own) == options.options_id:
            raise in_use(RESOURCES[DhcpOptions], options.options_id)
    call.tx.delete(DhcpOptions, options.key)
    return {}


def associate_dhcp_options(call: Call) -> dict[str, Any]:
    """AssociateDhcpOptions: `default` stands for none."""
    reference = call.params["DhcpOptionsId"]
    vpc = find(call, Vpc, call.params["VpcId"])
    if reference != "default":
        find(call, DhcpOptions, reference)
    call.tx.put(vpc.but(dhcp_options_id=reference))
    return {}


def describe_dhcp_options(call: Call) -> dict[str, Any]:
    """DescribeDhcpOptions."""
    return listed(
        call,
        DhcpOptions,
        view,
        FILTERS,
        "DhcpOptions",
        operation="DescribeDhcpOptions",
        member="DhcpOptionsId",
    )


def view(options: DhcpOptions) -> dict[str, Any]:
    """A set of options, as EC2 answers it."""
    return {
        "DhcpOptionsId": options.options_id,
        "OwnerId": options.account,
        "DhcpConfigurations": [
            {"Key": key, "Values": [{"Value": item} for item in items]} for key, items in sorted(options.values.items())
        ],
        "Tags": shown(options.tags),
    }


_NO_EFFECT = "Kept and answered: tasks always ask Longshore's name server."
OPERATIONS = {
    "AssociateDhcpOptions": Operation(associate_dhcp_options, inert={"DhcpOptionsId": _NO_EFFECT}),
    "CreateDhcpOptions": Operation(create_dhcp_options, inert={"DhcpConfigurations": _NO_EFFECT}),
    "DeleteDhcpOptions": Operation(delete_dhcp_options),
    "DescribeDhcpOptions": Operation(describe_dhcp_options),
}
