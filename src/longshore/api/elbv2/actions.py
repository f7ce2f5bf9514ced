"""Actions of rules and listeners: checked, and put into the form in which ELBv2 answers them.

Whether the target groups fit the load balancer is for `group_use.py` to say.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from longshore.api.elbv2.conditions import visible
from longshore.api.elbv2.errors import invalid
from longshore.wire.errors import ApiError

Document = dict[str, Any]

MAX_GROUPS = 5
MAX_WEIGHT = 999
MAX_STICKY_S = 604_800
MAX_BODY = 1024
CONFIGS: Mapping[str, str] = {
    "forward": "ForwardConfig",
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
}
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
REDIRECT: Mapping[str, str] = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
"""What a redirect has where nothing was said: the request's own."""

_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "Host": ("host",),
    "Path": ("host", "path", "port"),
    "Query": ("protocol", "host", "port", "path", "query"),
}
_KEYWORD = re.compile(r"#\{([^}]*)\}?")
_HOST = re.compile(r"[A-Za-z0-9._-]+")


def refusals(member: str) -> dict[str, str]:
    """What is refused of a member that is a list of actions: paths and sentences, for `Operation.refuses`."""
    sentence = "Longshore's load balancers don't authenticate users: do so in the application."
    members = ("Type", "AuthenticateOidcConfig", "AuthenticateCognitoConfig", "JwtValidationConfig")
    return {f"{member}[].{name}": sentence for name in members}


ONE_GROUP = "Longshore's network load balancers forward to one target group: weights are for application ones"
"""What is refused of the groups that an action forwards to."""


class Place(NamedTuple):
    """Where actions are: in a listener of this protocol and port."""

    layer: str
    """`application` or `network`."""
    protocol: str
    port: int


def checked_actions(given: Iterable[Document], place: Place) -> tuple[Document, ...]:
    """The actions of a rule as they are kept. Raises InvalidLoadBalancerAction, TooManyActions or ValidationError."""
    actions = list(given)
    if not actions:
        raise invalid("An action must be specified")
    if len(actions) > 1:
        text = "A rule has exactly one action that is forward, redirect or fixed-response, and it is the last one"
        raise ApiError("InvalidLoadBalancerAction", text)
    return (_checked(actions[0], place),)


def _checked(action: Document, place: Place) -> Document:
    kind = action["Type"]
    for other, name in CONFIGS.items():
        if other != kind and action.get(name):
            raise invalid(f"'{name}' can't be specified for an action of type '{kind}'")
    if kind != "forward" and action.get("TargetGroupArn"):
        raise invalid(f"'TargetGroupArn' can't be specified for an action of type '{kind}'")
    if place.layer == "network" and kind != "forward":
        text = f"Listeners of network load balancers forward: they have no actions of the type '{kind}'"
        raise ApiError("InvalidLoadBalancerAction", text)
    kept = {"Type": kind, "Order": action.get("Order") or 1}
    if kind == "forward":
        return {**kept, **_forward(action, place)}
    config: Document = action.get(CONFIGS[kind]) or {}
    if not config:
        raise invalid(f"A {CONFIGS[kind]} must be specified for an action of type '{kind}'")
    return {**kept, CONFIGS[kind]: _redirect(config, place) if kind == "redirect" else _fixed(config)}


# Forward


def _forward(action: Document, place: Place) -> Document:
    arn: str | None = action.get("TargetGroupArn")
    config: Document = action.get("ForwardConfig") or {}
    groups = [_group(group) for group in config.get("TargetGroups") or ()]
    if not groups and arn:
        groups = [{"TargetGroupArn": arn, "Weight": 1}]
    arns = [group["TargetGroupArn"] for group in groups]
    if not arns:
        raise invalid("A target group must be specified for an action of type 'forward'")
    if arn and arns != [arn]:
        raise invalid(
            "'TargetGroupArn' and 'ForwardConfig' can both be specified only for one and the same target group"
        )
    if len(set(arns)) != len(arns):
        raise invalid("A target group can be specified only once in an action")
    if place.layer == "network" and len(arns) > 1:
        raise ApiError("InvalidLoadBalancerAction", ONE_GROUP)
    if len(arns) > MAX_GROUPS:
        raise ApiError("TooManyTargetGroups", f"An action can forward to at most {MAX_GROUPS} target groups")
    forward = {
        "TargetGroups": groups,
        "TargetGroupStickinessConfig": _stickiness(config.get("TargetGroupStickinessConfig") or {}, place),
    }
    return {"TargetGroupArn": arns[0], "ForwardConfig": forward} if len(arns) == 1 else {"ForwardConfig": forward}


