"""Health checks of target groups: what they are when nothing is said, and the codes that a matcher takes for a success.

Shared by the API, which checks and keeps them, and `decide/elbv2/balancing.py`. Source: "Health checks for your target
groups" in both user guides; the API reference has another timeout for HTTP, which is not what AWS is seen to use.
"""

import re

from longshore.domain.elbv2.balancer import HTTP_PROTOCOLS, HealthCheckSettings

CodeRanges = tuple[tuple[int, int], ...]
TRAFFIC_PORT = "traffic-port"
GRPC_PATH = "/AWS.ALB/healthcheck"
_CODES = re.compile(r"[0-9]{1,3}(-[0-9]{1,3})?(,[0-9]{1,3}(-[0-9]{1,3})?){0,199}")


def check_protocols(group_protocol: str) -> tuple[str, ...]:
    """The protocols by which targets of a group can be checked; the default one first."""
    return ("HTTP", "HTTPS") if group_protocol in HTTP_PROTOCOLS else ("TCP", "HTTP", "HTTPS")


def default_check(group_protocol: str, protocol_version: str, check_protocol: str) -> HealthCheckSettings:
    """The check of a group of which nothing but the protocol is said."""
    application = group_protocol in HTTP_PROTOCOLS
    grpc = protocol_version == "GRPC"
    by_http = check_protocol != "TCP"
    success = "12" if grpc else "200" if application else "200-399"
    return HealthCheckSettings(
        protocol=check_protocol,
        path=(GRPC_PATH if grpc else "/") if by_http else "",
        timeout_s=5 if application else 6 if check_protocol == "HTTP" else 10,
        matcher=success if by_http else "",
    )


def allowed_codes(group_protocol: str, protocol_version: str) -> tuple[int, int]:
    """The least and the greatest code that a matcher of a group can name."""
    if protocol_version == "GRPC":
        return 0, 99
    return (200, 499) if group_protocol in HTTP_PROTOCOLS else (200, 599)


def code_ranges(matcher: str) -> CodeRanges | None:
    """`200,202-299` as ranges, both ends included; none for an empty matcher, None for what is not one."""
    if not matcher:
        return ()
    if not _CODES.fullmatch(matcher):
        return None
    ranges = []
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        ranges.append((int(low), int(high or low)))
    return tuple(ranges) if all(low <= high for low, high in ranges) else None
