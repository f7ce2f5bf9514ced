"""The certificates of a listener beside its default one: clients get the one that has the name they ask for."""

from typing import Any

from longshore.api.elbv2.errors import conflict, invalid
from longshore.api.elbv2.limits import LIMITS
from longshore.api.elbv2.listener_tls import SECURE, find_tls_certificate
from longshore.api.elbv2.lookup import find_listener
from longshore.api.elbv2.paging import paged
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.balancer import Listener
from longshore.wire.errors import ApiError

MAX_CERTIFICATES = LIMITS["certificates-per-application-load-balancer"]
"""Of a load balancer, its default certificates not counted; application and network ones alike."""


def add_listener_certificates(call: Call) -> dict[str, Any]:
    """AddListenerCertificates. One that is there already is not added again; the default one can be in the list too."""
    listener = find_listener(call, call.params["ListenerArn"])
    if listener.protocol not in SECURE:
        text = f"Certificates can't be specified for {listener.protocol} listeners"
        raise conflict(text)
    given = call.params["Certificates"]
    if not given:
        raise invalid("A certificate must be specified")
    arns = [find_tls_certificate(call, certificate) for certificate in given]
    others = tuple(dict.fromkeys((*listener.certificates[1:], *arns)))
    after = listener.but(certificates=(*listener.certificates[:1], *others))
    call.tx.put(after)
    own = call.tx.select(Listener, "load_balancer", (listener.lb_id,))
    if len({arn for each in own for arn in each.certificates[1:]}) > MAX_CERTIFICATES:
        text = f"A load balancer can have at most {MAX_CERTIFICATES} certificates beside its default ones"
        raise ApiError("TooManyCertificates", text)
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in dict.fromkeys(arns)]}


def remove_listener_certificates(call: Call) -> dict[str, Any]:
    """RemoveListenerCertificates. Those that are not there are passed over; the default one can't be removed."""
    listener = find_listener(call, call.params["ListenerArn"])
    default, others = listener.certificates[:1], listener.certificates[1:]
    gone = {certificate.get("CertificateArn") for certificate in call.params["Certificates"]}
    if any(certificate.get("IsDefault") is not None for certificate in call.params["Certificates"]):
        raise invalid("IsDefault can't be specified")
    if gone & {*default} - {*others}:
        raise ApiError(
            "OperationNotPermitted", "The default certificate can't be removed: replace it with ModifyListener"
        )
    call.tx.put(listener.but(certificates=(*default, *(arn for arn in others if arn not in gone))))
    return {}


def describe_listener_certificates(call: Call) -> dict[str, Any]:
    """DescribeListenerCertificates: the default one first."""
    listener = find_listener(call, call.params["ListenerArn"])
    default, others = listener.certificates[:1], listener.certificates[1:]
    views = [{"CertificateArn": arn, "IsDefault": True} for arn in default]
    views += [{"CertificateArn": arn, "IsDefault": False} for arn in sorted(others)]
    shown, marker = paged(call, "DescribeListenerCertificates", views, _place)
    return {"Certificates": shown, "NextMarker": marker}


def _place(view: dict[str, Any]) -> str:
    return f"{0 if view['IsDefault'] else 1} {view['CertificateArn']}"


OPERATIONS: dict[str, Operation] = {
    "AddListenerCertificates": Operation(add_listener_certificates),
    "DescribeListenerCertificates": Operation(describe_listener_certificates),
    "RemoveListenerCertificates": Operation(remove_listener_certificates),
}
