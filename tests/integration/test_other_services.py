"""Services that Longshore doesn't serve: moto in the process, another server, or a clear answer. With boto3."""

import functools
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from longshore.api.callers.credentials import KeyPair
from longshore.domain.ecs.cluster import Cluster
from longshore.drivers.elsewhere.forward import Forward
from longshore.drivers.elsewhere.moto import Moto
from tests.support.moto_server import moto_server
from tests.support.object_chunks import signed_upload
from tests.support.server import free_port
from tests.support.serving import ACCOUNT, REGION, Serving

LARGE = bytes(range(256)) * 80_000  # 20 MB: more than our own APIs take
WRONG = KeyPair("AKIAAAAAAAAAAAAAAAAA", "wrong")
OTHER_ACCOUNT = KeyPair("111122223333", "x")


@pytest.fixture(scope="module")
def with_moto() -> Iterator[Serving]:
    with Serving(everything_else=Moto()) as serving:
        yield serving


@pytest.fixture(scope="module")
def signed() -> Iterator[Serving]:
    with Serving(auth=True, everything_else=Moto()) as serving:
        yield serving


@pytest.fixture(scope="module")
def plain() -> Iterator[Serving]:
    with Serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def forwarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        elsewhere = Forward(url)
        forwards = dict.fromkeys(("s3", "sqs", "dynamodb", "sns"), elsewhere)
        with Serving(forwards=forwards) as serving:
            yield serving


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def round_trips(serving: Serving) -> None:
    """What an application does with the three that it uses most."""
    s3, sqs, dynamodb = (serving.client(service) for service in ("s3", "sqs", "dynamodb"))
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a/b c+d%é", Body=LARGE, Metadata={"my_key": "v"})
    got = s3.get_object(Bucket="files", Key="a/b c+d%é")
    assert got["Body"].read() == LARGE
    assert got["Metadata"] == {"my_key": "v"}
    assert s3.head_object(Bucket="files", Key="a/b c+d%é")["ContentLength"] == len(LARGE)
    assert s3.get_object(Bucket="files", Key="a/b c+d%é", Range="bytes=1-3")["Body"].read() == LARGE[1:4]
    upload = s3.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    half = len(LARGE) // 2
    parts = []
    for number, piece in enumerate((LARGE[:half], LARGE[half:]), 1):
        put = s3.upload_part(Bucket="files", Key="parts", UploadId=upload, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": put["ETag"]})
    s3.complete_multipart_upload(Bucket="files", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="files", Key="parts")["Body"].read() == LARGE
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="files", Key="none")
    assert error_of(caught) == ("NoSuchKey", 404)

    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=queue)["Messages"]] == ["one"]

    key = {"AttributeName": "id", "AttributeType": "S"}
    schema = [{"AttributeName": "id", "KeyType": "HASH"}]
    dynamodb.create_table(TableName="t", AttributeDefinitions=[key], KeySchema=schema, BillingMode="PAY_PER_REQUEST")
    dynamodb.put_item(TableName="t", Item={"id": {"S": "a"}, "n": {"N": "1"}})
    assert dynamodb.get_item(TableName="t", Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "1"}


