"""What a caller of Application Auto Scaling means, its errors where that is nothing, and pages."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from longshore.api.operation import Call
from longshore.domain.ecs.service import Service
from longshore.domain.record import Key
from longshore.domain.scaling.scaling import DESIRED_COUNT, NAMESPACE, ScalableTarget
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

Answer = dict[str, Any]
T = TypeVar("T")

ONLY_ECS = "Longshore scales services of ECS: the namespace ecs, the scalable dimension ecs:service:DesiredCount."


def invalid(text: str) -> ApiError:
    """ValidationException."""
    return ApiError("ValidationException", text)


def resource_of(call: Call) -> tuple[str, str]:
    """The resource and dimension that a call names. Raises ValidationException where they can't be scaled."""
    check_namespace(call)
    resource_id, dimension = call.params["ResourceId"], call.params["ScalableDimension"]
    check_dimension(dimension)
    parts = resource_id.split("/")
    if len(parts) != 3 or parts[0] != "service" or not all(parts):
        raise invalid(f"Unsupported resource ID for the service namespace ecs: {resource_id} (service/CLUSTER/NAME)")
    return resource_id, dimension


def check_namespace(call: Call) -> None:
    """Raises ValidationException for another service's."""
    if call.params["ServiceNamespace"] != NAMESPACE:
        raise invalid(f"Unsupported service namespace {call.params['ServiceNamespace']}. {ONLY_ECS}")


def check_dimension(dimension: str) -> None:
    """Raises ValidationException for another service's."""
    if dimension != DESIRED_COUNT:
        raise invalid(f"Unsupported service namespace, resource type or scalable dimension. {ONLY_ECS}")


def check_service(call: Call, resource_id: str) -> None:
    """Raises ValidationException where there is no such service."""
    _, cluster, name = resource_id.split("/")
    service = call.tx.get(Service, (*call.scope, cluster, name))
    if service is None or service.status != "ACTIVE":
        raise invalid(f"ECS service doesn't exist: {resource_id}")


def found_target(call: Call, resource_id: str, dimension: str, verb: str = "registered") -> ScalableTarget:
    """The scalable target. Raises ObjectNotFoundException."""
    target = call.tx.get(ScalableTarget, (*call.scope, resource_id, dimension))
    if target is None:
        raise ApiError(
            "ObjectNotFoundException",
            f"No scalable target {verb} for service namespace: {NAMESPACE}, resource ID: {resource_id}, "
            f"scalable dimension: {dimension}",
        )
    return target


def no_such(noun: str, member: str, call: Call) -> ApiError:
    """ObjectNotFoundException for a policy or a scheduled action."""
    resource_id, dimension = call.params["ResourceId"], call.params["ScalableDimension"]
    return ApiError(
        "ObjectNotFoundException",
        f"No {noun} found for service namespace: {NAMESPACE}, resource ID: {resource_id}, "
        f"scalable dimension: {dimension}, {noun} name: {call.params[member]}",
    )


def asked_for(call: Call) -> Callable[[str, str], bool]:
    """Tells whether a listing, which may name one resource and dimension, means a resource and dimension."""
    check_namespace(call)
    wanted, asked = call.params.get("ResourceId"), call.params.get("ScalableDimension")
    if asked is not None and wanted is None:
        raise invalid("If you specify a scalable dimension, you must also specify a resource ID.")
    return lambda resource_id, dimension: wanted in (None, resource_id) and asked in (None, dimension)


def page_of(call: Call, records: Sequence[T], key: Callable[[T], Key], most: int) -> tuple[list[T], str | None]:
    """One page of records, in the order of their keys."""
    limit = call.params.get("MaxResults")
    if limit is not None and not 1 <= limit <= most:
        raise invalid(f"The maximum number of results must be between 1 and {most}.")
    return page(
        sorted(records, key=lambda each: "/".join(key(each))),
        lambda each: "/".join(key(each)),
        limit or most,
        call.params.get("NextToken"),
        operation="application-autoscaling",
        code="InvalidNextTokenException",
    )
