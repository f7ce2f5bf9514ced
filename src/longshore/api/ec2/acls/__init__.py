"""Network ACLs and their entries: kept and answered, without effect."""

from longshore.api.ec2.acls import acls, entries

OPERATIONS = {**acls.OPERATIONS, **entries.OPERATIONS}