def test_moto_answers_in_the_same_process_what_is_not_served(with_moto: Serving) -> None:
    round_trips(with_moto)
    assert with_moto.client("sns").create_topic(Name="t")["TopicArn"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
    assert with_moto.client("lambda").list_functions()["Functions"] == []
    assert with_moto.client("ecs").list_clusters()["clusterArns"] == []


@pytest.mark.parametrize(
    ("service", "operation", "asked", "code"),
    [
        ("ecr-public", "GetAuthorizationToken", {}, "UnknownOperationException"),  # moto lacks the service
        ("dynamodb", "DescribeKinesisStreamingDestination", {"TableName": "t"}, "UnknownOperationException"),
        ("sns", "GetDataProtectionPolicy", {"ResourceArn": "arn:aws:sns:us-east-1:1:t"}, "InvalidAction"),
        ("lambda", "ListProvisionedConcurrencyConfigs", {"FunctionName": "f"}, "UnknownOperationException"),
        ("xray", "GetSamplingRules", {}, "UnknownOperationException"),
        ("sesv2", "GetAccount", {}, "UnknownOperationException"),
        ("lex-models", "GetBots", {}, "UnknownOperationException"),  # an empty answer of moto's
        ("mailmanager", "ListAddressLists", {}, "UnknownOperationException"),  # signs as another service
    ],
)
def test_what_moto_lacks_is_said_with_its_name_and_how_to_have_it(
    with_moto: Serving, service: str, operation: str, asked: Any, code: str
) -> None:
    client = with_moto.client(service)
    with pytest.raises(ClientError) as caught:
        client._make_api_call(operation, asked)
    assert error_of(caught) == (code, 400)
    message = caught.value.response["Error"]["Message"]
    assert f"moto (in memory) doesn't have the operation {operation} of the service {service!r}" in message
    assert f"--forward {service}=URL" in message


def test_what_moto_has_not_found_stays_its_own_answer(with_moto: Serving) -> None:
    with_moto.client("s3").create_bucket(Bucket="empty")
    with pytest.raises(ClientError) as caught:
        with_moto.client("s3").head_object(Bucket="empty", Key="k")
    assert error_of(caught) == ("404", 404)
    with pytest.raises(ClientError) as caught:
        with_moto.client("lambda").get_function(FunctionName="none")
    assert error_of(caught) == ("ResourceNotFoundException", 404)


def vpc_with_subnets(serving: Serving, zones: str = "ab") -> tuple[str, list[str], str]:
    """The ids of a new VPC, its subnets and a security group in it."""
    ec2 = serving.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
        for number, zone in enumerate(zones)
    ]
    group = ec2.create_security_group(GroupName="data", Description="of data", VpcId=vpc)["GroupId"]
    return vpc, [subnet["SubnetId"] for subnet in subnets], group


def test_moto_knows_the_roles_that_are_here_while_they_are(with_moto: Serving) -> None:
    iam, functions = with_moto.client("iam"), with_moto.client("lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusting = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="runs", Path="/f/", AssumeRolePolicyDocument=trusting)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.py", "def f(event, context): return 1")
    asked = {"Runtime": "python3.12", "Handler": "a.f", "Code": {"ZipFile": packed.getvalue()}}
    made = functions.create_function(FunctionName="one", Role=role, **asked)
    assert made["Role"] == role
    for unknown in (role.replace("runs", "walks"), role.replace(ACCOUNT, "111122223333")):
        with pytest.raises(ClientError):
            functions.create_function(FunctionName="two", Role=unknown, **asked)
    iam.delete_role(RoleName="runs")
    with pytest.raises(ClientError) as caught:
        functions.create_function(FunctionName="two", Role=role, **asked)
    assert "cannot be assumed by Lambda" in caught.value.response["Error"]["Message"]


