"""AWS STS: who the caller is, and credentials for a while. Called by the request chain."""

from longshore.api.operation import Service
from longshore.api.sts import assuming, identity, sessions

SERVICE = Service(
    name="sts",
    operations={**assuming.OPERATIONS, **identity.OPERATIONS, **sessions.OPERATIONS},
    refusal_code="ValidationError",
    summary="Who the caller is, and credentials of roles",
)
