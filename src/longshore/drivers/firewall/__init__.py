"""The firewall of VPCs: security groups, kept by this host's nftables."""
