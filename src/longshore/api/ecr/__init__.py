"""Amazon ECR: repositories, their images, tags and policies. Docker speaks to `api/registry`, on the same records."""

from longshore.api.ecr import images, lifecycle, policies, registry, repositories
from longshore.api.operation import Service

SERVICE = Service(
    name="ecr",
    operations={
        **images.OPERATIONS,
        **lifecycle.OPERATIONS,
        **policies.OPERATIONS,
        **registry.OPERATIONS,
        **repositories.OPERATIONS,
    },
    refusal_code="InvalidParameterException",
    validation_code="InvalidParameterException",
    summary="Repositories, images, lifecycle policies; `docker login`, `push` and `pull`",
)
