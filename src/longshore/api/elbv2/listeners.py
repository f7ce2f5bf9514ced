"""Listeners: created, described, changed, deleted. Their default rule is part of them."""

from typing import Any

from longshore.api.elbv2.actions import CONFIGS, ONE_GROUP, Place, checked_actions, refusals
from longshore.api.elbv2.attributes import attribute_pairs, checked_attributes
from longshore.api.elbv2.errors import conflict, invalid
from longshore.api.elbv2.group_use import check_groups
from longshore.api.elbv2.limits import LIMITS
from longshore.api.elbv2.listener_tls import checked_tls, tls_view
from longshore.api.elbv2.lookup import find_listener, find_load_balancer
from longshore.api.elbv2.paging import paged
from longshore.api.elbv2.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule
from longshore.domain.elbv2.listener_attributes import (
    LISTENER,
    RESERVED,
    listener_attributes,
    listener_table,
    request_header_names,
)
from longshore.wire.errors import ApiError

PROTOCOLS = {"application": ("HTTP", "HTTPS"), "network": ("TCP", "TLS")}
ID_DIGITS = 16


def create_listener(call: Call) -> dict[str, Any]:
    """CreateListener. A call for one that exists answers with it, unless it asks for something else."""
    params = call.params
    balancer = find_load_balancer(call, params["LoadBalancerArn"])
    protocol = _protocol(params.get("Protocol"), balancer)
    port: int | None = params.get("Port")
    if port is None:
        raise invalid("A listener port must be specified")
    actions = checked_actions(params["DefaultActions"], Place(balancer.type, protocol, port))
    listener = Listener(
        account=call.scope.account,
        region=call.scope.region,
        lb_id=balancer.lb_id,
        lb_path=balancer.path,
        listener_id=call.ids.hex(ID_DIGITS),
        default_rule_id=call.ids.hex(ID_DIGITS),
        port=port,
        protocol=protocol,
        default_actions=actions,
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
        **checked_tls(call, balancer, protocol, None)._asdict(),
    )
    check_groups(call, balancer, protocol, actions)
    known = _at_port(call, balancer, port)
    if known is not None:
        return {"Listeners": [view(_same(known, listener))]}
    most = LIMITS[f"listeners-per-{balancer.type}-load-balancer"]
    if call.tx.count(Listener, "load_balancer", (balancer.lb_id,)) >= most:
        raise ApiError("TooManyListeners", f"The load balancer has {most} listeners, the most that it can have")
    call.tx.put(listener)
    return {"Listeners": [view(listener)]}


def describe_listeners(call: Call) -> dict[str, Any]:
    """DescribeListeners: those of a load balancer, or those with the ARNs that are given."""
    balancer_arn, arns = call.params.get("LoadBalancerArn"), call.params.get("ListenerArns") or ()
    if bool(balancer_arn) == bool(arns):
        raise invalid("You must specify either listener ARNs or a load balancer ARN")
    if balancer_arn:
        balancer = find_load_balancer(call, balancer_arn)
        found = call.tx.select(Listener, "load_balancer", (balancer.lb_id,))
    else:
        found = [find_listener(call, arn) for arn in dict.fromkeys(arns)]
    found.sort(key=_arn)
    shown, marker = paged(call, "DescribeListeners", found, _arn)
    return {"Listeners": [view(listener) for listener in shown], "NextMarker": marker}


def modify_listener(call: Call) -> dict[str, Any]:
    """ModifyListener. What is not given stays; with a protocol without TLS goes all that is about TLS."""
    params = call.params
    before = find_listener(call, params["ListenerArn"])
    balancer = balancer_of(call, before)
    protocol = _protocol(params.get("Protocol") or before.protocol, balancer)
    port: int = params.get("Port") or before.port
    place = Place(balancer.type, protocol, port)
    known = _at_port(call, balancer, port)
    if known is not None and known.key != before.key:
        raise _duplicate(known)
    given = params.get("DefaultActions")
    after = before.but(
        port=port,
        protocol=protocol,
        default_actions=checked_actions(given or before.default_actions, place),
        attributes={
            each.key: before.attributes[each.key] for each in listener_table(protocol) if each.key in before.attributes
        },
        **checked_tls(call, balancer, protocol, before)._asdict(),
    )
    check_groups(call, balancer, protocol, after.default_actions)
    if (before.protocol, before.port) != (protocol, port):
        # A rule that was right may now redirect to itself, or forward to a group that needs TLS.
        for rule in call.tx.select(Rule, "listener", (before.lb_id, before.listener_id)):
            check_groups(call, balancer, protocol, checked_actions(rule.actions, place))
    call.tx.put(after)
    return {"Listeners": [view(after)]}


def delete_listener(call: Call) -> dict[str, Any]:
    """DeleteListener, with its rules."""
    listener = find_listener(call, call.params["ListenerArn"])
    for key in call.tx.select_keys(Rule, "listener", (listener.lb_id, listener.listener_id)):
        call.tx.delete(Rule, key)
    call.tx.delete(Listener, listener.key)
    return {}


