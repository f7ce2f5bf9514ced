"""The attributes of listeners, as `balancer_attributes.py` has those of load balancers and target groups.

Which a listener has depends on its protocol. Source: `ListenerAttribute` in the ELBv2 API reference.
"""

from longshore.domain.elbv2.balancer import HTTP_PROTOCOLS, Listener
from longshore.domain.elbv2.balancer_attributes import ALB, FLAG, NLB, Attribute

_NAMES = "The headers that tell targets of client certificates and TLS have their usual names alone."
_HEADERS = "Headers of answers are not changed: set them in the application."
_ANY = r"[\x20-\x7e]{0,1024}"
_REQUEST = "routing.http.request."
_RESPONSE = "routing.http.response."
_RESPONSE_HEADERS = (
    *("strict_transport_security", "access_control_allow_origin", "access_control_allow_methods"),
    *("access_control_allow_headers", "access_control_allow_credentials", "access_control_expose_headers"),
    *("access_control_max_age", "content_security_policy", "x_content_type_options", "x_frame_options"),
)
_REQUEST_HEADERS = (
    *("X-Amzn-Mtls-Clientcert-Serial-Number", "X-Amzn-Mtls-Clientcert-Issuer", "X-Amzn-Mtls-Clientcert-Subject"),
    *("X-Amzn-Mtls-Clientcert-Validity", "X-Amzn-Mtls-Clientcert-Leaf", "X-Amzn-Mtls-Clientcert"),
    *("X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite"),
)

TCP_IDLE_TIMEOUT = Attribute(key="tcp.idle_timeout.seconds", types=NLB, default="350", least=60, most=6000)
"""The one attribute of listeners that a data plane acts on."""

LISTENER: tuple[Attribute, ...] = (
    Attribute(key=f"{_RESPONSE}server.enabled", types=ALB, default="true", words=FLAG, refused=_HEADERS),
    *(
        Attribute(key=f"{_RESPONSE}{name}.header_value", types=ALB, default="", pattern=_ANY, refused=_HEADERS)
        for name in _RESPONSE_HEADERS
    ),
    *(
        Attribute(
            key=f"{_REQUEST}{name.lower().replace('-', '_')}.header_name",
            types=ALB,
            default=name,
            pattern=r"[A-Za-z0-9_-]{1,40}",
            refused=_NAMES,
        )
        for name in _REQUEST_HEADERS
    ),
    TCP_IDLE_TIMEOUT,
)
"""What listeners have, of whatever protocol."""


def listener_table(protocol: str) -> tuple[Attribute, ...]:
    """The attributes that a listener of this protocol has: the names of request headers only with TLS."""
    if protocol in HTTP_PROTOCOLS:
        own = _RESPONSE if protocol == "HTTP" else "routing."
        return tuple(each for each in LISTENER if each.key.startswith(own))
    return tuple(each for each in LISTENER if each.types == NLB) if protocol == "TCP" else ()


def listener_attributes(listener: Listener) -> dict[str, str]:
    """All attributes of a listener, defaults filled in."""
    table = listener_table(listener.protocol)
    return {each.key: listener.attributes.get(each.key, each.default) for each in table}