def _group(group: Document) -> Document:
    arn, weight = group.get("TargetGroupArn"), group.get("Weight")
    weight = 1 if weight is None else weight
    if not arn:
        raise invalid("Each target group of a ForwardConfig must have a TargetGroupArn")
    if not 0 <= weight <= MAX_WEIGHT:
        raise invalid(f"The weight of a target group must be between 0 and {MAX_WEIGHT}")
    return {"TargetGroupArn": arn, "Weight": weight}


def _stickiness(config: Document, place: Place) -> Document:
    enabled, duration = bool(config.get("Enabled")), config.get("DurationSeconds")
    if enabled and place.layer == "network":
        text = "Listeners of network load balancers have no target group stickiness"
        raise ApiError("InvalidLoadBalancerAction", text)
    if (enabled and duration is None) or (duration is not None and not 1 <= duration <= MAX_STICKY_S):
        raise invalid(f"Target group stickiness must last between 1 and {MAX_STICKY_S} seconds")
    return {"Enabled": enabled} if duration is None else {"Enabled": enabled, "DurationSeconds": duration}


# Redirect


def _redirect(config: Document, place: Place) -> Document:
    whole: Document = {key: config[key] if config.get(key) is not None else own for key, own in REDIRECT.items()}
    _check_port(whole["Port"])
    if not whole["Path"].startswith("/"):
        raise invalid("The path of a redirect must begin with '/'")
    if whole["Query"].startswith("?"):
        raise invalid("The query of a redirect must not begin with '?'")
    for key, allowed in _KEYWORDS.items():
        _check_text(key, whole[key], allowed)
    if place.protocol == "HTTPS" and whole["Protocol"] == "HTTP":
        raise ApiError("InvalidLoadBalancerAction", "HTTPS can't be redirected to HTTP")
    if not _changes(whole, place):
        text = "The redirect configuration is not valid because it creates a loop."
        raise ApiError("InvalidLoadBalancerAction", text)
    return {**whole, "StatusCode": config["StatusCode"]}


def _changes(redirect: Document, place: Place) -> bool:
    """Whether what it leads to differs from the request: in another query alone it would meet itself again."""
    if redirect["Protocol"] not in (REDIRECT["Protocol"], place.protocol):
        return True
    if redirect["Port"] not in (REDIRECT["Port"], str(place.port)):
        return True
    return any(redirect[key] != REDIRECT[key] for key in ("Host", "Path"))


def _check_port(port: str) -> None:
    if port == REDIRECT["Port"]:
        return
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise invalid("The port of a redirect must be a number between 1 and 65535, or #{port}")


def _check_text(key: str, text: str, allowed: tuple[str, ...]) -> None:
    if not visible(text):
        raise invalid(f"The {key.lower()} of a redirect must be of visible ASCII characters; percent-encode others")
    for keyword in _KEYWORD.finditer(text):
        if keyword[0] != f"#{{{keyword[1]}}}" or keyword[1] not in allowed:
            names = ", ".join(f"#{{{name}}}" for name in allowed)
            raise invalid(f"The {key.lower()} of a redirect may contain {names}, not '{keyword[0]}'")
    if key == "Host" and not _HOST.fullmatch(text.replace(REDIRECT["Host"], "h")):
        raise invalid(f"The host of a redirect is not a host name: '{text}'")


# Fixed response


def _fixed(config: Document) -> Document:
    kind, body = config.get("ContentType"), config.get("MessageBody")
    if kind and kind not in CONTENT_TYPES:
        raise invalid(f"The content type '{kind}' must be one of {', '.join(CONTENT_TYPES)}")
    if body and (len(body.encode("utf-8", "surrogatepass")) > MAX_BODY or "\0" in body):
        raise invalid(f"The message body of a fixed response can have at most {MAX_BODY} bytes, none of them zero")
    kept = {"StatusCode": config["StatusCode"]}
    if kind:
        kept["ContentType"] = kind
    if body is not None:
        kept["MessageBody"] = body
    return kept
