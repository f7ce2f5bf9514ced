"""VPC endpoints, the services that they can be made for, and prefix lists."""
