"""IAM: roles, users, groups, their policies and keys; one for all regions. `api/access` decides by them."""

from longshore.api.iam import (
    access_keys,
    account,
    details,
    identities,
    instance_profiles,
    policies,
    providers,
    roles,
    service_linked,
    simulate,
    tags,
    users,
)
from longshore.api.operation import Operation, Service

OPERATIONS: dict[str, Operation] = {
    **access_keys.OPERATIONS,
    **account.OPERATIONS,
    **details.OPERATIONS,
    **identities.OPERATIONS,
    **instance_profiles.OPERATIONS,
    **policies.OPERATIONS,
    **providers.OPERATIONS,
    **roles.OPERATIONS,
    **service_linked.OPERATIONS,
    **simulate.OPERATIONS,
    **tags.OPERATIONS,
    **users.OPERATIONS,
}

SERVICE = Service(
    name="iam",
    operations=OPERATIONS,
    refusal_code="InvalidInput",
    summary="Roles, users, groups, policies, instance profiles, access keys and identity providers",
)
