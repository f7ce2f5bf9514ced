"""Network interfaces: those of tasks and services, and users' own."""

from longshore.api.ec2.interfaces import describe, own

OPERATIONS = {**describe.OPERATIONS, **own.OPERATIONS}
