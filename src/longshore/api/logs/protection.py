"""What a log group is protected by: a key of KMS, which is kept, and deletion protection."""

from longshore.api.logs.lookup import Answer, group_at, group_named, invalid
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.log import LogGroup


def associate_kms_key(call: Call) -> Answer:
    """AssociateKmsKey, of a group."""
    key = call.params["kmsKeyId"]
    arn = Arn.parse(key)
    if arn is None or arn.service != "kms" or not arn.resource.startswith("key/"):
        raise invalid("kmsKeyId must be the ARN of a key of KMS.")
    call.tx.put(_group(call).but(kms_key_id=key))
    return {}


def disassociate_kms_key(call: Call) -> Answer:
    """DisassociateKmsKey, of a group."""
    call.tx.put(_group(call).but(kms_key_id=""))
    return {}


def _group(call: Call) -> LogGroup:
    name, identifier = call.params.get("logGroupName"), call.params.get("resourceIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Specify either logGroupName or resourceIdentifier, and not both.")
    if identifier is None:
        return group_named(call, str(name))
    if identifier.endswith(":query-result:*"):
        raise invalid("Longshore has no results of queries to encrypt.")
    return group_at(call, identifier)


def put_log_group_deletion_protection(call: Call) -> Answer:
    """PutLogGroupDeletionProtection."""
    group = group_at(call, call.params["logGroupIdentifier"])
    call.tx.put(group.but(deletion_protected=call.params["deletionProtectionEnabled"]))
    return {}
