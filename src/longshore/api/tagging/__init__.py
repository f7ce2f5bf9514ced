"""The Resource Groups Tagging API: the tags of everything that is served."""

from longshore.api.operation import Service
from longshore.api.tagging import changing, listing

SERVICE = Service(
    name="resourcegroupstaggingapi",
    operations={**changing.OPERATIONS, **listing.OPERATIONS},
    refusal_code="InvalidParameterException",
    validation_code="InvalidParameterException",
    summary="Tags of the resources of all services, found and changed in one place",
)
