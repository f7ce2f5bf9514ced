"""Certificates: described, listed, read and deleted."""

import hashlib
from collections.abc import Iterable
from typing import Any

from cryptography import x509

from longshore.api.acm.lookup import Answer, find_certificate, users_of
from longshore.api.acm.material import extended_key_usages, invalid, key_usages
from longshore.api.operation import Call
from longshore.domain.elbv2.certificate import Certificate
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

LISTED_KEYS = ("RSA_1024", "RSA_2048")
"""What ListCertificates lists unless `Includes.keyTypes` says otherwise, as on AWS."""
MAX_LISTED = 1000
MAX_SUMMARIZED_NAMES = 100


def describe_certificate(call: Call) -> Answer:
    """All about a certificate but its text and its key."""
    return {"Certificate": certificate_view(call, find_certificate(call))}


def get_certificate(call: Call) -> Answer:
    """The certificate and its chain, in PEM."""
    certificate = find_certificate(call)
    return {"Certificate": certificate.certificate_pem, "CertificateChain": certificate.chain_pem or None}


def delete_certificate(call: Call) -> Answer:
    """Delete a certificate that no listener uses."""
    certificate = find_certificate(call)
    users = users_of(call, certificate)
    if users:
        text = f"Certificate {certificate.arn} in account {certificate.account} is in use by {', '.join(users)}."
        raise ApiError("ResourceInUseException", text)
    call.tx.delete(Certificate, certificate.key)
    return {}


def certificate_view(call: Call, certificate: Certificate) -> Answer:
    """A certificate, as ACM answers it."""
    loaded = x509.load_pem_x509_certificate(certificate.certificate_pem.encode())
    view: Answer = {
        "CertificateArn": certificate.arn,
        "Serial": certificate.serial,
        "Subject": certificate.subject,
        "Issuer": certificate.issuer,
        "CreatedAt": certificate.created_at,
        "Status": status_of(certificate, call.now),
        "NotBefore": certificate.not_before,
        "NotAfter": certificate.not_after,
        "KeyAlgorithm": certificate.key_algorithm,
        "SignatureAlgorithm": certificate.signature_algorithm,
        "InUseBy": users_of(call, certificate),
        "Type": certificate.type,
        "KeyUsages": [{"Name": name} for name in key_usages(loaded)],
        "ExtendedKeyUsages": [
            {"Name": name, "OID": oid} if oid else {"Name": name} for name, oid in extended_key_usages(loaded)
        ],
        "RenewalEligibility": "INELIGIBLE",
        "Options": _options(certificate),
        "CertificateKeyPairOrigin": origin_of(certificate),
        **_names(certificate),
    }
    if certificate.type == "IMPORTED":
        return {**view, "ImportedAt": certificate.imported_at}
    return {
        **view,
        "IssuedAt": certificate.created_at,
        "DomainValidationOptions": [_validation(certificate, name) for name in certificate.alternative_names],
    }


def status_of(certificate: Certificate, now: float) -> str:
    """ISSUED until it expires."""
    return "ISSUED" if now < certificate.not_after else "EXPIRED"


def origin_of(certificate: Certificate) -> str:
    """Where its keys come from."""
    return "CUSTOMER_PROVIDED" if certificate.type == "IMPORTED" else "AWS_MANAGED"


def _names(certificate: Certificate) -> Answer:
    if not certificate.domain_name:
        return {}
    return {
        "DomainName": certificate.domain_name,
        "SubjectAlternativeNames": list(certificate.alternative_names),
    }


def _options(certificate: Certificate) -> Answer:
    given = certificate.request.get("Options") or {}
    logging = given.get("CertificateTransparencyLoggingPreference")
    default = "DISABLED" if certificate.type == "IMPORTED" else "ENABLED"
    return {"CertificateTransparencyLoggingPreference": logging or default, "Export": "DISABLED"}


