"""Finds what a certificate's ARN names, and who uses it."""

from typing import Any

from longshore.api.operation import Call
from longshore.domain.elbv2.balancer import Listener
from longshore.domain.elbv2.certificate import Certificate, certificate_key_of
from longshore.wire.errors import ApiError

Answer = dict[str, Any]


def find_certificate(call: Call, arn: str | None = None) -> Certificate:
    """The certificate at an ARN (default: the call's). Raises ResourceNotFoundException or InvalidArnException."""
    name: str = arn or call.params["CertificateArn"]
    key = certificate_key_of(name)
    if key is None:
        raise ApiError("InvalidArnException", f"{name} is not the ARN of a certificate.")
    found = call.tx.get(Certificate, key) if key[:2] == call.scope else None
    if found is None:
        raise ApiError("ResourceNotFoundException", f"Could not find certificate {name}.")
    return found


def users_of(call: Call, certificate: Certificate) -> list[str]:
    """The ARNs of the load balancers that have a listener with this certificate."""
    listeners = call.tx.select(Listener, "certificate", (certificate.arn,))
    return sorted({listener.load_balancer_arn for listener in listeners})
