"""Amazon resource names: built and taken apart here and nowhere else.

Shapes: the service authorization reference of each service.
"""

from typing import NamedTuple, Self

from longshore.domain.record import Scope


class Arn(NamedTuple):
    """`arn:aws:service:region:account:resource`."""

    service: str
    scope: Scope
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Take an ARN apart, or None if the text is not one."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[2]:
            return None
        return cls(parts[2], Scope(parts[4], parts[3]), parts[5])

    def __str__(self) -> str:
        return f"arn:aws:{self.service}:{self.scope.region}:{self.scope.account}:{self.resource}"


def ecs_arn(scope: Scope, *path: str) -> str:
    """An ARN of ECS, such as `ecs_arn(scope, "service", "default", "web")`."""
    return f"arn:aws:ecs:{scope.region}:{scope.account}:{'/'.join(path)}"


def ecs_names(reference: str, resource_type: str) -> tuple[str, ...]:
    """The names that follow the resource type in an ECS ARN; a bare name or relative path is split at slashes.

    `ecs_names("arn:aws:ecs:eu-west-1:1:service/default/web", "service") == ("default", "web")`; a legacy
    ARN `…:service/web` gives `("web",)`. An ARN of another type or service gives `()`.
    """
    arn = Arn.parse(reference)
    if arn is None:
        return tuple(reference.split("/"))
    head, _, tail = arn.resource.partition("/")
    if arn.service != "ecs" or head != resource_type or not tail:
        return ()
    return tuple(tail.split("/"))
