"""ELBv2's security policies: which TLS versions and ciphers a listener offers. Data, and nothing else.

Source: "Security policies" in the user guides of Application and Network Load Balancers. A policy with PQ in its name
has the ciphers of the one without, and offers post-quantum key exchange as well. The policies for RFC 9151, which ask
for certificates of their own, are left out.
"""

from collections.abc import Mapping

import msgspec

DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
"""What a listener has whose creator named none."""


class TlsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A security policy."""

    name: str
    protocols: tuple[str, ...]
    """`TLSv1.3`, `TLSv1.2`, `TLSv1.1`, `TLSv1`; the newest first."""
    ciphers: tuple[str, ...]
    """OpenSSL's names, most wanted first."""
    types: tuple[str, ...] = ("application", "network")
    """The types of load balancers that have it."""
    post_quantum: bool = False


_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_ECDHE = (
    ("gcm", ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256")),
    ("cbc", ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256")),
    ("sha", ("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA")),
    ("gcm", ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384")),
    ("cbc", ("ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384")),
    ("sha", ("ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA")),
)
_RSA = (
    ("gcm", ("AES128-GCM-SHA256",)),
    ("cbc", ("AES128-SHA256",)),
    ("sha", ("AES128-SHA",)),
    ("gcm", ("AES256-GCM-SHA384",)),
    ("cbc", ("AES256-SHA256",)),
    ("sha", ("AES256-SHA",)),
)
_VERSIONS = {"3": "TLSv1.3", "2": "TLSv1.2", "1": "TLSv1.1", "0": "TLSv1"}

# Name, versions, kinds of ECDHE ciphers, kinds of ciphers without forward secrecy.
_TABLE = """
2016-08                      210  gcm,cbc,sha gcm,cbc,sha
TLS13-1-3-2021-06            3    -           -
TLS13-1-3-PQ-2025-09         3    -           -
TLS13-1-2-Res-2021-06        32   gcm         -
TLS13-1-2-Res-PQ-2025-09     32   gcm         -
TLS13-1-2-2021-06            32   gcm,cbc     -
TLS13-1-2-PQ-2025-09         32   gcm,cbc     -
TLS13-1-2-Ext1-2021-06       32   gcm,cbc     gcm,cbc
TLS13-1-2-Ext1-PQ-2025-09    32   gcm,cbc     gcm,cbc
TLS13-1-2-Ext2-2021-06       32   gcm,cbc,sha gcm,cbc,sha
TLS13-1-2-Ext2-PQ-2025-09    32   gcm,cbc,sha gcm,cbc,sha
TLS13-1-1-2021-06            321  gcm,cbc,sha gcm,cbc,sha
TLS13-1-0-2021-06            3210 gcm,cbc,sha gcm,cbc,sha
TLS13-1-0-PQ-2025-09         3210 gcm,cbc,sha gcm,cbc,sha
TLS13-1-3-FIPS-2023-04       3    -           -
TLS13-1-3-FIPS-PQ-2025-09    3    -           -
TLS13-1-2-Res-FIPS-2023-04   32   gcm         -
TLS13-1-2-Res-FIPS-PQ-2025-09 32  gcm         -
TLS13-1-2-FIPS-2023-04       32   gcm,cbc     -
TLS13-1-2-FIPS-PQ-2025-09    32   gcm,cbc     -
TLS13-1-2-Ext0-FIPS-2023-04  32   gcm,cbc,sha -
TLS13-1-2-Ext0-FIPS-PQ-2025-09 32 gcm,cbc,sha -
TLS13-1-2-Ext1-FIPS-2023-04  32   gcm,cbc     gcm,cbc
TLS13-1-2-Ext1-FIPS-PQ-2025-09 32 gcm,cbc     gcm,cbc
TLS13-1-2-Ext2-FIPS-2023-04  32   gcm,cbc,sha gcm,cbc,sha
TLS13-1-2-Ext2-FIPS-PQ-2025-09 32 gcm,cbc,sha gcm,cbc,sha
TLS13-1-1-FIPS-2023-04       321  gcm,cbc,sha gcm,cbc,sha
TLS13-1-0-FIPS-2023-04       3210 gcm,cbc,sha gcm,cbc,sha
TLS13-1-0-FIPS-PQ-2025-09    3210 gcm,cbc,sha gcm,cbc,sha
TLS-1-2-Ext-2018-06          2    gcm,cbc,sha gcm,cbc,sha
TLS-1-2-2017-01              2    gcm,cbc     gcm,cbc
TLS-1-1-2017-01              21   gcm,cbc,sha gcm,cbc,sha
FS-1-2-Res-2020-10           2    gcm         -
FS-1-2-Res-2019-08           2    gcm,cbc     -
FS-1-2-2019-08               2    gcm,cbc,sha -
FS-1-1-2019-08               21   gcm,cbc,sha -
FS-2018-06                   210  gcm,cbc,sha -
2015-05                      210  gcm,cbc,sha gcm,cbc,sha
"""
NETWORK_ONLY = frozenset({"ELBSecurityPolicy-2015-05"})


def _policy(name: str, versions: str, ecdhe: str, rsa: str) -> TlsPolicy:
    whole = f"ELBSecurityPolicy-{name}"
    tls13 = () if "3" not in versions else _TLS13[:2] if "FIPS" in name else _TLS13
    older = [cipher for kind, ciphers in _ECDHE if kind in ecdhe.split(",") for cipher in ciphers]
    older += [cipher for kind, ciphers in _RSA if kind in rsa.split(",") for cipher in ciphers]
    return TlsPolicy(
        name=whole,
        protocols=tuple(_VERSIONS[digit] for digit in versions),
        ciphers=(*tls13, *older),
        types=("network",) if whole in NETWORK_ONLY else ("application", "network"),
        post_quantum="-PQ-" in name,
    )


_ROWS = [line.split() for line in _TABLE.strip().splitlines()]
POLICIES: Mapping[str, TlsPolicy] = {
    policy.name: policy for policy in (_policy(name, versions, ecdhe, rsa) for name, versions, ecdhe, rsa in _ROWS)
}
"""Every policy by its name, in the order in which they are described."""
