"""Simulation of policies, which decides as requests are decided."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.api.iam import OPERATIONS
from tests.support.api import SCOPE, Api
from tests.support.identities import allow, deny, document

CLUSTER = f"arn:aws:ecs:us-east-1:{SCOPE.account}:cluster"
USER = f"arn:aws:iam::{SCOPE.account}:user/ann"


@pytest.fixture
def api() -> Api:
    made = Api(OPERATIONS, service="iam")
    made("CreateUser", UserName="ann", Tags=[{"Key": "team", "Value": "a"}])
    return made


def decisions(api: Api, *policies: str, source: str = "", **asked: Any) -> list[tuple[str, str, str]]:
    operation = "SimulatePrincipalPolicy" if source else "SimulateCustomPolicy"
    of = {"PolicySourceArn": source} if source else {}
    found = api(operation, **of, PolicyInputList=list(policies), **asked)["EvaluationResults"]
    return [(each["EvalActionName"], each["EvalResourceName"], each["EvalDecision"]) for each in found]


def test_each_action_is_decided_on_each_resource(api: Api) -> None:
    policy = document(allow("ecs:*", on=f"{CLUSTER}/a"), deny("ecs:DeleteCluster"))
    resources = [f"{CLUSTER}/a", f"{CLUSTER}/b"]
    assert decisions(api, policy, ActionNames=["ecs:ListTasks", "ecs:DeleteCluster"], ResourceArns=resources) == [
        ("ecs:ListTasks", f"{CLUSTER}/a", "allowed"),
        ("ecs:ListTasks", f"{CLUSTER}/b", "implicitDeny"),
        ("ecs:DeleteCluster", f"{CLUSTER}/a", "explicitDeny"),
        ("ecs:DeleteCluster", f"{CLUSTER}/b", "explicitDeny"),
    ]


def test_of_a_user_its_own_policies_count_and_where_they_are_from_is_said(api: Api) -> None:
    api("PutUserPolicy", UserName="ann", PolicyName="own", PolicyDocument=document(allow("ecs:ListTasks")))
    api("AttachUserPolicy", UserName="ann", PolicyArn="arn:aws:iam::aws:policy/CloudWatchLogsFullAccess")
    api("CreateGroup", GroupName="team")
    api("PutGroupPolicy", GroupName="team", PolicyName="g", PolicyDocument=document(allow("ecs:ListServices")))
    api("AddUserToGroup", GroupName="team", UserName="ann")
    actions = ["ecs:ListTasks", "logs:PutLogEvents", "ecs:ListServices", "acm:ListCertificates"]
    results = api("SimulatePrincipalPolicy", PolicySourceArn=USER, ActionNames=actions)["EvaluationResults"]
    assert [(each["EvalDecision"], [m["SourcePolicyId"] for m in each["MatchedStatements"]]) for each in results] == [
        ("allowed", ["user_ann_own"]),
        ("allowed", ["CloudWatchLogsFullAccess"]),
        ("allowed", ["group_team_g"]),
        ("implicitDeny", []),
    ]
    kinds = [match["SourcePolicyType"] for each in results for match in each["MatchedStatements"]]
    assert kinds == ["user", "aws-managed", "group"]
    of_group = decisions(api, source=f"arn:aws:iam::{SCOPE.account}:group/team", ActionNames=["ecs:ListServices"])
    assert of_group[0][2] == "allowed"


def test_conditions_look_at_what_is_given_and_what_is_missing_is_said(api: Api) -> None:
    policy = document(allow("ecs:ListTasks", Condition={"StringEquals": {"x:key": "v", "aws:PrincipalTag/team": "a"}}))
    asked: dict[str, Any] = {"PolicySourceArn": USER, "PolicyInputList": [policy], "ActionNames": ["ecs:ListTasks"]}
    [without] = api("SimulatePrincipalPolicy", **asked)["EvaluationResults"]
    assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["x:key"])
    entries = [{"ContextKeyName": "X:Key", "ContextKeyValues": ["v"], "ContextKeyType": "string"}]
    [given] = api("SimulatePrincipalPolicy", **asked, ContextEntries=entries)["EvaluationResults"]
    assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", [])
    keys = {"PolicyInputList": [policy]}
    names = ["aws:principaltag/team", "x:key"]
    assert api("GetContextKeysForCustomPolicy", **keys)["ContextKeyNames"] == names
    assert api("GetContextKeysForPrincipalPolicy", PolicySourceArn=USER, **keys)["ContextKeyNames"] == names


def test_a_boundary_narrows(api: Api) -> None:
    everything, logs = document(allow("*")), document(allow("logs:*"))
    asked = {"PolicyInputList": [everything], "PermissionsBoundaryPolicyInputList": [logs]}
    actions = ["logs:PutLogEvents", "ecs:ListTasks"]
    results = api("SimulateCustomPolicy", **asked, ActionNames=actions)["EvaluationResults"]
    details = [
        (each["EvalDecision"], each["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"])
        for each in results
    ]
    assert details == [("allowed", True), ("implicitDeny", False)]


def test_results_come_in_pages(api: Api) -> None:
    asked = {"PolicyInputList": [document(allow("*"))], "ActionNames": [f"ecs:A{number}" for number in range(5)]}
    first = api("SimulateCustomPolicy", **asked, MaxItems=3)
    rest = api("SimulateCustomPolicy", **asked, MaxItems=3, Marker=first["Marker"])
    names = [each["EvalActionName"] for page in (first, rest) for each in page["EvaluationResults"]]
    assert names == asked["ActionNames"]


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("SimulateCustomPolicy", {"PolicyInputList": ["{"], "ActionNames": ["a:B"]}, "InvalidInput"),
        ("SimulateCustomPolicy", {"PolicyInputList": [], "ActionNames": ["RunTask"]}, "InvalidInput"),
        (
            "SimulateCustomPolicy",
            {"PolicyInputList": [], "ActionNames": ["a:B"], "ResourceArns": ["x"]},
            "InvalidInput",
        ),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": "x" * 20, "ActionNames": ["a:B"]}, "InvalidInput"),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": USER + "a", "ActionNames": ["a:B"]}, "NoSuchEntity"),
        (
            "SimulateCustomPolicy",
            {
                "PolicyInputList": [],
                "PermissionsBoundaryPolicyInputList": [document(allow("*"))] * 2,
                "ActionNames": ["a:B"],
            },
            "InvalidInput",
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused(api: Api, operation: str, asked: dict[str, Any], code: str) -> None:
    assert api.error(operation, **asked).code == code