@pytest.mark.filterwarnings("ignore:.*does not match an error shape")  # moto's own, of EC2's error codes
def test_moto_knows_the_networks_that_are_here_while_they_are(with_moto: Serving) -> None:
    vpc, subnets, group = vpc_with_subnets(with_moto)
    rds, cache, efs = (with_moto.client(service) for service in ("rds", "elasticache", "efs"))
    named = {"DBSubnetGroupDescription": "d", "SubnetIds": subnets}
    made = rds.create_db_subnet_group(DBSubnetGroupName="g", **named)["DBSubnetGroup"]
    assert made["VpcId"] == vpc
    assert {each["SubnetAvailabilityZone"]["Name"] for each in made["Subnets"]} == {f"{REGION}a", f"{REGION}b"}
    cached = cache.create_cache_subnet_group(
        CacheSubnetGroupName="g", CacheSubnetGroupDescription="d", SubnetIds=subnets
    )
    assert cached["CacheSubnetGroup"]["VpcId"] == vpc
    files = efs.create_file_system(CreationToken="t")["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=files, SubnetId=subnets[0], SecurityGroups=[group])
    assert (target["VpcId"], target["AvailabilityZoneName"]) == (vpc, f"{REGION}a")
    classic = with_moto.client("elb")
    classic.create_load_balancer(
        LoadBalancerName="c",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        Subnets=subnets,
        SecurityGroups=[group],
    )
    shown = classic.describe_load_balancers(LoadBalancerNames=["c"])["LoadBalancerDescriptions"][0]
    assert (shown["VPCId"], set(shown["Subnets"])) == (vpc, set(subnets))
    classic.delete_load_balancer(LoadBalancerName="c")
    with_moto.client("ec2").delete_subnet(SubnetId=subnets[1])
    with pytest.raises(ClientError) as caught:
        rds.create_db_subnet_group(DBSubnetGroupName="h", **named)
    assert subnets[1] in caught.value.response["Error"]["Message"]
    elsewhere = with_moto.client("rds", region="eu-west-1")
    with pytest.raises(ClientError):
        elsewhere.create_db_subnet_group(DBSubnetGroupName="h", DBSubnetGroupDescription="d", SubnetIds=subnets[:1])


def test_moto_keeps_accounts_and_regions_apart(with_moto: Serving) -> None:
    def queues(**options: Any) -> list[str]:
        return [url.rpartition("/")[2] for url in with_moto.client("sqs", **options).list_queues().get("QueueUrls", [])]

    made = with_moto.client("sqs", keys=OTHER_ACCOUNT, region="eu-west-1").create_queue(QueueName="theirs")
    assert "/111122223333/" in made["QueueUrl"]
    assert queues(keys=OTHER_ACCOUNT, region="eu-west-1") == ["theirs"]
    assert queues(keys=OTHER_ACCOUNT) == []
    assert "theirs" not in queues(region="eu-west-1")


def test_a_bucket_is_its_account_s_own_but_for_what_is_public(with_moto: Serving) -> None:
    theirs, ours = with_moto.client("s3", keys=OTHER_ACCOUNT), with_moto.client("s3")
    theirs.create_bucket(Bucket="of-another")
    theirs.put_object(Bucket="of-another", Key="k", Body=b"x")
    theirs.put_object(Bucket="of-another", Key="open", Body=b"for all", ACL="public-read")
    ours.create_bucket(Bucket="of-ours")
    for call, asked in (
        (ours.list_objects_v2, {}),
        (ours.get_object, {"Key": "k"}),
        (ours.delete_object, {"Key": "k"}),
        (ours.put_object, {"Key": "k", "Body": b"y"}),
        (ours.get_bucket_tagging, {}),
        (ours.delete_bucket, {}),
    ):
        with pytest.raises(ClientError) as caught:
            call(Bucket="of-another", **asked)
        assert error_of(caught)[1] == 403, call.__name__
    with pytest.raises(ClientError) as caught:
        ours.head_bucket(Bucket="of-another")
    assert error_of(caught) == ("403", 403)
    with pytest.raises(ClientError) as caught:
        ours.copy_object(Bucket="of-ours", Key="k", CopySource="of-another/k")
    assert error_of(caught)[1] == 403
    assert theirs.get_object(Bucket="of-another", Key="k")["Body"].read() == b"x"
    assert httpx.get(f"{with_moto.url}/of-another/open").text == "for all"
    assert httpx.get(f"{with_moto.url}/of-another/k").status_code == 403
    presigned = theirs.generate_presigned_url("get_object", {"Bucket": "of-another", "Key": "k"})
    assert httpx.get(presigned).content == b"x"


def test_another_service_that_signs_with_our_name_is_told_apart_by_its_version(with_moto: Serving) -> None:
    assert with_moto.client("elb").describe_load_balancers()["LoadBalancerDescriptions"] == []
    assert with_moto.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_requests_of_ours_are_answered_while_a_queue_is_polled(with_moto: Serving) -> None:
    sqs = with_moto.client("sqs")
    queue = sqs.create_queue(QueueName="slow")["QueueUrl"]
    got: list[Any] = []
    poll = threading.Thread(target=lambda: got.append(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=15)))
    poll.start()
    for _ in range(20):
        assert with_moto.client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert not got
    sqs.send_message(QueueUrl=queue, MessageBody="woken")
    poll.join(30)
    assert [each["Body"] for each in got[0]["Messages"]] == ["woken"]


