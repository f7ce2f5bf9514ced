"""Logs, EC2 and STS through real HTTP: boto3 and the AWS CLI, as a user has them."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.serving import ACCOUNT, REGION, Serving, furnished


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    with furnished() as running:
        yield running


@pytest.fixture
def group(serving: Serving, request: pytest.FixtureRequest) -> str:
    name = f"/{request.node.name}"
    serving.client("logs").create_log_group(logGroupName=name)
    return name


def put(serving: Serving, group: str, stream: str, *messages: str) -> int:
    """Write lines, now; the time of the first."""
    logs = serving.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    at = int(time.time() * 1000)
    events = [{"timestamp": at + number, "message": text} for number, text in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return at


def cli(serving: Serving, *arguments: str) -> Any:
    """The AWS CLI's answer."""
    keys = serving.credentials.root()
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": serving.url,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
    }
    program = str(Path(sys.executable).parent / "aws")
    done = subprocess.run(
        [program, "--output", "json", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_follower_that_polls_as_logs_tail_sees_every_line_once(serving: Serving, group: str) -> None:
    logs = serving.client("logs")
    put(serving, group, "web/1", "one", "two")
    asked: dict[str, Any] = {"logGroupName": group, "interleaved": True, "startTime": int(time.time() * 1000) - 60_000}
    seen: dict[str, str] = {}
    for added in ((), ("three",), ("four", "five")):
        if added:
            put(serving, group, "web/2", *added)
        while True:
            answer = logs.filter_log_events(**asked, limit=2)
            for event in answer["events"]:
                seen.setdefault(event["eventId"], event["message"])
                asked["startTime"] = max(asked["startTime"], event["timestamp"])
            if "nextToken" not in answer:
                asked.pop("nextToken", None)
                break
            asked["nextToken"] = answer["nextToken"]
    assert sorted(seen.values()) == ["five", "four", "one", "three", "two"]


def test_paginators_of_boto3_end(serving: Serving, group: str) -> None:
    logs = serving.client("logs")
    for number in range(7):
        put(serving, group, f"s{number}", *(f"{number}.{line}" for line in range(5)))
    found = [
        event["message"]
        for page in logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern="%\\.[13]$%", PaginationConfig={"PageSize": 3}
        )
        for event in page["events"]
    ]
    assert sorted(found) == sorted(f"{number}.{line}" for number in range(7) for line in (1, 3))
    streams = [
        stream["logStreamName"]
        for page in logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2}
        )
        for stream in page["logStreams"]
    ]
    assert streams == sorted(streams, reverse=True)
    assert len(streams) == 7


def test_cli_reads_a_stream(serving: Serving, group: str) -> None:
    put(serving, group, "web/1", "héllo", '{"level": "ERROR"}')
    answer = cli(serving, "logs", "get-log-events", "--log-group-name", group, "--log-stream-name", "web/1")
    assert [event["message"] for event in answer["events"]] == ["héllo", '{"level": "ERROR"}']
    pattern = '{ $.level = "ERROR" }'
    answer = cli(serving, "logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", pattern)
    assert [event["logStreamName"] for event in answer["events"]] == ["web/1"]


def test_unsuitable_patterns_are_modelled_errors(serving: Serving, group: str) -> None:
    logs = serving.client("logs")
    for pattern in ("{ $.a", "%(a+)+$%", "[" * 1000, "a-b"):
        with pytest.raises(logs.exceptions.InvalidParameterException, match="Invalid filter pattern"):
            logs.filter_log_events(logGroupName=group, filterPattern=pattern)


def test_ec2_describes_through_its_xml(serving: Serving) -> None:
    ec2 = serving.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16"
    pages = ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}], PaginationConfig={"PageSize": 5}
    )
    assert [subnet["AvailabilityZone"] for page in pages for subnet in page["Subnets"]] != []
    (group,) = ec2.describe_security_groups()["SecurityGroups"]
    assert group["IpPermissionsEgress"][0]["IpRanges"][0]["CidrIp"] == "0.0.0.0/0"
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("describe_vpcs", {"VpcIds": ["vpc-0"]}, "InvalidVpcID.NotFound"),
        ("describe_vpcs", {"DryRun": True}, "DryRunOperation"),
        ("describe_subnets", {"Filters": [{"Name": "nope", "Values": ["x"]}]}, "InvalidParameterValue"),
    ],
)
def test_ec2_errors_have_their_codes(serving: Serving, operation: str, params: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(serving.client("ec2"), operation)(**params)
    assert caught.value.response["Error"]["Code"] == code


def test_cli_knows_who_it_is(serving: Serving) -> None:
    assert cli(serving, "sts", "get-caller-identity")["Account"] == ACCOUNT
