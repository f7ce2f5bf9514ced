"""Certificates and revocation lists in PEM: read strictly, and written anew. Called by ACM and by ELBv2's trust stores.

The library raises many kinds of errors for contents that are not as they should be, some only when a part is looked
at, and only warns of others that it will refuse one day. Here all of them are a `ValueError`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

_UNREADABLE = (
    TypeError,
    UnsupportedAlgorithm,
    InvalidSignature,
    CryptographyDeprecationWarning,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@contextmanager
def strict() -> Iterator[None]:
    """Whatever the library finds wrong within the block is a ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            yield
        except _UNREADABLE as error:
            raise ValueError(str(error)) from error


def certificates_in(pem: bytes) -> list[x509.Certificate]:
    """All certificates of a text, at least one. Raises ValueError."""
    with strict():
        return x509.load_pem_x509_certificates(pem)


def revocations_in(pem: bytes) -> x509.CertificateRevocationList:
    """The revocation list of a text, each of its entries looked at. Raises ValueError."""
    with strict():
        found = x509.load_pem_x509_crl(pem)
        for entry in found:
            entry.serial_number  # noqa: B018  an entry is read when it is looked at
        return found


def pem_of(*certificates: x509.Certificate) -> str:
    """Certificates in PEM, one after another."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)
