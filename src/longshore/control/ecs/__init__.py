"""Tasks and services kept true."""
