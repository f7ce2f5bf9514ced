"""AWS Key Management Service: keys that other services, and applications, encrypt, sign and authenticate with."""

from longshore.api.kms import aliases, encryption, grants, keys, policies, rotation, signing, tags
from longshore.api.operation import Service

SERVICE = Service(
    name="kms",
    operations={
        **aliases.OPERATIONS,
        **encryption.OPERATIONS,
        **grants.OPERATIONS,
        **keys.OPERATIONS,
        **policies.OPERATIONS,
        **rotation.OPERATIONS,
        **signing.OPERATIONS,
        **tags.OPERATIONS,
    },
    refusal_code="UnsupportedOperationException",
    summary="Keys, aliases, encryption with contexts, data keys, signatures, MACs; sealed under the master key",
)