def _validation(certificate: Certificate, name: str) -> Answer:
    """How a name was validated on AWS; tools make the DNS records that it tells, which nobody looks for here."""
    request = certificate.request
    method = request.get("ValidationMethod") or (request.get("Options") or {}).get("ValidationMethod") or "EMAIL"
    domains = {option["DomainName"].lower(): option["ValidationDomain"] for option in _validation_options(request)}
    view = {
        "DomainName": name,
        "ValidationDomain": domains.get(name, name),
        "ValidationStatus": "SUCCESS",
        "ValidationMethod": method,
    }
    if method != "DNS":
        return view
    bare = name.removeprefix("*.")
    digest = hashlib.sha256(f"{certificate.account} {bare}".encode()).hexdigest()
    record = {
        "Name": f"_{digest[:32]}.{bare}.",
        "Type": "CNAME",
        "Value": f"_{digest[32:]}.acm-validations.aws.",
    }
    return {**view, "ResourceRecord": record}


def _validation_options(request: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return request.get("DomainValidationOptions") or ()


# Lists


def list_certificates(call: Call) -> Answer:
    """Certificates in short. Without filters, only those with RSA keys of at most 2048 bits, as on AWS."""
    params = call.params
    if bool(params.get("SortBy")) != bool(params.get("SortOrder")):
        raise invalid("SortBy and SortOrder must be specified together.")
    found = [each for each in call.tx.select(Certificate, "scope", call.scope) if _wanted(call, each)]
    descending = params.get("SortOrder") == "DESCENDING"
    found.sort(key=_place, reverse=descending)
    question = sorted((name, repr(value)) for name, value in params.items() if name not in {"NextToken", "MaxItems"})
    shown, more = page(
        found,
        _place,
        params.get("MaxItems") or MAX_LISTED,
        params.get("NextToken"),
        operation="ListCertificates",
        code="InvalidArgsException",
        scope=repr(question),
        descending=descending,
    )
    return {"CertificateSummaryList": [_summary(call, each) for each in shown], "NextToken": more}


def _place(certificate: Certificate) -> str:
    return f"{certificate.created_at:020.6f} {certificate.certificate_id}"


def _wanted(call: Call, certificate: Certificate) -> bool:
    params = call.params
    includes = params.get("Includes") or {}
    keys = includes.get("keyTypes") or LISTED_KEYS
    statuses, origins = params.get("CertificateStatuses"), params.get("CertificateKeyPairOrigins")
    if certificate.key_algorithm not in keys or includes.get("managedBy") or includes.get("exportOption") == "ENABLED":
        return False
    if statuses and status_of(certificate, call.now) not in statuses:
        return False
    if origins and origin_of(certificate) not in origins:
        return False
    usages, extended = includes.get("keyUsage") or (), includes.get("extendedKeyUsage") or ()
    if not usages and not extended:
        return True
    loaded = x509.load_pem_x509_certificate(certificate.certificate_pem.encode())
    return {*usages} <= {*key_usages(loaded)} and {*extended} <= {name for name, _ in extended_key_usages(loaded)}


def _summary(call: Call, certificate: Certificate) -> Answer:
    view = certificate_view(call, certificate)
    same = (
        *("CertificateArn", "DomainName", "Status", "Type", "KeyAlgorithm", "RenewalEligibility", "NotBefore"),
        *("NotAfter", "CreatedAt", "IssuedAt", "ImportedAt", "CertificateKeyPairOrigin"),
    )
    names = view.get("SubjectAlternativeNames", [])
    return {
        **{name: view[name] for name in same if name in view},
        "SubjectAlternativeNameSummaries": names[:MAX_SUMMARIZED_NAMES],
        "HasAdditionalSubjectAlternativeNames": len(names) > MAX_SUMMARIZED_NAMES,
        "KeyUsages": [usage["Name"] for usage in view["KeyUsages"]],
        "ExtendedKeyUsages": [usage["Name"] for usage in view["ExtendedKeyUsages"]],
        "ExportOption": "DISABLED",
        "InUse": bool(view["InUseBy"]),
        "Exported": False,
    }
