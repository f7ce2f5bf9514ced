"""CloudWatch Logs through its handlers: groups, streams, batches, pages, searches."""

from typing import Any

import pytest

from longshore.api import logs
from longshore.store.events import EventLog
from tests.support.api import Api

ARN = "arn:aws:logs:us-east-1:123456789012:log-group:/app"
DAY_MS = 86_400_000


@pytest.fixture
def api() -> Api:
    made = Api(logs.SERVICE.operations, service="logs")
    made.events = EventLog(None)
    made("CreateLogGroup", logGroupName="/app")
    for name in ("web/1", "web/2", "db/1"):
        made("CreateLogStream", logGroupName="/app", logStreamName=name)
    return made


def now_ms(api: Api) -> int:
    return int(api.now * 1000)


def put(api: Api, stream: str, *messages: str, at: int | None = None) -> dict[str, Any]:
    first = now_ms(api) if at is None else at
    events = [{"timestamp": first + number, "message": text} for number, text in enumerate(messages)]
    return api("PutLogEvents", logGroupName="/app", logStreamName=stream, logEvents=events)


def get(api: Api, **params: Any) -> tuple[list[str], str, str]:
    answer = api("GetLogEvents", logGroupName="/app", logStreamName="web/1", **params)
    return [event["message"] for event in answer["events"]], answer["nextForwardToken"], answer["nextBackwardToken"]


def find(api: Api, **params: Any) -> tuple[list[str], str | None]:
    answer = api("FilterLogEvents", logGroupName="/app", **params)
    return [event["message"] for event in answer["events"]], answer.get("nextToken")


# Groups


def test_group_has_what_terraform_reads(api: Api) -> None:
    api("PutRetentionPolicy", logGroupName="/app", retentionInDays=7)
    (group,) = api("DescribeLogGroups", logGroupNamePrefix="/app")["logGroups"]
    assert group["arn"] == f"{ARN}:*"
    assert group["logGroupArn"] == ARN
    assert group["retentionInDays"] == 7
    assert group["creationTime"] == now_ms(api)
    api("DeleteRetentionPolicy", logGroupName="/app")
    assert "retentionInDays" not in api("DescribeLogGroups")["logGroups"][0]


def test_groups_are_found_by_prefix_pattern_and_identifier(api: Api) -> None:
    for name in ("/App/two", "other"):
        api("CreateLogGroup", logGroupName=name)

    def names(**params: Any) -> list[str]:
        return [group["logGroupName"] for group in api("DescribeLogGroups", **params)["logGroups"]]

    assert names() == ["/App/two", "/app", "other"]
    assert names(logGroupNamePrefix="/app") == ["/app"]
    assert names(logGroupNamePattern="pp") == ["/App/two", "/app"]
    assert names(logGroupNamePattern="App") == ["/App/two"]
    assert names(logGroupNamePattern="APP") == []
    assert names(logGroupIdentifiers=["other", f"{ARN}:*"]) == ["/app", "other"]


