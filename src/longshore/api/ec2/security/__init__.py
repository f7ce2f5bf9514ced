"""Security groups and their rules. What is written here, `control` has enforced."""

from longshore.api.ec2.security import groups, references, rules

OPERATIONS = {**groups.OPERATIONS, **references.OPERATIONS, **rules.OPERATIONS}
