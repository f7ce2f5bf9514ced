"""The health check of a target group, from what CreateTargetGroup and ModifyTargetGroup are told of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from longshore.api.elbv2.errors import conflict
from longshore.domain.elbv2.balancer import HealthCheckSettings
from longshore.domain.elbv2.health_check import TRAFFIC_PORT, allowed_codes, check_protocols, code_ranges, default_check
from longshore.wire.errors import ApiError

Params = Mapping[str, Any]


def checked_health_check(
    params: Params, protocol: str, version: str, before: HealthCheckSettings | None = None
) -> HealthCheckSettings:
    """The check of a group with this protocol and protocol version: what is given, else as it was, else AWS's default.

    Raises ValidationError or InvalidConfigurationRequest.
    """
    if params.get("HealthCheckEnabled") is False:
        raise conflict("Health checks can be disabled only for target groups with target type 'lambda'")
    over = params.get("HealthCheckProtocol") or (before.protocol if before else check_protocols(protocol)[0])
    if over not in check_protocols(protocol):
        names = ", ".join(check_protocols(protocol))
        text = f"Health check protocol '{over}' is not supported for {protocol} target groups: use one of {names}"
        raise ApiError("ValidationError", text)
    base = default_check(protocol, version, over)
    if before is not None:
        kept: dict[str, Any] = {"path": before.path or base.path, "matcher": before.matcher or base.matcher}
        base = msgspec.structs.replace(
            before, protocol=over, **(kept if over != "TCP" else {"path": "", "matcher": ""})
        )
    settings = msgspec.structs.replace(
        base,
        port=params.get("HealthCheckPort") or base.port,
        path=_path(params, over) or base.path,
        interval_s=params.get("HealthCheckIntervalSeconds") or base.interval_s,
        timeout_s=params.get("HealthCheckTimeoutSeconds") or base.timeout_s,
        healthy_threshold=params.get("HealthyThresholdCount") or base.healthy_threshold,
        unhealthy_threshold=params.get("UnhealthyThresholdCount") or base.unhealthy_threshold,
        matcher=_matcher(params, over, protocol, version) or base.matcher,
    )
    _check_port(settings.port)
    if settings.timeout_s >= settings.interval_s:
        raise ApiError("ValidationError", "Health check interval must be greater than the timeout.")
    return settings


def health_check_view(settings: HealthCheckSettings, version: str) -> dict[str, Any]:
    """A health check as ELBv2 answers it, within a target group."""
    shown: dict[str, Any] = {
        "HealthCheckProtocol": settings.protocol,
        "HealthCheckPort": settings.port,
        "HealthCheckEnabled": settings.enabled,
        "HealthCheckIntervalSeconds": settings.interval_s,
        "HealthCheckTimeoutSeconds": settings.timeout_s,
        "HealthyThresholdCount": settings.healthy_threshold,
        "UnhealthyThresholdCount": settings.unhealthy_threshold,
    }
    if settings.protocol != "TCP":
        shown["HealthCheckPath"] = settings.path
        shown["Matcher"] = {"GrpcCode" if version == "GRPC" else "HttpCode": settings.matcher}
    return shown


def _path(params: Params, over: str) -> str:
    path: str = params.get("HealthCheckPath") or ""
    if path and over == "TCP":
        raise conflict("A health check path cannot be specified for health checks with protocol TCP")
    if path and not path.startswith("/"):
        raise ApiError("ValidationError", f"Health check path '{path}' must begin with a '/' character")
    if any(not "\x20" < character < "\x7f" for character in path):
        raise ApiError("ValidationError", "A health check path can have no spaces and no characters beyond ASCII")
    return path


def _matcher(params: Params, over: str, protocol: str, version: str) -> str:
    given = params.get("Matcher") or {}
    http, grpc = given.get("HttpCode") or "", given.get("GrpcCode") or ""
    codes: str = grpc if version == "GRPC" else http
    if over == "TCP" and (http or grpc):
        raise conflict("A health check matcher cannot be specified for health checks with protocol TCP")
    if (http, grpc) not in {(codes, ""), ("", codes)}:
        name = "GrpcCode" if version == "GRPC" else "HttpCode"
        raise conflict(f"The health check matcher of this target group is specified by {name} alone")
    if codes:
        low, high = allowed_codes(protocol, version)
        ranges = code_ranges(codes)
        if ranges is None or any(first < low or last > high for first, last in ranges):
            text = f"Health check matcher '{codes[:255]}' must be codes and ranges of codes within '{low}-{high}'"
            raise ApiError("ValidationError", text)
    return codes


def _check_port(port: str) -> None:
    number = int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else 0
    if port != TRAFFIC_PORT and not 1 <= number <= 65535:
        text = f"Health check port '{port[:64]}' must be in the range '1-65535', or '{TRAFFIC_PORT}'"
        raise ApiError("ValidationError", text)
