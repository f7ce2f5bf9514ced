"""AWS Certificate Manager: imported certificates, and those of a local authority, for listeners."""

from longshore.api.acm.certificates import (
    delete_certificate,
    describe_certificate,
    get_certificate,
    list_certificates,
)
from longshore.api.acm.importing import import_certificate
from longshore.api.acm.requesting import OPERATION as REQUEST
from longshore.api.acm.tags import add_tags_to_certificate, list_tags_for_certificate, remove_tags_from_certificate
from longshore.api.operation import Operation, Service

SERVICE = Service(
    name="acm",
    operations={
        "AddTagsToCertificate": Operation(add_tags_to_certificate),
        "DeleteCertificate": Operation(delete_certificate),
        "DescribeCertificate": Operation(describe_certificate),
        "GetCertificate": Operation(get_certificate),
        "ImportCertificate": Operation(import_certificate),
        "ListCertificates": Operation(list_certificates),
        "ListTagsForCertificate": Operation(list_tags_for_certificate),
        "RemoveTagsFromCertificate": Operation(remove_tags_from_certificate),
        "RequestCertificate": REQUEST,
    },
    refusal_code="InvalidParameterException",
    summary="Certificates: imported, or issued by a local authority",
)
