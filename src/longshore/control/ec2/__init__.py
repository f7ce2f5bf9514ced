"""The networks of VPCs and the firewall kept true."""
