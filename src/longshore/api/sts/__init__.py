"""AWS STS: who the caller is. Called by the request chain."""

from longshore.api.operation import Operation, Service
from longshore.api.sts.identity import get_caller_identity

SERVICE = Service(
    name="sts",
    operations={"GetCallerIdentity": Operation(get_caller_identity)},
    refusal_code="ValidationError",
    summary="Who the caller is",
)
