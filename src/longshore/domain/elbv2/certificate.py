"""Certificates as ACM keeps them, and the local authority that issues them."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class Certificate(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate, imported or issued by the local authority. Written by the API."""

    kind: ClassVar[str] = "certificate"

    certificate_id: str
    """A UUID."""
    domain_name: str
    alternative_names: tuple[str, ...] = ()
    type: Literal["IMPORTED", "AMAZON_ISSUED"]
    certificate_pem: str
    chain_pem: str = ""
    sealed_key: str
    """The private key in PEM, sealed (see `domain/secrets/vault.py`): never in plain text on disk."""
    key_algorithm: str
    not_before: float
    not_after: float
    serial: str
    issuer: str
    subject: str
    signature_algorithm: str
    created_at: float
    imported_at: float | None = None
    request: dict[str, Any] = {}
    """The `RequestCertificate` input, which tells a repeated call and holds `Options` and `ValidationMethod`."""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.certificate_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and by ARN over all scopes."""
        yield "scope", self.scope
        yield "arn", (self.arn,)

    @property
    def arn(self) -> str:
        """`arn:aws:acm:REGION:ACCOUNT:certificate/ID`."""
        return str(Arn("acm", self.scope, f"certificate/{self.certificate_id}"))


def certificate_key_of(arn: str) -> Key | None:
    """The store's key of the certificate that an ARN names; None if it names something else."""
    parsed = Arn.parse(arn)
    kind, _, certificate_id = parsed.resource.partition("/") if parsed else ("", "", "")
    return (*parsed.scope, certificate_id) if parsed and parsed.service == "acm" and kind == "certificate" else None


class Authority(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The certificate authority of this Longshore: one, with an empty scope. Made by the API when first needed."""

    kind: ClassVar[str] = "authority"

    certificate_pem: str
    sealed_key: str

    def names(self) -> Key:
        """There is one."""
        return ("local",)


AUTHORITY_KEY: Key = ("", "", "local")
