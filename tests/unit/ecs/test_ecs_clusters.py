"""Clusters through their handlers, on a store in memory."""

from typing import Any

import pytest

from longshore.api.ecs import account_settings, clusters, tags
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.ecs.task import Task
from longshore.domain.names.naming import Namespace
from tests.support import world
from tests.support.api import SCOPE, Api

ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/"
DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"


@pytest.fixture
def api() -> Api:
    return Api(clusters.OPERATIONS, account_settings.OPERATIONS, tags.OPERATIONS)


def task(cluster: str, task_id: str = "a", **changes: Any) -> Task:
    return Task(
        account=SCOPE.account,
        region=SCOPE.region,
        task_id=task_id,
        cluster=cluster,
        task_definition_arn=DEFINITION,
        group="family:web",
        launch_type="FARGATE",
        created_at=0.0,
        cpu_units=256,
        memory_mib=512,
        **changes,
    )


def service(cluster: str, **changes: Any) -> Service:
    return world.service().but(cluster=cluster, **changes)


def test_create_answers_with_the_cluster_as_aws_shapes_it(api: Api) -> None:
    made = api("CreateCluster", clusterName="blue", tags=[{"key": "team", "value": "a"}])["cluster"]
    assert made["clusterArn"] == ARN + "blue"
    assert made["status"] == "ACTIVE"
    assert made["tags"] == [{"key": "team", "value": "a"}]
    assert made["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert made["capacityProviders"] == made["defaultCapacityProviderStrategy"] == []
    assert {made[n] for n in ("runningTasksCount", "pendingTasksCount", "activeServicesCount")} == {0}


def test_create_without_a_name_makes_default(api: Api) -> None:
    api("DeleteCluster", cluster="default")
    assert api("CreateCluster")["cluster"]["clusterName"] == "default"


def test_create_again_answers_with_the_same_cluster(api: Api) -> None:
    first = api("CreateCluster", clusterName="blue", settings=[{"name": "containerInsights", "value": "enabled"}])
    again = api("CreateCluster", clusterName="blue")
    assert again == first


def test_create_again_with_other_settings_is_refused(api: Api) -> None:
    api("CreateCluster", clusterName="blue")
    error = api.error("CreateCluster", clusterName="blue", settings=[{"name": "containerInsights", "value": "enabled"}])
    assert error.code == "InvalidParameterException"
    assert error.message.startswith("Arguments on this idempotent request are inconsistent")


def test_new_clusters_take_container_insights_from_the_account(api: Api) -> None:
    api("PutAccountSettingDefault", name="containerInsights", value="enhanced")
    made = api("CreateCluster", clusterName="blue")["cluster"]
    assert made["settings"] == [{"name": "containerInsights", "value": "enhanced"}]


@pytest.mark.parametrize("name", ["a b", "x" * 256, "a/b", "a.b"])
def test_bad_names_are_refused(api: Api, name: str) -> None:
    assert api.error("CreateCluster", clusterName=name).code == "InvalidParameterException"


@pytest.mark.parametrize(
    "bad",
    [
        {"settings": [{"name": "containerInsights", "value": "maybe"}]},
        {"settings": [{"value": "enabled"}]},
        {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE"}}},
        {"configuration": {"executeCommandConfiguration": {"logConfiguration": {"s3BucketName": "b"}}}},
        {"tags": [{"key": "aws:x", "value": ""}]},
        {"tags": [{"key": "a"}, {"key": "a"}]},
        {"tags": [{"value": "a"}]},
    ],
)
def test_bad_input_is_refused(api: Api, bad: dict[str, Any]) -> None:
    assert api.error("CreateCluster", clusterName="blue", **bad).code == "InvalidParameterException"


def test_capacity_providers_are_refused_with_a_sentence() -> None:
    create = clusters.OPERATIONS["CreateCluster"]
    assert set(create.refuses) == {"capacityProviders", "defaultCapacityProviderStrategy"}


def test_the_default_namespace_of_service_connect_is_made_kept_replaced_and_taken_away(api: Api) -> None:
    made = api("CreateCluster", clusterName="blue", serviceConnectDefaults={"namespace": "shop"})["cluster"]
    [shop] = api.store.all(Namespace)
    assert (shop.name, shop.type) == ("shop", "HTTP")
    assert made["serviceConnectDefaults"] == {"namespace": shop.arn}
    again = api("CreateCluster", clusterName="blue", serviceConnectDefaults={"namespace": shop.arn})["cluster"]
    assert again["serviceConnectDefaults"] == {"namespace": shop.arn}
    assert api("UpdateCluster", cluster="blue")["cluster"]["serviceConnectDefaults"] == {"namespace": shop.arn}
    changed = api("UpdateCluster", cluster="blue", serviceConnectDefaults={"namespace": "store"})["cluster"]
    assert {each.arn for each in api.store.all(Namespace)} == {
        shop.arn,
        changed["serviceConnectDefaults"]["namespace"],
    }
    without = api("UpdateCluster", cluster="blue", serviceConnectDefaults={"namespace": ""})["cluster"]
    assert "serviceConnectDefaults" not in without
    unknown = {"namespace": shop.arn + "x"}
    assert api.error("UpdateCluster", cluster="blue", serviceConnectDefaults=unknown).code == (
        "NamespaceNotFoundException"
    )


def test_describe_gives_only_what_is_included(api: Api) -> None:
    api(
        "CreateCluster",
        clusterName="blue",
        tags=[{"key": "a", "value": "b"}],
        configuration={"executeCommandConfiguration": {"logging": "NONE"}},
    )
    bare = api("DescribeClusters", clusters=["blue"])["clusters"][0]
    assert bare["tags"] == bare["settings"] == bare["statistics"] == []
    assert "configuration" not in bare
    full = api(
        "DescribeClusters",
        clusters=[ARN + "blue"],
        include=["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"],
    )["clusters"][0]
    assert full["tags"] == [{"key": "a", "value": "b"}]
    assert full["configuration"] == {"executeCommandConfiguration": {"logging": "NONE"}}
    assert full["attachments"] == []
    assert {"name": "runningFargateTasksCount", "value": "0"} in full["statistics"]
    assert len(full["statistics"]) == 12


def test_describe_names_what_is_missing(api: Api) -> None:
    elsewhere = "arn:aws:ecs:eu-west-1:123456789012:cluster/default"
    answer = api("DescribeClusters", clusters=["default", "nope", elsewhere])
    assert [c["clusterName"] for c in answer["clusters"]] == ["default"]
    assert [(f["arn"], f["reason"]) for f in answer["failures"]] == [(ARN + "nope", "MISSING"), (elsewhere, "MISSING")]


def test_describe_without_names_is_default(api: Api) -> None:
    assert api("DescribeClusters")["clusters"][0]["clusterName"] == "default"


def test_describe_takes_at_most_a_hundred(api: Api) -> None:
    assert api.error("DescribeClusters", clusters=[f"c{n}" for n in range(101)]).code == "InvalidParameterException"


def test_counts_are_of_the_cluster_alone(api: Api) -> None:
    api("CreateCluster", clusterName="blue")
    api.put(
        task("blue", "a", last_status="RUNNING"),
        task("blue", "b", last_status="PENDING"),
        task("blue", "c", last_status="STOPPED"),
        task("default", "d", last_status="RUNNING"),
        service("blue", name="one", uid="1"),
        service("blue", name="two", uid="2", status="DRAINING"),
        service("blue", name="three", uid="3", status="INACTIVE"),
    )
    blue = api("DescribeClusters", clusters=["blue"], include=["STATISTICS"])["clusters"][0]
    assert (blue["runningTasksCount"], blue["pendingTasksCount"], blue["activeServicesCount"]) == (1, 1, 1)
    statistics = {pair["name"]: pair["value"] for pair in blue["statistics"]}
    assert statistics["drainingFargateServiceCount"] == "1"
    assert statistics["runningFargateTasksCount"] == "1"


def test_list_pages_through_active_clusters_by_name(api: Api) -> None:
    for name in ("c", "a", "b", "gone"):
        api("CreateCluster", clusterName=name)
    api("DeleteCluster", cluster="gone")
    seen: list[str] = []
    token: str | None = None
    while True:
        answer = api("ListClusters", maxResults=2, **({"nextToken": token} if token else {}))
        seen += answer["clusterArns"]
        token = answer.get("nextToken")
        if not token:
            break
    assert seen == [ARN + name for name in ("a", "b", "c", "default")]


@pytest.mark.parametrize("limit", [-1, 101])
def test_list_refuses_other_page_sizes(api: Api, limit: int) -> None:
    assert api.error("ListClusters", maxResults=limit).code == "InvalidParameterException"


def test_update_changes_what_is_given(api: Api) -> None:
    api("CreateCluster", clusterName="blue", configuration={"managedStorageConfiguration": {"kmsKeyId": "k"}})
    enabled = [{"name": "containerInsights", "value": "enabled"}]
    configuration = {"executeCommandConfiguration": {"logging": "NONE"}}
    changed = api("UpdateCluster", cluster="blue", settings=enabled, configuration=configuration)["cluster"]
    assert changed["settings"] == enabled
    assert changed["configuration"] == {"managedStorageConfiguration": {"kmsKeyId": "k"}, **configuration}


def test_update_settings(api: Api) -> None:
    enhanced = [{"name": "containerInsights", "value": "enhanced"}]
    assert api("UpdateClusterSettings", cluster="default", settings=enhanced)["cluster"]["settings"] == enhanced


def test_delete_leaves_an_inactive_cluster_that_can_be_made_again(api: Api) -> None:
    api("CreateCluster", clusterName="blue", settings=[{"name": "containerInsights", "value": "enabled"}])
    assert api("DeleteCluster", cluster="blue")["cluster"]["status"] == "INACTIVE"
    assert api("DescribeClusters", clusters=["blue"])["clusters"][0]["status"] == "INACTIVE"
    error = api.error("DeleteCluster", cluster="blue")
    assert (error.code, error.message) == ("ClusterNotFoundException", "The referenced cluster was inactive.")
    again = api("CreateCluster", clusterName="blue")["cluster"]
    assert again["status"] == "ACTIVE"
    assert again["settings"] == [{"name": "containerInsights", "value": "disabled"}]


@pytest.mark.parametrize(
    ("inside", "code", "text"),
    [
        (
            service("blue"),
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ),
        (task("blue"), "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."),
    ],
)
def test_delete_is_refused_while_something_is_inside(api: Api, inside: Task | Service, code: str, text: str) -> None:
    api("CreateCluster", clusterName="blue")
    api.put(inside)
    error = api.error("DeleteCluster", cluster="blue")
    assert (error.code, error.message) == (code, text)


def test_delete_passes_over_what_has_ended(api: Api) -> None:
    api("CreateCluster", clusterName="blue")
    api.put(task("blue", last_status="STOPPED", desired_status="STOPPED"), service("blue", status="INACTIVE"))
    assert api("DeleteCluster", cluster="blue")["cluster"]["status"] == "INACTIVE"


@pytest.mark.parametrize(
    "reference",
    ["nope", "arn:aws:ecs:eu-west-1:123456789012:cluster/default", "arn:aws:ecs:us-east-1:1:cluster/default"],
)
@pytest.mark.parametrize("operation", ["DeleteCluster", "UpdateCluster", "UpdateClusterSettings"])
def test_unknown_clusters_are_not_found(api: Api, operation: str, reference: str) -> None:
    params: dict[str, Any] = {"settings": []} if operation == "UpdateClusterSettings" else {}
    error = api.error(operation, cluster=reference, **params)
    assert (error.code, error.message) == ("ClusterNotFoundException", "Cluster not found.")


def test_blank_references_are_refused(api: Api) -> None:
    assert api.error("DeleteCluster", cluster="").code == "InvalidParameterException"


def test_regions_do_not_see_each_other(api: Api) -> None:
    api.put(Cluster(account=SCOPE.account, region="eu-west-1", name="far", created_at=0.0))
    assert api("ListClusters")["clusterArns"] == [ARN + "default"]
