"""The attributes of listeners, as `balancer_attributes.py` has those of load balancers and target groups.

Which a listener has depends on its protocol. Source: `ListenerAttribute` in the ELBv2 API reference.
"""

from longshore.domain.elbv2.balancer import HTTP_PROTOCOLS, Listener
from longshore.domain.elbv2.balancer_attributes import ALB, FLAG, NLB, Attribute

_VALUE = r"[A-Za-z0-9_ :;.,\\/'?!(){}\[\]@<>=+*#&`|~^%-]{0,1024}"
"""What AWS checks of the value of a header; whether it means anything there it doesn't."""
_NAME = r"[A-Za-z0-9_-]{0,40}"
_REQUEST, _NAMED = "routing.http.request.", ".header_name"
_RESPONSE, _VALUED = "routing.http.response.", ".header_value"
_RESPONSE_HEADERS = (
    *("Strict-Transport-Security", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods"),
    *("Access-Control-Allow-Headers", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers"),
    *("Access-Control-Max-Age", "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options"),
)
_REQUEST_HEADERS = (
    *("X-Amzn-Mtls-Clientcert-Serial-Number", "X-Amzn-Mtls-Clientcert-Issuer", "X-Amzn-Mtls-Clientcert-Subject"),
    *("X-Amzn-Mtls-Clientcert-Validity", "X-Amzn-Mtls-Clientcert-Leaf", "X-Amzn-Mtls-Clientcert"),
    *("X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite"),
)
RESERVED = frozenset(
    (
        *("connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "x-amzn-trace-id"),
        *("x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"),
    )
)
"""What no header can be renamed to: requests would mean something else by it, or have it from us already."""


def _key(header: str) -> str:
    return header.lower().replace("-", "_")


TCP_IDLE_TIMEOUT = Attribute(key="tcp.idle_timeout.seconds", types=NLB, default="350", least=60, most=6000)
SERVER = Attribute(key=f"{_RESPONSE}server.enabled", types=ALB, default="true", words=FLAG)
"""Whether the load balancer names itself in its own answers."""

LISTENER: tuple[Attribute, ...] = (
    SERVER,
    *(
        Attribute(key=f"{_RESPONSE}{_key(name)}{_VALUED}", types=ALB, default="", pattern=_VALUE)
        for name in _RESPONSE_HEADERS
    ),
    *(
        Attribute(key=f"{_REQUEST}{_key(name)}{_NAMED}", types=ALB, default=name, pattern=_NAME)
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
    """All attributes of a listener, defaults filled in: what is set to nothing has its default too."""
    table = listener_table(listener.protocol)
    return {each.key: listener.attributes.get(each.key) or each.default for each in table}


def response_headers(listener: Listener) -> dict[str, str]:
    """What every answer of a listener has, by header: what the target says of it is replaced."""
    values = listener_attributes(listener)
    given = ((name, values.get(f"{_RESPONSE}{_key(name)}{_VALUED}", "")) for name in _RESPONSE_HEADERS)
    return {name: value for name, value in given if value}


def request_header_names(listener: Listener) -> dict[str, str]:
    """The names of the headers that tell targets of client certificates and TLS, by their usual ones."""
    values = listener_attributes(listener)
    return {name: values.get(f"{_REQUEST}{_key(name)}{_NAMED}", name) for name in _REQUEST_HEADERS}
