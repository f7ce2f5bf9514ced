"""What requests to the services of others ask for, so that policies hold there as well.

Their models say which operation a request is, and its members name resources: for what applications use most by the
rules below, else by every ARN among the members, else all resources. Where less is known than AWS knows, more is asked.
"""

from collections.abc import Iterator

from longshore.api.access.asking import ANY, Ask, Need, On, on
from longshore.api.access.smaller import named
from longshore.domain.record import Scope
from longshore.store.store import Reader
from longshore.wire.catalog import Catalog
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.models import Card
from longshore.wire.virtual_host import with_bucket_in_path

S3_ACTIONS = {
    **dict.fromkeys(("HeadObject", "SelectObjectContent"), "GetObject"),
    **dict.fromkeys(("HeadBucket", "ListObjects", "ListObjectsV2"), "ListBucket"),
    **dict.fromkeys(
        ("CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy"), "PutObject"
    ),
    **dict.fromkeys(("DeleteBucketCors", "PutBucketCors"), "PutBucketCORS"),
    **dict.fromkeys(("DeleteBucketEncryption", "PutBucketEncryption"), "PutEncryptionConfiguration"),
    **dict.fromkeys(("DeleteBucketLifecycle", "PutBucketLifecycleConfiguration"), "PutLifecycleConfiguration"),
    **dict.fromkeys(("DeleteBucketReplication", "PutBucketReplication"), "PutReplicationConfiguration"),
    **dict.fromkeys(("DeletePublicAccessBlock", "PutPublicAccessBlock"), "PutBucketPublicAccessBlock"),
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}
"""Actions of S3 that are named otherwise than their operations."""
BATCHES = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage", "PublishBatch": "Publish"}
S3 = "arn:aws:s3:::"


class Others:
    """Reads requests by the models of the services that they are for."""

    def __init__(self) -> None:
        self._catalogs: dict[str, Catalog] = {}

    def asks(self, card: Card, request: HttpRequest, reader: Reader, scope: Scope, principal: str) -> Iterator[Ask]:
        """What a request asks for. A bucket in the host's name may be read as such or not: both are asked for then."""
        for read in dict.fromkeys((request.path, with_bucket_in_path(request).path)):
            operation, params = self.read(card, request._replace(path=read))
            if card.service == "s3":
                operation = S3_ACTIONS.get(operation, operation)
            yield Ask(reader, scope, card.signing_name, BATCHES.get(operation, operation), params, principal)

    def read(self, card: Card, request: HttpRequest) -> tuple[str, dict[str, object]]:
        """The operation and its members; nothing where the service's model doesn't know them."""
        catalog = self._catalogs.get(card.service)
        if catalog is None:
            catalog = self._catalogs[card.service] = Catalog([card.service])
        try:
            target = catalog.identify(request)
            return target.operation, catalog.read(target, request)
        except ApiError:
            return "", {}  # whoever is asked will say what is wrong with it, if its caller may do anything there


def s3(ask: Ask) -> On:
    """Any operation of S3: an object, else a bucket. Which objects a batch deletes stands in its body: any."""
    bucket, key = ask.text("Bucket"), ask.text("Key")
    if not bucket:
        return On((ANY,))
    source = ask.text("CopySource").lstrip("/").partition("?")[0]
    more = [Need("s3:GetObject", S3 + source)] if source else []
    if ask.operation == "DeleteObject" and not key:
        key = "*"
    return on([f"{S3}{bucket}/{key}" if key else S3 + bucket], more=more)


def sqs(ask: Ask) -> On:
    """Any operation of SQS: a queue, by its name or the end of its URL."""
    names = [each.rstrip("/").rpartition("/")[2] for each in ask.texts("QueueUrl", "QueueName")]
    return on(ask.arn("sqs", name) for name in names)


def dynamodb(ask: Ask) -> On:
    """Any operation of DynamoDB: tables, and those in batches and transactions."""
    batch = ask.params.get("RequestItems")
    names = [*ask.texts("TableName", "ResourceArn", "StreamArn"), *(batch if isinstance(batch, dict) else ())]
    for each in ask.params.get("TransactItems") or ():
        names += [one["TableName"] for one in each.values() if isinstance(one, dict) and "TableName" in one]
    return on(each if each.startswith("arn:") else ask.arn("dynamodb", f"table/{each}") for each in names)


def any_arn(ask: Ask) -> On:
    """Whatever ARNs of the service are among the members."""
    own = f"arn:aws:{ask.service}:"
    return on(each for each in ask.texts(*ask.params) if each.startswith(own))


OTHERS = {
    "dynamodb": dynamodb,
    "kinesis": named("kinesis", "stream", "StreamName", "StreamARN"),
    "lambda": named("lambda", "function", "FunctionName", separator=":"),
    "s3": s3,
    "sqs": sqs,
}
"""By signing name."""
