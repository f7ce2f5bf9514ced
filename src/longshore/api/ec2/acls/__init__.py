"""Network ACLs and their entries. What they let through is the firewall's to enforce (`decide/ec2/acls.py`)."""

from longshore.api.ec2.acls import acls, entries

OPERATIONS = {**acls.OPERATIONS, **entries.OPERATIONS}
