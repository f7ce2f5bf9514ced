"""TLS on listeners: certificates, protocol versions and ciphers of security policies, client certificates."""

import hashlib
import re
from collections.abc import Iterator, Mapping

from longshore.domain.balancing import ListenerPlan
from longshore.drivers.haproxy.render.text import quoted

TLS13_POLICY = re.compile(r"ELBSecurityPolicy-TLS13-1-([0-3])-")
OLDEST = {"0": "TLSv1.0", "1": "TLSv1.1", "2": "TLSv1.2", "3": "TLSv1.3"}
ECDHE_GCM = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384"
)
ECDHE_CBC = (
    f"{ECDHE_GCM}:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384"
)
ECDHE_SHA1 = f"{ECDHE_CBC}:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES256-SHA"
ALL_CIPHERS = f"{ECDHE_SHA1}:AES128-GCM-SHA256:AES128-SHA256:AES128-SHA:AES256-GCM-SHA384:AES256-SHA256:AES256-SHA"


def file_name(pem: str) -> str:
    """Of a PEM file: by its content, so that a new certificate is a new configuration."""
    return f"{hashlib.sha256(pem.encode()).hexdigest()[:32]}.pem"


def bind_options(listener: ListenerPlan, pems: Mapping[str, str], folder: str) -> str:
    """What a `bind` line of the listener says of TLS; empty without. `pems`: by certificate id.

    Raises ValueError for a certificate that isn't there.
    """
    if listener.protocol not in ("HTTPS", "TLS"):
        return ""
    missing = [name for name in listener.certificates if name not in pems]
    if missing or not listener.certificates:
        raise ValueError(f"The listener at port {listener.port} lacks its certificate {', '.join(missing)}".strip())
    options = ["ssl", *(f"crt {folder}/{file_name(pems[name])}" for name in listener.certificates)]
    options.extend(_versions(listener.ssl_policy))
    if listener.alpn:
        options.append(f"alpn {','.join(listener.alpn)}")
    options.extend(_client_certificates(listener, pems, folder))
    return " " + " ".join(options)


def _versions(policy: str) -> Iterator[str]:
    """Protocol versions and ciphers (of TLS 1.2 and below) of a predefined policy."""
    newest = None
    ciphers = ALL_CIPHERS
    if found := TLS13_POLICY.match(policy):
        oldest = OLDEST[found[1]]
        if "-Res-" in policy:
            ciphers = ECDHE_GCM
        elif "-1-2-2021" in policy:
            ciphers = ECDHE_CBC
        elif "-Ext2-" not in policy and "-Ext1-" not in policy:
            ciphers = ECDHE_SHA1
    else:
        newest = "TLSv1.2"
        oldest = "TLSv1.2" if "1-2" in policy else "TLSv1.1" if "1-1" in policy else "TLSv1.0"
        if "FS-1-2-Res" in policy:
            ciphers = ECDHE_CBC
        elif "FS-" in policy:
            ciphers = ECDHE_SHA1
    yield f"ssl-min-ver {oldest}"
    if newest:
        yield f"ssl-max-ver {newest}"
    # OpenSSL refuses TLS below 1.2 at its usual security level.
    level = "@SECLEVEL=0:" if oldest in ("TLSv1.0", "TLSv1.1") else ""
    yield f"ciphers {level}{ciphers}"


def _client_certificates(listener: ListenerPlan, pems: Mapping[str, str], folder: str) -> Iterator[str]:
    mutual = listener.mutual_tls
    if mutual is None:
        return
    if mutual.mode == "passthrough":
        # HAProxy asks for a certificate only if it knows some authority; no error about it counts.
        yield f"ca-file {folder}/{file_name(pems[listener.certificates[0]])} verify optional no-ca-names"
        yield "ca-ignore-err all crt-ignore-err all"
        return
    yield f"ca-file {folder}/{file_name(mutual.bundle_pem)} verify required no-ca-names"
    if mutual.revocations_pem:
        yield f"crl-file {folder}/{file_name(''.join(mutual.revocations_pem))}"
    if mutual.ignore_expiry:
        yield "crt-ignore-err 10 ca-ignore-err 10"


def client_headers(listener: ListenerPlan) -> Iterator[str]:
    """Headers that tell targets about the client's certificate; what a client says of itself is not passed on."""
    if listener.mutual_tls is None:
        return
    yield "http-request del-header x-amzn-mtls- -m beg"
    given = "if { ssl_c_used }"
    pem = "%[ssl_c_der,base64,regsub('(.{64})','\\1\\x0a',g),url_enc]"
    whole = f"-----BEGIN%20CERTIFICATE-----%0A{pem}%0A-----END%20CERTIFICATE-----%0A".replace("%20", "%%20").replace(
        "%0A", "%%0A"
    )
    if listener.mutual_tls.mode == "passthrough":
        yield f"http-request set-header x-amzn-mtls-clientcert {_format(whole)} {given}"
        return
    yield f"http-request set-header x-amzn-mtls-clientcert-leaf {_format(whole)} {given}"
    yield f"http-request set-header x-amzn-mtls-clientcert-serial-number %[ssl_c_serial,hex] {given}"
    yield f'http-request set-header x-amzn-mtls-clientcert-issuer "%[ssl_c_i_dn(,0,rfc2253)]" {given}'
    yield f'http-request set-header x-amzn-mtls-clientcert-subject "%[ssl_c_s_dn(,0,rfc2253)]" {given}'
    validity = "NotBefore=%[ssl_c_notbefore];NotAfter=%[ssl_c_notafter]"
    yield f'http-request set-header x-amzn-mtls-clientcert-validity "{validity}" {given}'


def _format(text: str) -> str:
    return quoted(text)
