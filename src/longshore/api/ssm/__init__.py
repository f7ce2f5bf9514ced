"""AWS Systems Manager: Parameter Store."""

from longshore.api.operation import Service
from longshore.api.ssm import describing, labels, putting, reading, tags

SERVICE = Service(
    name="ssm",
    operations={
        **describing.OPERATIONS,
        **labels.OPERATIONS,
        **putting.OPERATIONS,
        **reading.OPERATIONS,
        **tags.OPERATIONS,
    },
    refusal_code="ValidationException",
    summary="Parameter Store: parameters, their versions, labels and hierarchies; AWS's public ones",
)