def test_unsigned_and_presigned_requests_reach_buckets(with_moto: Serving) -> None:
    s3 = with_moto.client("s3")
    s3.create_bucket(Bucket="public")
    s3.put_object(Bucket="public", Key="page", Body=b"hello", ACL="public-read")
    assert httpx.get(f"{with_moto.url}/public/page").text == "hello"
    by_name = httpx.get(f"{with_moto.url}/page", headers={"host": f"public.localhost:{with_moto.port}"})
    assert by_name.text == "hello"
    for version in ("s3", "s3v4"):  # signatures of version 2 and 4
        signer = with_moto.client("s3", signature_version=version)
        put = signer.generate_presigned_url("put_object", {"Bucket": "public", "Key": version})
        assert httpx.put(put, content=LARGE).status_code == 200
        got = signer.generate_presigned_url("get_object", {"Bucket": "public", "Key": version})
        assert httpx.get(got).content == LARGE
    assert httpx.get(f"{with_moto.url}/").status_code == 404
    assert httpx.get(f"{with_moto.url}/moto-api/data.json").status_code == 404


def test_no_web_page_reads_an_answer_or_reaches_a_bucket_from_elsewhere(with_moto: Serving) -> None:
    s3 = with_moto.client("s3")
    s3.create_bucket(Bucket="pages")
    s3.put_object(Bucket="pages", Key="k", Body=b"hello", ACL="public-read")
    answer = httpx.get(f"{with_moto.url}/pages/k", headers={"origin": "http://localhost:3000"})
    assert answer.text == "hello"
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert httpx.get(f"{with_moto.url}/pages/k", headers={"origin": "https://evil.example"}).status_code == 403
    claim = f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=a"
    rebound = httpx.get(f"{with_moto.url}/pages/k", headers={"host": "evil.example", "authorization": claim})
    assert rebound.status_code == 403
    assert "<Code>AccessDeniedException</Code>" in rebound.text


def test_headers_that_only_moto_knows_choose_no_account(with_moto: Serving) -> None:
    client = with_moto.client("sqs")
    client.meta.events.register(
        "before-sign.sqs", lambda request, **_: request.headers.add_header("x-moto-account-id", "999999999999")
    )
    assert f"/{ACCOUNT}/" in client.create_queue(QueueName="mine")["QueueUrl"]


def test_signatures_are_checked_before_moto_is_asked(signed: Serving) -> None:
    signed.client("s3").create_bucket(Bucket="locked")
    signed.client("s3").put_object(Bucket="locked", Key="k k", Body=LARGE)
    assert signed.client("s3").get_object(Bucket="locked", Key="k k")["Body"].read() == LARGE
    assert signed.client("sqs").create_queue(QueueName="locked")["QueueUrl"]
    for service, code, status in (("s3", "InvalidAccessKeyId", 403), ("sqs", "UnrecognizedClientException", 400)):
        client = signed.client(service, keys=WRONG)
        with pytest.raises(ClientError) as caught:
            client.list_buckets() if service == "s3" else client.list_queues()
        assert error_of(caught) == (code, status)
    bad = KeyPair(signed.credentials.root().access_key_id, "wrong")
    with pytest.raises(ClientError) as caught:
        signed.client("s3", keys=bad).put_object(Bucket="locked", Key="k", Body=b"x")
    assert error_of(caught) == ("SignatureDoesNotMatch", 403)
    assert httpx.get(f"{signed.url}/locked/k").status_code in {400, 403}
    presigner = signed.client("s3", signature_version="s3v4")
    url = presigner.generate_presigned_url("get_object", {"Bucket": "locked", "Key": "k k"})
    assert httpx.get(url).content == LARGE
    assert httpx.get(url.replace("k%20k", "other")).status_code == 403


def test_a_body_other_than_the_one_that_was_signed_is_refused(signed: Serving) -> None:
    s3 = signed.client("s3")
    s3.create_bucket(Bucket="whole")
    kept: dict[str, Any] = {}
    s3.meta.events.register("before-send.s3", lambda request, **_: kept.update(request=request))
    s3.put_object(Bucket="whole", Key="k", Body=b"signed")
    request = kept["request"]
    headers = {name: value if isinstance(value, str) else value.decode() for name, value in request.headers.items()}
    answer = httpx.put(request.url, headers=headers, content=b"others")
    assert (answer.status_code, "XAmzContentSHA256Mismatch" in answer.text) == (400, True)
    assert s3.get_object(Bucket="whole", Key="k")["Body"].read() == b"signed"


