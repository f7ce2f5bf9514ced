"""Documents drawn from botocore's model: never anything but an AWS error, and what is kept says what was given."""

from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.api.ecs.task_definitions.register import checked
from longshore.decide.ecs.launch import launch_of
from longshore.decide.ecs.launching import TaskRequest, new_task
from longshore.decide.ecs.served import unserved
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.wire.errors import ApiError
from tests.support.world import ACCOUNT, REGION, SeededIds

MODEL = botocore.session.get_session().get_service_model("ecs")
INPUT = MODEL.operation_model("RegisterTaskDefinition").input_shape

# Values that mean something to some rule, so that drawn documents get past the first one.
TEXTS = st.sampled_from(
    [
        "",
        "app",
        "side",
        "v",
        "256",
        "512",
        "1 GB",
        ".25 vCPU",
        "80-90",
        "/x",
        "a b",
        "1",
        "CMD",
        "arn:aws:iam::1:role/x",
    ]
)
NUMBERS = st.sampled_from([-1, 0, 1, 5, 6, 30, 60, 64, 80, 120, 300, 65535, 65536, 2**31 - 1])
NAMED = {
    "networkMode": st.sampled_from(["awsvpc", "bridge", "host", "none"]),
    "image": st.sampled_from(["busybox", "123456789012.dkr.ecr.us-east-1.amazonaws.com/app"]),
    "name": st.sampled_from(["app", "side", "v", "A"]),
    "family": st.just("web"),
    "memory": st.sampled_from([64, 128]),
}


def drawn(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that the model permits."""
    if isinstance(shape, StructureShape):
        members = {name: _member(name, member, depth) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(drawn(shape.member, depth + 1), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(st.sampled_from(["awslogs-group", "awslogs-region", "mode"]), TEXTS, max_size=3)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name in {"integer", "long"}:
        return NUMBERS
    return st.sampled_from(shape.enum) if getattr(shape, "enum", None) else TEXTS


def _member(name: str, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    if name in NAMED and (name != "memory" or shape.type_name == "integer"):
        return NAMED[name]
    return drawn(shape, depth)


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


DOCUMENTS = drawn(INPUT).map(lambda document: _without(document, "tags"))

PAIRS = st.fixed_dictionaries({"name": st.text(min_size=1, max_size=5), "value": st.text(max_size=5)})
PORTS = st.fixed_dictionaries({"containerPort": st.integers(1, 65535)}, optional={"name": st.none()})
GOOD_CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["app", "side", "v"]), "image": st.just("busybox"), "memory": st.integers(6, 512)},
        optional={
            "cpu": st.integers(0, 64),
            "command": st.lists(st.text(max_size=5), max_size=3),
            "environment": st.lists(PAIRS, max_size=3),
            "portMappings": st.lists(PORTS, max_size=2),
            "healthCheck": st.just({"command": ["CMD-SHELL", "true"]}),
            "stopTimeout": st.integers(2, 120),
            "dockerLabels": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda container: container["name"],
)
GOOD = st.fixed_dictionaries(
    {"family": st.just("web"), "containerDefinitions": GOOD_CONTAINERS},
    optional={
        "networkMode": st.sampled_from(["awsvpc", "bridge", "host"]),
        "volumes": st.just([{"name": "v", "host": {"sourcePath": "/srv"}}]),
        "cpu": st.sampled_from(["256", "1024"]),
        "memory": st.sampled_from(["512", "2048"]),
        "runtimePlatform": st.just({"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"}),
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(DOCUMENTS)
def test_a_document_of_the_model_is_kept_or_refused_with_an_aws_error(document: dict[str, Any]) -> None:
    try:
        kept = checked(document, ACCOUNT)
    except ApiError:
        return
    if not unserved(kept, {}):
        _launch(kept)


CONTAINER = MODEL.shape_for("ContainerDefinition")
ONE_MEMBER = st.sampled_from(sorted(CONTAINER.members)).flatmap(
    lambda name: st.tuples(st.just(name), _member(name, CONTAINER.members[name], 1))
)
OTHER_MEMBER = st.sampled_from(sorted(set(INPUT.members) - {"containerDefinitions", "tags"})).flatmap(
    lambda name: st.tuples(st.just(name), _member(name, INPUT.members[name], 1))
)


@settings(max_examples=500, deadline=None)
@given(GOOD, ONE_MEMBER, OTHER_MEMBER)
def test_any_member_of_a_good_document_may_be_anything(
    document: dict[str, Any], member: tuple[str, Any], other: tuple[str, Any]
) -> None:
    first, *rest = document["containerDefinitions"]
    containers = [{**first, member[0]: member[1]}, *rest]
    changed = {**document, "containerDefinitions": containers, other[0]: other[1]}
    try:
        kept = checked(changed, ACCOUNT)
    except ApiError:
        return
    if not unserved(kept, {}):
        _launch(kept)


@settings(max_examples=200, deadline=None)
@given(GOOD)
def test_what_is_kept_is_what_was_given_and_defaults(document: dict[str, Any]) -> None:
    kept = checked(document, ACCOUNT)
    assert contains(kept, document)
    _launch(kept)


@settings(max_examples=200, deadline=None)
@given(GOOD)
def test_registering_what_was_answered_changes_nothing(document: dict[str, Any]) -> None:
    kept = checked(document, ACCOUNT)
    assert checked(_without(kept, "compatibilities", "requiresAttributes"), ACCOUNT) == kept


def contains(whole: Any, part: Any) -> bool:
    """Whether all that is set in `part` is in `whole`, at its place."""
    if isinstance(part, dict):
        return all(value is None or (name in whole and contains(whole[name], value)) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(contains(w, p) for w, p in zip(whole, part, strict=True))
    return bool(whole == part)


def _launch(kept: dict[str, Any]) -> None:
    """An accepted document that is served can be launched."""
    definition = TaskDefinition(
        account=ACCOUNT,
        region=REGION,
        family="web",
        revision=1,
        document=_without(kept, "family"),
        registered_at=0.0,
        registered_by="me",
    )
    cluster = Cluster(account=ACCOUNT, region=REGION, name="default", created_at=0.0)
    task = new_task(TaskRequest(cluster=cluster, definition=definition), subnet=None, ids=SeededIds(1), now=0.0)
    launch = launch_of(task, definition, vpc_cidr="", subnet_cidr="", vpc_id="")
    assert [container.name for container in launch.containers] == [c["name"] for c in kept["containerDefinitions"]]
