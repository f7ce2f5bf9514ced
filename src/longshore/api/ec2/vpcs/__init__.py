"""VPCs and their subnets, and what is said of them without effect: DHCP options and flow logs."""

from longshore.api.ec2.vpcs import dhcp_options, flow_logs, subnets, vpcs

OPERATIONS = {**dhcp_options.OPERATIONS, **flow_logs.OPERATIONS, **subnets.OPERATIONS, **vpcs.OPERATIONS}
