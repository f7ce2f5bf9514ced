"""Finds what a certificate's ARN names, and who uses it."""

from typing import Any

from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.balancer import Listener, elb_arn
from longshore.domain.certificate import Certificate
from longshore.wire.errors import ApiError

Answer = dict[str, Any]


def find_certificate(call: Call, arn: str | None = None) -> Certificate:
    """The certificate at an ARN (default: the call's). Raises ResourceNotFoundException or InvalidArnException."""
    name: str = arn or call.params["CertificateArn"]
    parsed = Arn.parse(name)
    kind, _, certificate_id = parsed.resource.partition("/") if parsed else ("", "", "")
    if parsed is None or parsed.service != "acm" or kind != "certificate":
        raise ApiError("InvalidArnException", f"{name} is not the ARN of a certificate.")
    found = call.tx.get(Certificate, (*call.scope, certificate_id)) if parsed.scope == call.scope else None
    if found is None:
        raise ApiError("ResourceNotFoundException", f"Could not find certificate {name}.")
    return found


def users_of(call: Call, certificate: Certificate) -> list[str]:
    """The ARNs of the load balancers that have a listener with this certificate."""
    listeners = call.tx.select(Listener, "certificate", (certificate.arn,))
    return sorted({elb_arn(listener.scope, "loadbalancer", listener.lb_path) for listener in listeners})
