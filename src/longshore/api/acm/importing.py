"""ImportCertificate: a user's own certificate, and the one that takes its place later."""

from typing import Any

from longshore.api.acm.lookup import Answer, find_certificate
from longshore.api.acm.material import (
    check_chain,
    check_pair,
    check_validity,
    facts_of,
    invalid,
    key_pem,
    read_certificate,
    read_chain,
    read_key,
)
from longshore.api.acm.tags import checked_tags
from longshore.api.common.pem import pem_of
from longshore.api.operation import Call
from longshore.domain.elbv2.certificate import Certificate


def import_certificate(call: Call) -> Answer:
    """A new certificate, or new contents for one that was imported before."""
    contents = _checked_contents(call)
    if call.params.get("CertificateArn"):
        made = _imported_before(call, contents["key_algorithm"]).but(imported_at=call.now, **contents)
    else:
        made = Certificate(
            account=call.scope.account,
            region=call.scope.region,
            certificate_id=call.ids.uuid(),
            type="IMPORTED",
            created_at=call.now,
            imported_at=call.now,
            tags=checked_tags({}, call.params.get("Tags")),
            **contents,
        )
    call.tx.put(made)
    return {"CertificateArn": made.arn}


def _checked_contents(call: Call) -> dict[str, Any]:
    """The fields of the record that come from what is imported; the key is sealed. Raises ValidationException."""
    params = call.params
    certificate = read_certificate(params["Certificate"])
    chain = read_chain(params["CertificateChain"]) if params.get("CertificateChain") else []
    key = read_key(params["PrivateKey"])
    facts = facts_of(certificate)
    check_pair(certificate, key)
    check_validity(certificate, call.now)
    check_chain(certificate, chain)
    pems = {"certificate_pem": pem_of(certificate), "chain_pem": pem_of(*chain)}
    return {**facts._asdict(), **pems, "sealed_key": call.vault.seal(key_pem(key))}


def _imported_before(call: Call, key_algorithm: str) -> Certificate:
    """The certificate that gets new contents. Raises ValidationException where it can't."""
    before = find_certificate(call)
    if before.type != "IMPORTED":
        raise invalid(f"Certificate {before.arn} was not imported, so that nothing can be imported in its place.")
    if call.params.get("Tags"):
        raise invalid("Tagging is not permitted on re-import.")
    if before.key_algorithm != key_algorithm:
        raise invalid(f"The key of a certificate that is imported again must be {before.key_algorithm}, as before.")
    return before
