"""RequestCertificate: a certificate of the local authority, issued at once. No domain is validated."""

from typing import Any

from longshore.api.acm.authority import issue
from longshore.api.acm.lookup import Answer
from longshore.api.acm.material import facts_of, key_pem
from longshore.api.acm.tags import checked_tags
from longshore.api.common.pem import pem_of
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.certificate import Certificate
from longshore.wire.errors import ApiError

ALGORITHMS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")
"""What can be requested; others can only be imported, as on AWS."""
MAX_NAMES = 100
MAX_FIRST_NAME = 64
"""Of the first name, which is the common name of an X.509 subject."""
REPEAT_S = 3600
"""How long a call with the same token and input is the same request."""


def request_certificate(call: Call) -> Answer:
    """A new certificate; for a repeated call the one that it got before."""
    request = {name: value for name, value in call.params.items() if name != "Tags"}
    before = _issued_before(call, request)
    if before is not None:
        return {"CertificateArn": before.arn}
    names = _names(call)
    algorithm = call.params.get("KeyAlgorithm") or "RSA_2048"
    if algorithm not in ALGORITHMS:
        raise _invalid(f"A certificate with a key of {algorithm} can only be imported, not requested.")
    _check_validation(call.params, names)
    tags = checked_tags({}, call.params.get("Tags"))
    issued = issue(call, names, algorithm)
    made = Certificate(
        account=call.scope.account,
        region=call.scope.region,
        certificate_id=call.ids.uuid(),
        type="AMAZON_ISSUED",
        certificate_pem=pem_of(issued.certificate),
        chain_pem=pem_of(issued.chain),
        sealed_key=call.vault.seal(key_pem(issued.key)),
        created_at=call.now,
        request=request,
        tags=tags,
        **facts_of(issued.certificate)._asdict(),
    )
    call.tx.put(made)
    return {"CertificateArn": made.arn}


def _issued_before(call: Call, request: dict[str, Any]) -> Certificate | None:
    if not call.params.get("IdempotencyToken"):
        return None
    for certificate in call.tx.select(Certificate, "scope", call.scope):
        if certificate.request == request and certificate.created_at > call.now - REPEAT_S:
            return certificate
    return None


def _names(call: Call) -> list[str]:
    """All names in small letters, each once, the domain name first."""
    given = (call.params["DomainName"], *(call.params.get("SubjectAlternativeNames") or ()))
    names = list(dict.fromkeys(name.lower() for name in given))
    if len(names[0]) > MAX_FIRST_NAME:
        raise _invalid(f"The first domain name can have at most {MAX_FIRST_NAME} characters.")
    if len(names) > MAX_NAMES:
        raise ApiError("LimitExceededException", f"A certificate can have at most {MAX_NAMES} names.")
    return names


def _check_validation(params: dict[str, Any], names: list[str]) -> None:
    """Options for validating domains must make sense, although nothing is validated."""
    for option in params.get("DomainValidationOptions") or ():
        domain, validation = option["DomainName"].lower(), option["ValidationDomain"].lower()
        if domain not in names or not f".{domain.removeprefix('*.')}".endswith(f".{validation}"):
            text = f"{domain} must be a name of the certificate, and {validation} the same or a domain above it."
            raise ApiError("InvalidDomainValidationOptionsException", text)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)


OPERATION = Operation(
    request_certificate,
    refuses={
        "ValidationMethod": "Longshore validates no domains: leave ValidationMethod out, or use DNS or EMAIL.",
        "CertificateAuthorityArn": "Longshore has no private certificate authorities: its own local one issues.",
        "ManagedBy": "Longshore has no CloudFront that could manage certificates.",
        "Options.Export": "Longshore doesn't export certificates yet: request one without Export.",
        "Options.ValidationMethod": "Longshore validates no domains: leave ValidationMethod out, or use DNS or EMAIL.",
    },
    allowed={
        "ValidationMethod": ("DNS", "EMAIL"),
        "Options.Export": ("DISABLED",),
        "Options.ValidationMethod": ("DNS", "EMAIL"),
    },
    inert={
        "ValidationMethod": "Certificates are issued at once; DNS answers the records that AWS would ask for.",
        "Options.CertificateTransparencyLoggingPreference": "Kept and answered; there is no public log to write to.",
    },
)