def test_pages_of_groups_hold_each_once(api: Api) -> None:
    for number in range(7):
        api("CreateLogGroup", logGroupName=f"g{number}")
    first = api("DescribeLogGroups", limit=5)
    rest = api("DescribeLogGroups", limit=5, nextToken=first["nextToken"])
    assert len(first["logGroups"]) == 5
    assert len(rest["logGroups"]) == 3
    assert "nextToken" not in rest


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("CreateLogGroup", {"logGroupName": "/app"}, "ResourceAlreadyExistsException"),
        ("DeleteLogGroup", {"logGroupName": "none"}, "ResourceNotFoundException"),
        ("PutRetentionPolicy", {"logGroupName": "/app", "retentionInDays": 2}, "InvalidParameterException"),
        ("PutRetentionPolicy", {"logGroupName": "none", "retentionInDays": 7}, "ResourceNotFoundException"),
        ("DescribeLogGroups", {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}, "InvalidParameterException"),
        ("DescribeLogGroups", {"nextToken": "garbage"}, "InvalidParameterException"),
        ("CreateLogStream", {"logGroupName": "/app", "logStreamName": "web/1"}, "ResourceAlreadyExistsException"),
        ("CreateLogStream", {"logGroupName": "none", "logStreamName": "a"}, "ResourceNotFoundException"),
        ("DeleteLogStream", {"logGroupName": "/app", "logStreamName": "none"}, "ResourceNotFoundException"),
        ("DescribeLogStreams", {}, "InvalidParameterException"),
        ("DescribeLogStreams", {"logGroupName": "/app", "logGroupIdentifier": "/app"}, "InvalidParameterException"),
        (
            "DescribeLogStreams",
            {"logGroupName": "/app", "orderBy": "LastEventTime", "logStreamNamePrefix": "w"},
            "InvalidParameterException",
        ),
        (
            "DescribeLogStreams",
            {"logGroupIdentifier": ARN.replace("us-east-1", "eu-west-1")},
            "ResourceNotFoundException",
        ),
        ("GetLogEvents", {"logGroupName": "/app", "logStreamName": "none"}, "ResourceNotFoundException"),
        (
            "GetLogEvents",
            {"logGroupName": "/app", "logStreamName": "web/1", "nextToken": "x"},
            "InvalidParameterException",
        ),
        ("FilterLogEvents", {"logGroupName": "none"}, "ResourceNotFoundException"),
        ("FilterLogEvents", {"logGroupName": "/app", "logStreamNames": ["none"]}, "ResourceNotFoundException"),
        (
            "FilterLogEvents",
            {"logGroupName": "/app", "logStreamNames": ["web/1"], "logStreamNamePrefix": "w"},
            "InvalidParameterException",
        ),
        ("FilterLogEvents", {"logGroupName": "/app", "filterPattern": "{ $.a"}, "InvalidParameterException"),
        ("FilterLogEvents", {"logGroupName": "/app", "nextToken": "x"}, "InvalidParameterException"),
        (
            "ListTagsForResource",
            {"resourceArn": "arn:aws:ecs:us-east-1:123456789012:cluster/a"},
            "InvalidParameterException",
        ),
        ("ListTagsForResource", {"resourceArn": f"{ARN}x"}, "ResourceNotFoundException"),
        ("TagResource", {"resourceArn": ARN, "tags": {"aws:x": "y"}}, "InvalidParameterException"),
        ("TagResource", {"resourceArn": ARN, "tags": {str(n): "" for n in range(51)}}, "TooManyTagsException"),
    ],
)
def test_refusals(api: Api, operation: str, params: dict[str, Any], code: str) -> None:
    assert api.error(operation, **params).code == code


def test_tags_by_arn_and_by_name_are_the_same(api: Api) -> None:
    api("TagResource", resourceArn=f"{ARN}:*", tags={"a": "1", "b": "2"})
    api("TagLogGroup", logGroupName="/app", tags={"b": "3", "c": "4"})
    assert api("ListTagsForResource", resourceArn=ARN)["tags"] == {"a": "1", "b": "3", "c": "4"}
    api("UntagResource", resourceArn=ARN, tagKeys=["a", "none"])
    api("UntagLogGroup", logGroupName="/app", tags=["b"])
    assert api("ListTagsLogGroup", logGroupName="/app")["tags"] == {"c": "4"}


# Streams


def test_streams_are_ordered_by_name_or_by_their_newest_event(api: Api) -> None:
    put(api, "db/1", "late", at=now_ms(api) + 1000)
    put(api, "web/2", "early", "early", at=now_ms(api) - DAY_MS)

    def names(**params: Any) -> list[str]:
        streams = api("DescribeLogStreams", logGroupIdentifier=ARN, **params)["logStreams"]
        return [stream["logStreamName"] for stream in streams]

    assert names() == ["db/1", "web/1", "web/2"]
    assert names(descending=True, logStreamNamePrefix="web/") == ["web/2", "web/1"]
    assert names(orderBy="LastEventTime") == ["web/2", "web/1", "db/1"]
    assert names(orderBy="LastEventTime", descending=True, limit=1) == ["db/1"]


