"""How subnets reach each other and the world: route tables, internet and NAT gateways, elastic IP addresses."""

from longshore.api.ec2.routing import addresses, associations, internet_gateways, nat_gateways, routes, tables

OPERATIONS = {
    **addresses.OPERATIONS,
    **associations.OPERATIONS,
    **internet_gateways.OPERATIONS,
    **nat_gateways.OPERATIONS,
    **routes.OPERATIONS,
    **tables.OPERATIONS,
}
