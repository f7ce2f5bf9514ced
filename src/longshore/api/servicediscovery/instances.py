"""Instances: registered and deregistered by a user, listed, and said to be healthy or not.

Those of ECS's tasks are `control/names/discovery.py`'s; they are shown and may be taken away here like any other.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.servicediscovery.listing import listed
from longshore.api.servicediscovery.lookup import Answer, find_instance, find_service, invalid, present
from longshore.api.servicediscovery.operations import done, repeated
from longshore.domain.elbv2.balancer import dns_name_in
from longshore.domain.names.dns_name import absolute
from longshore.domain.names.naming import (
    ALIAS,
    CNAME,
    INIT_HEALTH,
    IPV4,
    IPV6,
    PORT,
    DiscoveryService,
    InstanceHealth,
    ServiceInstance,
)
from longshore.wire.errors import ApiError

MAX_ATTRIBUTES = 30
MAX_CHARACTERS = 5000
EC2_INSTANCE = "AWS_EC2_INSTANCE_ID"
NEEDED = {"A": (IPV4,), "AAAA": (IPV6,), "SRV": (PORT,), "CNAME": (CNAME,)}
"""What a service's records are made of."""


def register_instance(call: Call) -> Answer:
    """RegisterInstance. An instance that is there already is replaced."""
    params = call.params
    service = find_service(call, params["ServiceId"])
    before = repeated(call, "REGISTER_INSTANCE", params.get("CreatorRequestId"))
    if before is not None and call.tx.get(ServiceInstance, (*service.scope, service.service_id, params["InstanceId"])):
        return {"OperationId": before.operation_id}
    attributes = dict(params["Attributes"])
    _check(service, params["InstanceId"], attributes)
    instance = ServiceInstance(
        account=service.account,
        region=service.region,
        service_id=service.service_id,
        instance_id=params["InstanceId"],
        attributes=attributes,
        health=_first_health(service, attributes),
        registered_at=call.now,
        creator_request_id=params.get("CreatorRequestId") or call.request_id,
    )
    _put(call, service, instance)
    return done(
        call,
        "REGISTER_INSTANCE",
        token=params.get("CreatorRequestId"),
        INSTANCE=instance.instance_id,
        SERVICE=service.service_id,
    )


def deregister_instance(call: Call) -> Answer:
    """DeregisterInstance: it is in no answer any more."""
    service = find_service(call, call.params["ServiceId"])
    instance = find_instance(call, service, call.params["InstanceId"])
    call.tx.delete(ServiceInstance, instance.key)
    call.tx.put(service.but(revision=service.revision + 1))
    return done(call, "DEREGISTER_INSTANCE", INSTANCE=instance.instance_id, SERVICE=service.service_id)


def _put(call: Call, service: DiscoveryService, instance: ServiceInstance) -> None:
    call.tx.put(instance)
    call.tx.put(service.but(revision=service.revision + 1))