@pytest.mark.parametrize("trailer", [None, ("x-amz-checksum-crc32", "DUoRhQ==")])
def test_signed_chunks_are_checked_each(signed: Serving, trailer: tuple[str, str] | None) -> None:
    s3 = signed.client("s3")
    s3.create_bucket(Bucket="chunks")
    url = f"{signed.url}/chunks/k"
    chunks = [b"hello ", b"world"]
    headers, body = signed_upload(url, signed.credentials.root(), chunks, time.time(), trailer=trailer)
    assert httpx.put(url, headers=headers, content=body).status_code == 200
    assert s3.get_object(Bucket="chunks", Key="k")["Body"].read() == b"hello world"
    answer = httpx.put(url, headers=headers, content=body.replace(b"world", b"w0rld"))
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)
    answer = httpx.put(url, headers=headers, content=body[:-40] if trailer else body[:60])
    assert answer.status_code in {400, 403}
    assert s3.get_object(Bucket="chunks", Key="k")["Body"].read() == b"hello world"


def allowing(*statements: tuple[str | list[str], str]) -> str:
    allowed = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


MINE = allowing(
    (["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::mine/in/*"),
    ("s3:ListBucket", "arn:aws:s3:::mine"),
    (["sqs:GetQueueUrl", "sqs:SendMessage"], f"arn:aws:sqs:{REGION}:{ACCOUNT}:mine"),
    ("dynamodb:*", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mine"),
    ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:mine"),
)


def refused(call: Callable[..., Any], **params: Any) -> bool:
    """Whether a call is not allowed."""
    try:
        call(**params)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}:
            raise
        return True
    return False


def held_to_policies(serving: Serving, client: Callable[..., Any]) -> None:
    """A caller with the policy MINE, and nothing else."""
    s3, sqs, dynamodb, sns = (client(service) for service in ("s3", "sqs", "dynamodb", "sns"))
    s3.put_object(Bucket="mine", Key="in/a", Body=LARGE)
    assert s3.get_object(Bucket="mine", Key="in/a")["Body"].read() == LARGE
    assert s3.list_objects_v2(Bucket="mine")["KeyCount"] == 1
    upload = s3.create_multipart_upload(Bucket="mine", Key="in/b")["UploadId"]
    assert refused(s3.list_parts, Bucket="mine", Key="in/b", UploadId=upload)
    assert refused(s3.put_object, Bucket="mine", Key="out/a", Body=LARGE)
    assert refused(s3.delete_object, Bucket="mine", Key="in/a")
    assert refused(s3.get_object, Bucket="theirs", Key="in/a")
    assert refused(s3.copy_object, Bucket="mine", Key="in/c", CopySource="theirs/in/a")
    assert refused(s3.list_buckets)
    assert refused(s3.delete_objects, Bucket="mine", Delete={"Objects": [{"Key": "in/a"}]})
    queue = sqs.get_queue_url(QueueName="mine")["QueueUrl"]
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "MessageBody": "b"}])
    assert refused(sqs.receive_message, QueueUrl=queue)
    assert refused(sqs.send_message, QueueUrl=queue.replace("mine", "theirs"), MessageBody="x")
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.get_item(TableName="mine", Key={"id": {"S": "a"}})
    assert refused(dynamodb.get_item, TableName="theirs", Key={"id": {"S": "a"}})
    both = {"mine": {"Keys": [{"id": {"S": "a"}}]}, "theirs": {"Keys": [{"id": {"S": "a"}}]}}
    assert refused(dynamodb.batch_get_item, RequestItems=both)
    assert refused(sns.publish, TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:theirs", Message="m")
    assert refused(client("lambda").list_functions)
    assert serving.client("s3").list_buckets()["Buckets"]


def test_a_task_may_do_there_what_its_role_says_and_no_more(signed: Serving) -> None:
    for bucket in ("mine", "theirs"):
        signed.client("s3").create_bucket(Bucket=bucket)
        signed.client("sqs").create_queue(QueueName=bucket)
    signed.client("s3").put_object(Bucket="theirs", Key="in/a", Body=b"secret", ACL="public-read")
    iam = signed.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusting = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trusting)["Role"]["Arn"]
    iam.put_role_policy(RoleName="app", PolicyName="mine", PolicyDocument=MINE)
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/0123456789abcdef0123456789abcdef"
    made = signed.credentials.for_task(arn, role, time.time())
    keys = KeyPair(made["AccessKeyId"], made["SecretAccessKey"])
    held_to_policies(signed, functools.partial(signed.client, keys=keys, aws_session_token=made["Token"]))


