"""AWS Secrets Manager: secrets for applications and for the containers of tasks."""

from longshore.api.operation import Operation, Service
from longshore.api.secretsmanager import listing, policies, rotation, secrets, values
from longshore.api.secretsmanager.password import get_random_password
from longshore.api.secretsmanager.tags import tag_resource, untag_resource

SERVICE = Service(
    name="secretsmanager",
    operations={
        **listing.OPERATIONS,
        **policies.OPERATIONS,
        **rotation.OPERATIONS,
        **secrets.OPERATIONS,
        **values.OPERATIONS,
        "GetRandomPassword": Operation(get_random_password),
        "TagResource": Operation(tag_resource),
        "UntagResource": Operation(untag_resource),
    },
    refusal_code="InvalidParameterException",
    summary="Secrets, their versions and staging labels; encrypted under keys of KMS",
)
