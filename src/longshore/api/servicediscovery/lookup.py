"""Finds what an id or ARN of Cloud Map names, or says with Cloud Map's codes that it is not there."""

from typing import Any

from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.names.naming import DiscoveryService, Namespace, ServiceInstance
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
SERVICE = "servicediscovery"


def invalid(text: str) -> ApiError:
    """The error for an input that Cloud Map does not take."""
    return ApiError("InvalidInput", text)


def present(view: Answer) -> Answer:
    """A view without the members that are not there."""
    return {name: value for name, value in view.items() if value is not None}


def find_namespace(call: Call, reference: str) -> Namespace:
    """The namespace with an id or ARN. Raises NamespaceNotFound."""
    found = call.tx.get(Namespace, (*call.scope, namespace_id(call, reference)))
    if found is None:
        raise ApiError("NamespaceNotFound", f"Failed to find namespace {reference}")
    return found


def namespace_id(call: Call, reference: str) -> str:
    """The id of a namespace that is given by id or ARN, there or not."""
    return _id(call, reference, "namespace")


def find_service(call: Call, reference: str) -> DiscoveryService:
    """The service with an id or ARN. Raises ServiceNotFound."""
    found = call.tx.get(DiscoveryService, (*call.scope, _id(call, reference, "service")))
    if found is None:
        raise ApiError("ServiceNotFound", f"Failed to find service {reference}")
    return found


def find_instance(call: Call, service: DiscoveryService, instance_id: str) -> ServiceInstance:
    """An instance of a service. Raises InstanceNotFound."""
    found = call.tx.get(ServiceInstance, (*call.scope, service.service_id, instance_id))
    if found is None:
        raise ApiError("InstanceNotFound", f"Failed to find instance {instance_id} in service {service.service_id}")
    return found


def find_tagged(call: Call, arn: str) -> Namespace | DiscoveryService:
    """The namespace or service at an ARN. Raises ResourceNotFoundException, or InvalidInput for what is no such ARN."""
    parsed = Arn.parse(arn)
    kind, _, name = parsed.resource.partition("/") if parsed else ("", "", "")
    if parsed is None or parsed.service != SERVICE or kind not in {"namespace", "service"}:
        raise invalid(f"{arn} is not the ARN of a namespace or a service of Cloud Map")
    found: Namespace | DiscoveryService | None = None
    if parsed.scope == call.scope:
        key = (*call.scope, name)
        found = call.tx.get(Namespace, key) if kind == "namespace" else call.tx.get(DiscoveryService, key)
    if found is None:
        text = f"The resource {arn} does not exist"
        raise ApiError("ResourceNotFoundException", text)
    return found


def check_owner(call: Call, owner: str | None) -> None:
    """Nothing is shared between accounts here: another owner's namespaces are not there."""
    if owner is not None and owner != call.scope.account:
        raise ApiError("NamespaceNotFound", f"Account {owner} shares no namespace with {call.scope.account}")


def _id(call: Call, reference: str, kind: str) -> str:
    """The id in a reference; one of another account or region is nobody's."""
    parsed = Arn.parse(reference)
    if parsed is None:
        return reference
    head, _, name = parsed.resource.partition("/")
    ours = parsed.service == SERVICE and head == kind and parsed.scope == call.scope
    return name if ours else reference
