"""What listeners with TLS have beside others: certificates, a security policy, ALPN, mutual authentication."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from longshore.api.elbv2.errors import conflict, invalid
from longshore.api.elbv2.lookup import find_trust_store
from longshore.api.operation import Call
from longshore.decide.elbv2.balancing import ALPN
from longshore.domain.elbv2.balancer import Listener, LoadBalancer
from longshore.domain.elbv2.certificate import Certificate, certificate_key_of
from longshore.domain.elbv2.tls_policy import DEFAULT_POLICY, POLICIES
from longshore.wire.errors import ApiError

Document = Mapping[str, Any]

SECURE = ("HTTPS", "TLS")
MODES = ("off", "passthrough", "verify")
TOO_SHORT = ("RSA_1024",)
"""Keys that ACM takes and today's TLS libraries don't."""


class Tls(NamedTuple):
    """The fields of a listener's record that are about TLS."""

    ssl_policy: str = ""
    certificates: tuple[str, ...] = ()
    alpn_policy: str = ""
    mutual_authentication: dict[str, Any] = {}


def checked_tls(call: Call, balancer: LoadBalancer, protocol: str, before: Listener | None) -> Tls:
    """The fields, from the input and, where it says nothing, from what was before. Raises what is wrong with them."""
    params = call.params
    if protocol not in SECURE:
        _check_none(params, protocol)
        return Tls()
    old = before if before is not None and before.protocol in SECURE else None
    policy = params.get("SslPolicy") or (old.ssl_policy if old else DEFAULT_POLICY)
    if policy not in POLICIES or balancer.type not in POLICIES[policy].types:
        raise ApiError("SSLPolicyNotFound", f"SSL policy '{policy[:255]}' not found")
    given = params.get("Certificates")
    default = (_default_certificate(call, given, protocol),) if given or old is None else old.certificates[:1]
    return Tls(
        ssl_policy=policy,
        certificates=(*default, *(old.certificates[1:] if old else ())),
        alpn_policy=_alpn(params, protocol, old),
        mutual_authentication=_mutual(call, protocol, old),
    )


def find_tls_certificate(call: Call, given: Document) -> str:
    """The ARN of a certificate that a listener can have. Raises CertificateNotFound or UnsupportedCertificate."""
    name: str = given.get("CertificateArn") or ""
    if not name:
        raise invalid("A certificate ARN must be specified")
    if given.get("IsDefault") is not None:
        raise invalid("IsDefault can't be specified: CreateListener and ModifyListener set the default certificate")
    key = certificate_key_of(name)
    if key is None:
        text = f"Certificate ARN '{name}' is not valid: certificates are those of ACM, imported or requested there"
        raise ApiError("CertificateNotFound", text)
    found = call.tx.get(Certificate, key) if key[:2] == call.scope else None
    if found is None:
        raise ApiError("CertificateNotFound", f"Certificate '{name}' not found in this account and region")
    if found.key_algorithm in TOO_SHORT:
        text = f"The certificate '{name}' must have a supported key size: {found.key_algorithm} is too short"
        raise ApiError("UnsupportedCertificate", text)
    return found.arn


def tls_view(listener: Listener) -> dict[str, Any]:
    """What of a listener ELBv2 answers about TLS."""
    if listener.protocol not in SECURE:
        return {}
    view: dict[str, Any] = {
        "Certificates": [{"CertificateArn": arn} for arn in listener.certificates[:1]],
        "SslPolicy": listener.ssl_policy,
    }
    if listener.alpn_policy:
        view["AlpnPolicy"] = [listener.alpn_policy]
    if listener.protocol == "HTTPS":
        view["MutualAuthentication"] = listener.mutual_authentication or {"Mode": "off"}
    return view


def _check_none(params: Document, protocol: str) -> None:
    for name in ("SslPolicy", "Certificates", "AlpnPolicy"):
        if params.get(name):
            raise conflict(f"{name} can't be specified for {protocol} listeners")
    if (params.get("MutualAuthentication") or {}).get("Mode") not in (None, "off"):
        text = f"Mutual authentication is for HTTPS listeners, not for {protocol} ones"
        raise conflict(text)


def _default_certificate(call: Call, given: list[Document] | None, protocol: str) -> str:
    if not given:
        raise invalid(f"A certificate must be specified for {protocol} listeners")
    if len(given) > 1:
        text = "Exactly one certificate can be specified, the default one; add others with AddListenerCertificates"
        raise ApiError("TooManyCertificates", text)
    return find_tls_certificate(call, given[0])


def _alpn(params: Document, protocol: str, old: Listener | None) -> str:
    given = params.get("AlpnPolicy") or []
    if not given:
        return old.alpn_policy if old else ""
    if protocol != "TLS":
        raise conflict(f"An ALPN policy can't be specified for {protocol} listeners")
    if len(given) > 1 or given[0] not in ALPN:
        raise ApiError("ALPNPolicyNotFound", f"Specify one ALPN policy: {', '.join(ALPN)}")
    policy: str = given[0]
    return policy


def _mutual(call: Call, protocol: str, old: Listener | None) -> dict[str, Any]:
    """`MutualAuthentication` as it is kept: nothing when it is off."""
    given: Document | None = call.params.get("MutualAuthentication")
    if given is None:
        return old.mutual_authentication if old else {}
    mode = given.get("Mode") or "off"
    if mode not in MODES:
        raise invalid(f"The mode of mutual authentication must be one of {', '.join(MODES)}")
    if protocol != "HTTPS" and mode != "off":
        raise conflict(f"Mutual authentication is for HTTPS listeners, not {protocol}")
    if mode != "verify":
        if given.get("TrustStoreArn") or given.get("IgnoreClientCertificateExpiry"):
            raise invalid(f"A trust store and IgnoreClientCertificateExpiry can't be specified in mode '{mode}'")
        return {"Mode": mode} if mode != "off" else {}
    if not given.get("TrustStoreArn"):
        raise invalid("A trust store ARN must be specified in mode 'verify'")
    return {
        "Mode": mode,
        "TrustStoreArn": find_trust_store(call, given["TrustStoreArn"]).arn,
        "IgnoreClientCertificateExpiry": bool(given.get("IgnoreClientCertificateExpiry")),
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": "off",
    }