def test_stream_shows_its_first_and_last_event(api: Api) -> None:
    put(api, "web/1", "a", "b", "c")
    first, second = api("DescribeLogStreams", logGroupName="/app", logStreamNamePrefix="web")["logStreams"]
    assert first["lastEventTimestamp"] - first["firstEventTimestamp"] == 2
    assert first["lastIngestionTime"] == now_ms(api)
    assert first["arn"] == f"{ARN}:log-stream:web/1"
    assert "lastEventTimestamp" not in second
    assert api("DescribeLogGroups")["logGroups"][0]["storedBytes"] == 3 * 27


def test_pages_of_streams_go_on_where_they_ended(api: Api) -> None:
    for descending in (False, True):
        seen: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = api("DescribeLogStreams", logGroupName="/app", limit=2, descending=descending, **token)
            seen += [stream["logStreamName"] for stream in page["logStreams"]]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert seen == sorted(seen, reverse=descending)
        assert len(seen) == 3


def test_stream_made_again_is_empty(api: Api) -> None:
    put(api, "web/1", "old")
    api("DeleteLogStream", logGroupName="/app", logStreamName="web/1")
    api("CreateLogStream", logGroupName="/app", logStreamName="web/1")
    assert get(api)[0] == []


def test_group_made_again_is_empty(api: Api) -> None:
    put(api, "web/1", "old")
    api("DeleteLogGroup", logGroupName="/app")
    api("CreateLogGroup", logGroupName="/app")
    assert api("DescribeLogStreams", logGroupName="/app")["logStreams"] == []
    assert find(api) == ([], None)


# Batches


@pytest.mark.parametrize(
    ("offsets", "text"),
    [
        ([1, 0], "chronological order"),
        ([0, DAY_MS + 1], "24 hours"),
    ],
)
def test_batches_out_of_order_or_too_long_are_refused(api: Api, offsets: list[int], text: str) -> None:
    events = [{"timestamp": now_ms(api) - DAY_MS + offset, "message": "x"} for offset in offsets]
    error = api.error("PutLogEvents", logGroupName="/app", logStreamName="web/1", logEvents=events)
    assert error.code == "InvalidParameterException"
    assert text in error.message


def test_batch_of_more_than_a_mebibyte_is_refused(api: Api) -> None:
    def events(last: int) -> list[dict[str, Any]]:
        return [
            {"timestamp": now_ms(api), "message": "x" * size} for size in (500_000, 1_048_576 - 500_000 - 52 + last)
        ]

    api("PutLogEvents", logGroupName="/app", logStreamName="web/1", logEvents=events(0))
    error = api.error("PutLogEvents", logGroupName="/app", logStreamName="web/1", logEvents=events(1))
    assert error.message == "Upload too large: 1048577 bytes exceeds limit of 1048576"


def test_events_too_new_are_left_out(api: Api) -> None:
    at = now_ms(api) + 2 * 3_600_000
    answer = put(api, "web/1", "in time", "too new", at=at)
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert get(api)[0] == ["in time"]


def test_events_too_old_are_left_out(api: Api) -> None:
    answer = put(api, "web/1", "too old", "in time", at=now_ms(api) - 14 * DAY_MS - 1)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert get(api)[0] == ["in time"]


def test_events_past_retention_are_left_out(api: Api) -> None:
    api("PutRetentionPolicy", logGroupName="/app", retentionInDays=1)
    answer = put(api, "web/1", "gone", "kept", at=now_ms(api) - DAY_MS - 1)
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert get(api)[0] == ["kept"]


# GetLogEvents


def test_latest_events_come_first_page_unless_asked_from_the_head(api: Api) -> None:
    put(api, "web/1", *"abcdef")
    assert get(api, limit=2)[0] == ["e", "f"]
    assert get(api, limit=2, startFromHead=True)[0] == ["a", "b"]


def test_paging_forward_ends_with_the_same_token_and_sees_what_comes_later(api: Api) -> None:
    put(api, "web/1", *"abcde")
    seen, token, _ = get(api, limit=2, startFromHead=True)
    while True:
        page, following, _ = get(api, limit=2, startFromHead=True, nextToken=token)
        seen += page
        if following == token:
            break
        token = following
    assert seen == list("abcde")
    put(api, "web/1", "f", at=now_ms(api) + 10)
    page, following, back = get(api, startFromHead=True, nextToken=token)
    assert page == ["f"]
    assert following != token
    assert get(api, nextToken=back)[0] == list("abcde")


