"""TLS on listeners: certificates, protocol versions and ciphers of security policies, client certificates."""

import hashlib
from collections.abc import Iterator, Mapping

from longshore.domain.elbv2.balancing import ListenerPlan
from longshore.domain.elbv2.tls_policy import POLICIES, TlsPolicy
from longshore.drivers.haproxy.render.text import header_name, quoted

HAPROXY_NAMES = {"TLSv1": "TLSv1.0"}
"""Protocol versions that HAProxy calls otherwise."""


CERTIFICATE = "x-amzn-mtls-"
"""What the names of headers about client certificates begin with."""
ISO_8601 = r"regsub('^(..)(..)(..)(..)(..)(..)Z$','20\1-\2-\3T\4:\5:\6Z')"
"""A time of a certificate as ISO 8601 writes it. HAProxy tells those of this century, with two digits of the year."""


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
    options.extend(_versions(POLICIES[listener.ssl_policy]))
    if listener.alpn:
        options.append(f"alpn {','.join(listener.alpn)}")
    options.extend(_client_certificates(listener, pems, folder))
    return " " + " ".join(options)


def _versions(policy: TlsPolicy) -> Iterator[str]:
    """Protocol versions and ciphers of a predefined policy. Not its post-quantum key exchange: OpenSSL 3.0 has none."""
    newest, oldest = policy.protocols[0], policy.protocols[-1]
    yield f"ssl-min-ver {HAPROXY_NAMES.get(oldest, oldest)}"
    yield f"ssl-max-ver {HAPROXY_NAMES.get(newest, newest)}"
    modern = [cipher for cipher in policy.ciphers if cipher.startswith("TLS_")]
    older = [cipher for cipher in policy.ciphers if cipher not in modern]
    if modern:
        yield f"ciphersuites {':'.join(modern)}"
    if older:
        # OpenSSL refuses TLS below 1.2 at its usual security level.
        level = "@SECLEVEL=0:" if oldest in ("TLSv1", "TLSv1.1") else ""
        yield f"ciphers {level}{':'.join(older)}"


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
    yield f"http-request del-header {CERTIFICATE} -m beg"
    for usual, name in listener.header_names:
        if usual.lower().startswith(CERTIFICATE):
            yield f"http-request del-header {header_name(name)}"
    given = "if { ssl_c_used }"
    pem = "%[ssl_c_der,base64,regsub('(.{64})','\\1\\x0a',g),url_enc]"
    whole = f"-----BEGIN%20CERTIFICATE-----%0A{pem}%0A-----END%20CERTIFICATE-----%0A".replace("%20", "%%20").replace(
        "%0A", "%%0A"
    )
    if listener.mutual_tls.mode == "passthrough":
        yield f"http-request set-header {header(listener, 'x-amzn-mtls-clientcert')} {quoted(whole)} {given}"
        return
    validity = f"NotBefore=%[ssl_c_notbefore,{ISO_8601}];NotAfter=%[ssl_c_notafter,{ISO_8601}]"
    for about, value in (
        ("leaf", quoted(whole)),
        ("serial-number", "%[ssl_c_serial,hex]"),
        ("issuer", '"%[ssl_c_i_dn(,0,rfc2253)]"'),
        ("subject", '"%[ssl_c_s_dn(,0,rfc2253)]"'),
        ("validity", quoted(validity)),
    ):
        name = header(listener, f"x-amzn-mtls-clientcert-{about}")
        yield f"http-request set-header {name} {value} {given}"


def tls_headers(listener: ListenerPlan) -> Iterator[str]:
    """Headers that tell targets what a client's connection is encrypted with."""
    yield f"http-request set-header {header(listener, 'x-amzn-tls-version')} %[ssl_fc_protocol]"
    yield f"http-request set-header {header(listener, 'x-amzn-tls-cipher-suite')} %[ssl_fc_cipher]"


def header(listener: ListenerPlan, usual: str) -> str:
    """The name of a header that is usually called so, in small letters. Raises ValueError for what can't be one."""
    return next((header_name(name) for known, name in listener.header_names if known.lower() == usual), usual)
