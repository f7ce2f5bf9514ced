"""What CreateService and UpdateService check alike, with the texts of ECS, and what both refuse.

Reads the store where a rule needs it; changes nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from longshore.api.ecs import balancing, connecting, placing
from longshore.api.operation import Call
from longshore.domain.ecs.service import DeploymentConfiguration
from longshore.wire.errors import ApiError

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
CLIENT_TOKEN = re.compile(r"[!-~]{0,36}")
MAX_DESIRED_COUNT = 5000
MAX_GRACE_S = 2_147_483_647

REFUSES: dict[str, str] = {
    **{name: text for name, text in placing.NOT_SERVED.items() if name != "launchType"},
    **balancing.REFUSES,
    **connecting.REFUSES,
    "vpcLatticeConfigurations": "VPC Lattice is not served.",
    "gatewayConnectors": "Gateways are not served.",
    "monitoring.metricConfigurations": "High-resolution metrics of services are not served yet.",
    "deploymentController.type": "Only the deployment controller ECS (rolling update) is served yet.",
    "deploymentConfiguration.strategy": "Only the deployment strategy ROLLING is served yet.",
    "deploymentConfiguration.bakeTimeInMinutes": "A bake time is for blue/green deployments, not served yet.",
    "deploymentConfiguration.alarms.alarmNames": "Deployment alarms are not served yet: leave them out.",
    "deploymentConfiguration.alarms.enable": "Deployment alarms are not served yet: set enable to false.",
    "deploymentConfiguration.lifecycleHooks": "Deployment lifecycle hooks are not served yet.",
    "deploymentConfiguration.linearConfiguration": "Linear deployments are not served yet: use ROLLING.",
    "deploymentConfiguration.canaryConfiguration": "Canary deployments are not served yet: use ROLLING.",
    "deploymentConfiguration.earlySuccessCriteria.enable": "Early success criteria are not served yet.",
    "deploymentConfiguration.earlySuccessCriteria.healthyPercent": "Early success criteria are not served yet.",
    "deploymentConfiguration.earlySuccessCriteria.sourceServiceRevisionCleanup": (
        "Early success criteria are not served yet."
    ),
}
ALLOWED: dict[str, tuple[Any, ...]] = {
    "enableExecuteCommand": (False,),
    "deploymentController.type": ("ECS",),
    "deploymentConfiguration.strategy": ("ROLLING",),
    "deploymentConfiguration.bakeTimeInMinutes": (0,),
    "deploymentConfiguration.alarms.enable": (False,),
    "deploymentConfiguration.earlySuccessCriteria.enable": (False,),
}
INERT: dict[str, str] = {
    **placing.INERT,
    **connecting.INERT,
    "availabilityZoneRebalancing": "Kept and answered; tasks are spread over subnets when they start, not moved later.",
    "deploymentConfiguration.alarms.rollback": "Without alarms there is nothing to roll back for.",
}


def refuse(text: str) -> ApiError:
    """The error for an input that ECS does not take."""
    return ApiError("InvalidParameterException", text)


def check_name(name: str) -> None:
    """A service's name."""
    if not NAME.fullmatch(name):
        text = "Invalid service name: use up to 255 letters, digits, hyphens and underscores."
        raise refuse(text)


def desired_count(given: int) -> int:
    """A desired count."""
    if given < 0:
        raise refuse("desiredCount should be at least 0")
    if given > MAX_DESIRED_COUNT:
        raise refuse(f"desiredCount should be at most {MAX_DESIRED_COUNT}")
    return given


def grace_s(given: int) -> int:
    """A health check grace period."""
    if not 0 <= given <= MAX_GRACE_S:
        raise refuse(f"healthCheckGracePeriodSeconds should be between 0 and {MAX_GRACE_S}")
    return given


def deployment_configuration(
    given: Mapping[str, Any] | None, present: DeploymentConfiguration
) -> DeploymentConfiguration:
    """The configuration with what is given put over what is there."""
    given = given or {}
    configuration = msgspec.structs.replace(
        present,
        minimum_healthy_percent=_given(given, "minimumHealthyPercent", present.minimum_healthy_percent),
        maximum_percent=_given(given, "maximumPercent", present.maximum_percent),
        **_breaker(given.get("deploymentCircuitBreaker")),
    )
    minimum, maximum = configuration.minimum_healthy_percent, configuration.maximum_percent
    if minimum < 0:
        raise refuse("minimumHealthyPercent must be at least 0")
    if minimum > 100:
        raise refuse("minimumHealthyPercent must be at most 100")
    if maximum < 100:
        raise refuse("maximumPercent must be at least 100")
    if minimum == maximum == 100:
        raise refuse("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments")
    return configuration


def _breaker(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """A circuit breaker is given whole: what is left out of it has its default."""
    if given is None:
        return {}
    threshold = given.get("thresholdConfiguration") or {"type": "BOUNDED_PERCENT", "value": 50}
    by_count = threshold["type"] == "COUNT"
    if threshold["value"] < 1 or (not by_count and threshold["value"] > 100):
        bounds = "at least 1" if by_count else "between 1 and 100"
        raise refuse(f"The value of a circuit breaker's {threshold['type']} threshold should be {bounds}.")
    return {
        "breaker_enabled": given["enable"],
        "breaker_rollback": given["rollback"],
        "breaker_threshold_type": threshold["type"],
        "breaker_threshold": threshold["value"],
        "breaker_reset_on_healthy_task": _given(given, "resetOnHealthyTask", True),
    }


def _given(given: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    value = given.get(name)
    return otherwise if value is None else value


def check_client_token(call: Call) -> None:
    """A CreateService token."""
    if not CLIENT_TOKEN.fullmatch(call.params.get("clientToken") or ""):
        raise refuse("clientToken can have up to 36 ASCII characters, from 33 to 126.")