def test_paging_backward_ends_with_the_same_token(api: Api) -> None:
    put(api, "web/1", *"abcde")
    page, _, token = get(api, limit=2)
    pages = [page]
    while True:
        page, forward, following = get(api, limit=2, nextToken=token)
        if following == token:
            break
        pages.append(page)
        token = following
    assert pages == [["d", "e"], ["b", "c"], ["a"]]
    assert page == []
    assert get(api, nextToken=forward, limit=1)[0] == ["a"]


def test_a_follower_of_an_empty_stream_sees_its_first_event(api: Api) -> None:
    page, token, _ = get(api, startFromHead=True)
    assert page == []
    put(api, "web/1", "first")
    assert get(api, startFromHead=True, nextToken=token)[0] == ["first"]


def test_times_are_from_inclusive_to_exclusive(api: Api) -> None:
    put(api, "web/1", *"abcd")
    at = now_ms(api)
    assert get(api, startTime=at + 1, endTime=at + 3)[0] == ["b", "c"]
    assert get(api, startTime=2**62, startFromHead=True)[0] == []


def test_answer_ends_at_a_mebibyte(api: Api) -> None:
    for number in range(4):
        put(api, "web/1", str(number) * 500_000, at=now_ms(api) + number)
    page, token, _ = get(api, startFromHead=True)
    assert [text[0] for text in page] == ["0", "1"]
    assert [text[0] for text in get(api, startFromHead=True, nextToken=token)[0]] == ["2", "3"]
    assert [text[0] for text in get(api)[0]] == ["2", "3"]


# FilterLogEvents


def test_search_goes_over_streams_in_the_order_of_time(api: Api) -> None:
    for number, stream in enumerate(("web/1", "db/1", "web/2", "web/1")):
        put(api, stream, f"{number} {stream}", at=now_ms(api) + number)
    assert find(api)[0] == ["0 web/1", "1 db/1", "2 web/2", "3 web/1"]
    assert find(api, startFromHead=False)[0] == ["3 web/1", "2 web/2", "1 db/1", "0 web/1"]
    assert find(api, logStreamNamePrefix="web/")[0] == ["0 web/1", "2 web/2", "3 web/1"]
    assert find(api, logStreamNames=["db/1", "web/2"])[0] == ["1 db/1", "2 web/2"]
    assert find(api, filterPattern="db")[0] == ["1 db/1"]
    assert find(api, startTime=now_ms(api) + 1, endTime=now_ms(api) + 2)[0] == ["1 db/1", "2 web/2"]


def test_event_ids_are_unique_and_the_same_at_every_call(api: Api) -> None:
    put(api, "web/1", "same")
    put(api, "web/2", "same")
    first, again = (api("FilterLogEvents", logGroupIdentifier=ARN)["events"] for _ in range(2))
    assert first == again
    assert len({event["eventId"] for event in first}) == 2


@pytest.mark.parametrize("forward", [True, False])
def test_pages_of_a_search_hold_each_match_once(api: Api, forward: bool) -> None:
    put(api, "web/1", *(f"{'hit' if number % 7 == 0 else 'miss'} {number}" for number in range(2500)))
    put(api, "web/2", *(f"hit again {number}" for number in range(10)))
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page, following = find(api, filterPattern="hit", limit=100, startFromHead=forward, **token)
        assert len(page) <= 100
        seen += page
        if following is None:
            break
        token = {"nextToken": following}
    assert len(seen) == len(set(seen)) == 358 + 10


def test_token_of_another_search_is_refused(api: Api) -> None:
    put(api, "web/1", *"abc")
    token = find(api, limit=1)[1]
    error = api.error("FilterLogEvents", logGroupName="/app", limit=1, nextToken=token, filterPattern="x")
    assert error.code == "InvalidParameterException"


def test_one_call_looks_at_a_bounded_number_of_events(api: Api) -> None:
    for batch in range(3):
        put(api, "web/1", *(["x"] * 9000), at=now_ms(api) + batch)
    page, token = find(api, filterPattern="never")
    assert page == []
    assert token is not None
    calls = 1
    while token is not None:
        page, token = find(api, filterPattern="never", nextToken=token)
        calls += 1
    assert calls == 3