def _check(service: DiscoveryService, instance_id: str, attributes: Mapping[str, str]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(f"An instance can have at most {MAX_ATTRIBUTES} attributes")
    if sum(len(name) + len(value) for name, value in attributes.items()) > MAX_CHARACTERS:
        raise invalid(f"The attributes of an instance can have at most {MAX_CHARACTERS} characters in all")
    if EC2_INSTANCE in attributes:
        raise invalid(f"{EC2_INSTANCE} is not served, for there are no EC2 instances here: give {IPV4}")
    if attributes.get(INIT_HEALTH, "HEALTHY") not in {"HEALTHY", "UNHEALTHY"}:
        raise invalid(f"{INIT_HEALTH} is HEALTHY or UNHEALTHY")
    _check_addresses(attributes)
    if service.records and ALIAS in attributes:
        _check_alias(service, attributes)
        return
    if service.health_check is not None and IPV4 not in attributes and IPV6 not in attributes:
        raise invalid(f"The service has a HealthCheckConfig, which checks an address: {IPV4} or {IPV6} is missing")
    if service.records:
        _check_records(service, instance_id, attributes)


def _check_records(service: DiscoveryService, instance_id: str, attributes: Mapping[str, str]) -> None:
    """That the instance has what the service's records are made of."""
    for setting in service.records:
        for name in NEEDED[setting.type]:
            if name not in attributes:
                raise invalid(f"The service has {setting.type} records: the attribute {name} is missing")
    if service.ttl_s("SRV") is not None:
        if IPV4 not in attributes and IPV6 not in attributes:
            raise invalid(f"The service has SRV records: {IPV4} or {IPV6} is missing")
        if absolute(instance_id) is None:
            raise invalid(f"The id {instance_id} is part of a host name, which it does not fit")


def _check_addresses(attributes: Mapping[str, str]) -> None:
    for name, version in ((IPV4, ipaddress.IPv4Address), (IPV6, ipaddress.IPv6Address)):
        try:
            if name in attributes:
                version(attributes[name])
        except ValueError:
            raise invalid(f"{name} is not an address: {attributes[name]}") from None
    port = attributes.get(PORT)
    if port is not None and not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise invalid(f"{PORT} is a number from 1 to 65535, not {port}")
    for name in (CNAME, ALIAS):
        if name in attributes and absolute(attributes[name]) is None:
            raise invalid(f"{name} is not a DNS name: {attributes[name]}")


def _check_alias(service: DiscoveryService, attributes: Mapping[str, str]) -> None:
    """An alias has its load balancer's health; a HealthCheckConfig is for the service's other instances."""
    if service.routing_policy != "WEIGHTED" or not {"A", "AAAA"} & {each.type for each in service.records}:
        raise invalid(f"{ALIAS} is for services with A or AAAA records and the routing policy WEIGHTED")
    if service.custom_health:
        raise invalid(f"{ALIAS} can't be used where the service has a HealthCheckCustomConfig")
    if {IPV4, IPV6, PORT, CNAME} & set(attributes):
        raise invalid(f"{ALIAS} stands alone: leave out the other attributes that begin with AWS_INSTANCE")
    if not dns_name_in(attributes[ALIAS]):
        raise invalid(
            f"{ALIAS} names a load balancer and nothing else: {attributes[ALIAS]} is not a DNSName that "
            "DescribeLoadBalancers answers"
        )


def _first_health(service: DiscoveryService, attributes: Mapping[str, str]) -> InstanceHealth:
    return "UNHEALTHY" if service.custom_health and attributes.get(INIT_HEALTH) == "UNHEALTHY" else "HEALTHY"


def get_instance(call: Call) -> Answer:
    """GetInstance."""
    service = find_service(call, call.params["ServiceId"])
    instance = find_instance(call, service, call.params["InstanceId"])
    view = {**_summary(instance), "CreatorRequestId": instance.creator_request_id or None}
    return {"ResourceOwner": service.account, "Instance": present(view)}


def list_instances(call: Call) -> Answer:
    """ListInstances."""
    service = find_service(call, call.params["ServiceId"])
    found = call.tx.select(ServiceInstance, "service", (*service.scope, service.service_id))
    shown, more = listed(call, "ListInstances", found, _instance_id)
    return {"ResourceOwner": service.account, "Instances": [_summary(each) for each in shown], "NextToken": more}


def get_instances_health_status(call: Call) -> Answer:
    """GetInstancesHealthStatus."""
    service = find_service(call, call.params["ServiceId"])
    asked = call.params.get("Instances")
    if asked:
        found = [find_instance(call, service, instance_id) for instance_id in dict.fromkeys(asked)]
    else:
        found = call.tx.select(ServiceInstance, "service", (*service.scope, service.service_id))
    shown, more = listed(call, "GetInstancesHealthStatus", found, _instance_id)
    return {"Status": {each.instance_id: health_of(service, each) for each in shown}, "NextToken": more}


def update_instance_custom_health_status(call: Call) -> dict[str, Any]:
    """UpdateInstanceCustomHealthStatus: in the next answer already, not after half a minute as on AWS."""
    service = find_service(call, call.params["ServiceId"])
    instance = find_instance(call, service, call.params["InstanceId"])
    if not service.custom_health:
        text = f"The service {service.service_id} has no HealthCheckCustomConfig"
        raise ApiError("CustomHealthNotFound", text)
    if instance.health != call.params["Status"]:
        _put(call, service, instance.but(health=call.params["Status"]))
    return {}


def health_of(service: DiscoveryService, instance: ServiceInstance) -> str:
    """An instance's health as it is answered: UNKNOWN where nobody could say."""
    return instance.health if service.custom_health or service.health_check else "UNKNOWN"


def _summary(instance: ServiceInstance) -> Answer:
    return {
        "Id": instance.instance_id,
        "Attributes": instance.attributes,
        "CreatedByAccount": instance.account,
    }


def _instance_id(instance: ServiceInstance) -> str:
    return instance.instance_id


OPERATIONS: dict[str, Operation] = {
    "DeregisterInstance": Operation(deregister_instance),
    "GetInstance": Operation(get_instance),
    "GetInstancesHealthStatus": Operation(get_instances_health_status),
    "ListInstances": Operation(list_instances),
    "RegisterInstance": Operation(register_instance),
    "UpdateInstanceCustomHealthStatus": Operation(update_instance_custom_health_status),
}