def test_a_user_is_held_to_policies_there_too(with_moto: Serving) -> None:
    for bucket in ("mine", "theirs"):
        with_moto.client("s3").create_bucket(Bucket=bucket)
        with_moto.client("sqs").create_queue(QueueName=bucket)
    with_moto.client("s3").put_object(Bucket="theirs", Key="in/a", Body=b"x")
    with_moto.client("s3").delete_object(Bucket="mine", Key="in/a")
    iam = with_moto.client("iam")
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="mine", PolicyDocument=MINE)
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = KeyPair(made["AccessKeyId"], made["SecretAccessKey"])
    held_to_policies(with_moto, functools.partial(with_moto.client, keys=keys))
    # A bucket in the host name is read both ways: neither hides the other.
    scope = f"Credential={keys.access_key_id}/20260101/{REGION}/s3/aws4_request"
    headers = {
        "host": f"theirs.localhost:{with_moto.port}",
        "authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=a",
    }
    assert httpx.get(f"{with_moto.url}/mine/in/a", headers=headers).status_code == 403
    assert httpx.get(f"{with_moto.url}/in/a", headers=headers).status_code == 403
    headers["host"] = f"mine.localhost:{with_moto.port}"
    assert httpx.get(f"{with_moto.url}/theirs/in/a", headers=headers).status_code == 403


def test_forwarded_services_are_another_server_s(forwarding: Serving) -> None:
    round_trips(forwarding)
    topic = forwarding.client("sns").create_topic(Name="t")["TopicArn"]
    assert [each["TopicArn"] for each in forwarding.client("sns").list_topics()["Topics"]] == [topic]
    with pytest.raises(ClientError) as caught:
        forwarding.client("lambda").list_functions()
    assert "--forward lambda=URL" in caught.value.response["Error"]["Message"]


def test_a_server_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Serving(forwards={"s3": Forward(url), "sqs": Forward(url)}) as serving:
        for service, operation in (("s3", "list_buckets"), ("sqs", "list_queues")):
            with pytest.raises(ClientError) as caught:
                getattr(serving.client(service), operation)()
            assert error_of(caught) == ("ServiceUnavailable", 503)
            assert f"{url} does not answer" in caught.value.response["Error"]["Message"]


def test_a_service_of_ours_is_forwarded_where_that_is_asked_for(tmp_path: Path) -> None:
    with moto_server(tmp_path) as url, Serving(forwards={"ecs": Forward(url), "elbv2": Forward(url)}) as serving:
        serving.client("ecs").create_cluster(clusterName="theirs")
        assert len(serving.client("ecs").list_clusters()["clusterArns"]) == 1
        assert serving.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
        assert serving.client("logs").describe_log_groups()["logGroups"] == []
        assert list(serving.store.all(Cluster)) == []


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "UnknownOperationException"),
        ("sqs", "list_queues", "UnknownOperationException"),
        ("sns", "list_topics", "InvalidAction"),
        ("dynamodb", "list_tables", "UnknownOperationException"),
        ("lambda", "list_functions", "UnknownOperationException"),
        ("elb", "describe_load_balancers", "InvalidAction"),
        ("dynamodbstreams", "list_streams", "UnknownOperationException"),
        ("cloudfront", "list_distributions", "UnknownOperationException"),
        ("ses", "list_identities", "InvalidAction"),
        ("sesv2", "get_account", "UnknownOperationException"),
    ],
)
def test_without_anybody_the_answer_says_which_service_it_was_and_how_to_have_it(
    plain: Serving, service: str, operation: str, code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(plain.client(service), operation)()
    assert error_of(caught)[0] == code
    message = caught.value.response["Error"]["Message"]
    assert f"service {service!r}" in message
    assert "--with moto" in message
    assert f"--forward {service}=URL" in message


def test_a_path_that_is_nothing_stays_unknown(plain: Serving) -> None:
    answer = httpx.get(f"{plain.url}/bucket/key")
    assert answer.status_code == 404
    assert "No AWS operation" in answer.text