def describe_listener_attributes(call: Call) -> dict[str, Any]:
    """DescribeListenerAttributes."""
    return {"Attributes": attribute_pairs(listener_attributes(find_listener(call, call.params["ListenerArn"])))}


def modify_listener_attributes(call: Call) -> dict[str, Any]:
    """ModifyListenerAttributes. The rest stays as it is; all are answered."""
    listener = find_listener(call, call.params["ListenerArn"])
    given = checked_attributes(call.params["Attributes"], LISTENER, balancer_of(call, listener).type, "Listener")
    own = {each.key for each in listener_table(listener.protocol)}
    for key in given:
        if key not in own:
            text = f"Listener attribute key '{key}' is not supported with listeners of {listener.protocol}"
            raise conflict(text)
    listener = listener.but(attributes={**listener.attributes, **given})
    _check_header_names(listener)
    call.tx.put(listener)
    return {"Attributes": attribute_pairs(listener_attributes(listener))}


def _check_header_names(listener: Listener) -> None:
    """Each header has a name of its own, and none that requests have anyway. Raises InvalidConfigurationRequest."""
    seen: set[str] = set()
    for usual, name in request_header_names(listener).items():
        if name.lower() in RESERVED:
            raise conflict(f"{usual} can't be renamed to '{name}': requests have a header of that name")
        if name.lower() in seen:
            raise conflict(f"Two headers can't have the same name '{name}'")
        seen.add(name.lower())


def balancer_of(call: Call, listener: Listener) -> LoadBalancer:
    """The load balancer of a listener, which goes with it."""
    found = call.tx.get(LoadBalancer, (*listener.scope, listener.lb_id))
    if found is None:
        raise ApiError("LoadBalancerNotFound", f"The load balancer of listener '{listener.arn}' not found")
    return found


def view(listener: Listener) -> dict[str, Any]:
    """A listener, as ELBv2 answers it."""
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": list(listener.default_actions),
        **tls_view(listener),
    }


def _protocol(given: str | None, balancer: LoadBalancer) -> str:
    if not given:
        raise invalid("A listener protocol must be specified")
    allowed = PROTOCOLS[balancer.type]
    if given not in allowed:
        text = f"Listeners of {balancer.type} load balancers have the protocol {' or '.join(allowed)}, not '{given}'"
        raise ApiError("UnsupportedProtocol", text)
    return given


def _at_port(call: Call, balancer: LoadBalancer, port: int) -> Listener | None:
    listeners = call.tx.select(Listener, "load_balancer", (balancer.lb_id,))
    return next((listener for listener in listeners if listener.port == port), None)


def _same(known: Listener, asked: Listener) -> Listener:
    """The listener at this port, if it is what was asked for; otherwise DuplicateListener."""
    own = ("listener_id", "default_rule_id", "attributes", "created_at", "default_rule_tags")
    if asked.but(**{name: getattr(known, name) for name in own}) != known.but(certificates=known.certificates[:1]):
        raise _duplicate(known)
    return known


def _duplicate(known: Listener) -> ApiError:
    balancer = known.load_balancer_arn
    return ApiError("DuplicateListener", f"A listener already exists on this port for this load balancer '{balancer}'")


def _arn(listener: Listener) -> str:
    return listener.arn


_ACTIONS = refusals("DefaultActions")
_REFUSES = {
    "Protocol": "Only HTTP, HTTPS, TCP and TLS are served: no datagrams, no QUIC, and no gateway load balancers.",
    "MutualAuthentication.AdvertiseTrustStoreCaNames": "The names of trusted authorities are not sent to clients.",
    **_ACTIONS,
}
_ALLOWED = {
    "Protocol": ("HTTP", "HTTPS", "TCP", "TLS"),
    "MutualAuthentication.AdvertiseTrustStoreCaNames": ("off",),
    "DefaultActions[].Type": tuple(CONFIGS),
}
_CODES = {"Protocol": "UnsupportedProtocol", **dict.fromkeys(_ACTIONS, "InvalidLoadBalancerAction")}
_INERT = {"MutualAuthentication.TrustStoreAssociationStatus": "Only answered: trust stores are not shared."}
_PARTLY = {"DefaultActions[].ForwardConfig.TargetGroups": f"{ONE_GROUP}."}
OPERATIONS: dict[str, Operation] = {
    "CreateListener": Operation(
        create_listener, refuses=_REFUSES, allowed=_ALLOWED, codes=_CODES, inert=_INERT, partly=_PARTLY
    ),
    "DeleteListener": Operation(delete_listener),
    "DescribeListenerAttributes": Operation(describe_listener_attributes),
    "DescribeListeners": Operation(describe_listeners),
    "ModifyListener": Operation(
        modify_listener, refuses=_REFUSES, allowed=_ALLOWED, codes=_CODES, inert=_INERT, partly=_PARTLY
    ),
    "ModifyListenerAttributes": Operation(modify_listener_attributes),
}
