"""Records that say what they are filed by: two versions that agree in it have the same places in indexes and tallies.

The store relies on it, and does not look.
"""

import typing
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.domain.ecs.task import DesiredStatus, Task, TaskStatus
from longshore.domain.kinds import KINDS
from longshore.domain.record import Record

LIVES = st.fixed_dictionaries(
    {
        "desired_status": st.sampled_from(typing.get_args(DesiredStatus)),
        "last_status": st.sampled_from(typing.get_args(TaskStatus)),
        "accounted": st.booleans(),
        "version": st.integers(1, 9),
        "health": st.sampled_from(["UNKNOWN", "HEALTHY"]),
        "started_at": st.none() | st.just(5.0),
        "stopped_reason": st.sampled_from(["", "because"]),
    }
)
ORIGINS = st.fixed_dictionaries(
    {
        "service_uid": st.sampled_from(["", "uid"]),
        "service_name": st.sampled_from(["", "web"]),
        "started_by": st.sampled_from(["", "me"]),
        "client_token": st.sampled_from(["", "token"]),
    }
)


def places(record: Record) -> tuple[Counter[object], Counter[object]]:
    """Where a record stands."""
    sums: Counter[object] = Counter()
    for name, group, amount in record.tallies():
        sums[name, group] += amount
    return Counter(record.indexes()), sums


@given(ORIGINS, LIVES, LIVES)
def test_versions_of_a_task_that_are_filed_alike_stand_at_the_same_places(
    origin: dict[str, typing.Any], one: dict[str, typing.Any], other: dict[str, typing.Any]
) -> None:
    task = Task(
        account="1",
        region="r",
        task_id="t",
        cluster="default",
        task_definition_arn="arn:aws:ecs:r:1:task-definition/web:1",
        group="family:web",
        launch_type="FARGATE",
        created_at=0.0,
        cpu_units=256,
        memory_mib=512,
        **origin,
    )
    before, after = task.but(**one), task.but(**other)
    (indexes, tallies), (later_indexes, later_tallies) = places(before), places(after)
    if before.filed_by().indexes == after.filed_by().indexes:
        assert indexes == later_indexes
    if before.filed_by().tallies == after.filed_by().tallies:
        assert tallies == later_tallies


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Task])
def test_other_records_are_looked_at_each_time(kind: type[Record]) -> None:
    """One that is to be spared needs a test like the above."""
    assert kind.filed_by is Record.filed_by
