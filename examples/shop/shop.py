"""The shop by boto3: `python shop.py up`, `python shop.py change Welcome`, `python shop.py down`.

Two services behind a load balancer with names, secrets and scaling, as terraform/ has them, in the default VPC. Nothing
in it knows Longshore: AWS_ENDPOINT_URL says where the APIs are. Whatever is there already is used again.
"""

import argparse
import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

PROGRAM = Path(__file__).with_name("app.py").read_text()
ASSUME = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
}
EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
WAIT = {"Delay": 1, "MaxAttempts": 300}


class Shop:
    """The stack, by the name that all its parts begin with."""

    def __init__(self, name: str, image: str) -> None:
        self.name = name
        self.image = image
        self.ec2, self.ecs, self.elb = (boto3.client(service) for service in ("ec2", "ecs", "elbv2"))
        self.iam, self.logs, self.names = (boto3.client(service) for service in ("iam", "logs", "servicediscovery"))
        self.secrets, self.scaling = (
            boto3.client(service) for service in ("secretsmanager", "application-autoscaling")
        )
        self.region = self.ec2.meta.region_name
        [vpc] = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        self.vpc = vpc["VpcId"]
        found = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        self.subnets = [subnet["SubnetId"] for subnet in found]

    # ------------------------------------------------------------------------------------------------------- up

    def up(self, greeting: str) -> str:
        """Make everything that is missing; the URL that answers."""
        self.logs_and_role()
        secret = self.secret()
        self.let_read(secret)
        groups = {"balancer": self.group("balancer", port=80), "tasks": self.group("tasks", port=8080)}
        target_group, dns_name = self.balancer(groups["balancer"])
        self.ecs.create_cluster(clusterName=self.name)
        api_url = f"http://api.{self.name}.internal:8080/"
        definitions = {
            "api": self.define(
                "api",
                {"ROLE": "api", "GREETING": greeting, "TABLE": "orders"},
                {"DB_PASSWORD": f"{secret}:password::"},
            ),
            "web": self.define("web", {"ROLE": "web", "API_URL": api_url}, {}),
        }
        uses = [{"targetGroupArn": target_group, "containerName": "web", "containerPort": 8080}]
        self.service("api", definitions["api"], groups["tasks"], serviceRegistries=[{"registryArn": self.registry()}])
        self.service("web", definitions["web"], groups["tasks"], loadBalancers=uses)
        self.ecs.get_waiter("services_stable").wait(cluster=self.name, services=["api", "web"], WaiterConfig=WAIT)
        self.scale()
        return f"http://{dns_name}/hello"

    def logs_and_role(self) -> None:
        """Where logs go, and what ECS may do for tasks."""
        with existing("ResourceAlreadyExistsException"):
            self.logs.create_log_group(logGroupName=f"/ecs/{self.name}")
        with existing("EntityAlreadyExists"):
            self.iam.create_role(RoleName=f"{self.name}-execution", AssumeRolePolicyDocument=json.dumps(ASSUME))
        self.iam.attach_role_policy(RoleName=f"{self.name}-execution", PolicyArn=EXECUTION_POLICY)

    def secret(self) -> str:
        """The database's password; its ARN."""
        value = json.dumps({"username": "keeper", "password": "correct horse"})
        with existing("ResourceExistsException"):
            self.secrets.create_secret(Name=f"{self.name}/database", SecretString=value)
        arn: str = self.secrets.describe_secret(SecretId=f"{self.name}/database")["ARN"]
        return arn

    def let_read(self, secret: str) -> None:
        """Let ECS read the password for tasks that name it: AWS's own policy for this role leaves secrets out."""
        allowed = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret}
        document = {"Version": "2012-10-17", "Statement": [allowed]}
        self.iam.put_role_policy(
            RoleName=f"{self.name}-execution", PolicyName="secrets", PolicyDocument=json.dumps(document)
        )

    def group(self, purpose: str, port: int) -> str:
        """A security group that lets everybody in at one port; its id."""
        name = f"{self.name}-{purpose}"
        with existing("InvalidGroup.Duplicate"):
            self.ec2.create_security_group(GroupName=name, Description=purpose, VpcId=self.vpc)
        [found] = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])[
            "SecurityGroups"
        ]
        anybody = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        with existing("InvalidPermission.Duplicate"):
            self.ec2.authorize_security_group_ingress(GroupId=found["GroupId"], IpPermissions=[anybody])
        group_id: str = found["GroupId"]
        return group_id

    def balancer(self, group: str) -> tuple[str, str]:
        """A load balancer that sends /hello to the web: `(target group ARN, DNS name)`."""
        [made] = self.elb.create_load_balancer(Name=self.name, Subnets=self.subnets, SecurityGroups=[group])[
            "LoadBalancers"
        ]
        [web] = self.elb.create_target_group(
            Name=f"{self.name}-web",
            Protocol="HTTP",
            Port=8080,
            VpcId=self.vpc,
            TargetType="ip",
            HealthCheckPath="/health",
        )["TargetGroups"]
        nothing = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Nothing to see here."}
        with existing("DuplicateListener"):
            self.elb.create_listener(
                LoadBalancerArn=made["LoadBalancerArn"],
                Protocol="HTTP",
                Port=80,
                DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": nothing}],
            )
        [listener] = self.elb.describe_listeners(LoadBalancerArn=made["LoadBalancerArn"])["Listeners"]
        with existing("PriorityInUse"):
            self.elb.create_rule(
                ListenerArn=listener["ListenerArn"],
                Priority=10,
                Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/hello"]}}],
                Actions=[{"Type": "forward", "TargetGroupArn": web["TargetGroupArn"]}],
            )
        return web["TargetGroupArn"], made["DNSName"]

    def registry(self) -> str:
        """The Cloud Map service that the api's tasks are in; its ARN."""
        if self.namespace() is None:
            begun = self.names.create_private_dns_namespace(Name=f"{self.name}.internal", Vpc=self.vpc)
            self.finish(begun["OperationId"])
        if self.discovery() is None:
            records = {"DnsRecords": [{"Type": "A", "TTL": 0}]}
            self.names.create_service(Name="api", NamespaceId=self.namespace(), DnsConfig=records)
        arn: str = self.names.get_service(Id=self.discovery())["Service"]["Arn"]
        return arn

    def define(self, role: str, environment: dict[str, str], secrets: dict[str, str]) -> str:
        """Register a task definition; its ARN."""
        options = {
            "awslogs-group": f"/ecs/{self.name}",
            "awslogs-region": self.region,
            "awslogs-stream-prefix": role,
        }
        container = {
            "name": role,
            "image": self.image,
            "command": ["python3", "-c", PROGRAM],
            "essential": True,
            "stopTimeout": 5,
            "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "secrets": [{"name": name, "valueFrom": place} for name, place in secrets.items()],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        execution_role = self.iam.get_role(RoleName=f"{self.name}-execution")["Role"]["Arn"]
        answer = self.ecs.register_task_definition(
            family=f"{self.name}-{role}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            executionRoleArn=execution_role,
            containerDefinitions=[container],
        )
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        return arn

    def service(self, role: str, definition: str, group: str, **more: Any) -> None:
        """A service of two tasks, or a new deployment of the one that is there."""
        [found] = self.ecs.describe_services(cluster=self.name, services=[role])["services"] or [{"status": "MISSING"}]
        if found["status"] == "ACTIVE":
            self.ecs.update_service(cluster=self.name, service=role, taskDefinition=definition)
            return
        network = {
            "awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [group], "assignPublicIp": "ENABLED"}
        }
        self.ecs.create_service(
            cluster=self.name,
            serviceName=role,
            taskDefinition=definition,
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration=network,
            **more,
        )

    def scale(self) -> None:
        """Two to four tasks of the web, by their CPU."""
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{self.name}/web",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        self.scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=4)
        measured = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        self.scaling.put_scaling_policy(
            **target,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"TargetValue": 60.0, "PredefinedMetricSpecification": measured},
        )

    # ----------------------------------------------------------------------------------------------------- down

    def down(self) -> None:
        """Remove everything."""
        with missing("ObjectNotFoundException"):
            self.scaling.deregister_scalable_target(
                ServiceNamespace="ecs",
                ResourceId=f"service/{self.name}/web",
                ScalableDimension="ecs:service:DesiredCount",
            )
        with missing("ClusterNotFoundException"):
            for role in ("web", "api"):
                with missing("ServiceNotFoundException", "ServiceNotActiveException"):
                    self.ecs.delete_service(cluster=self.name, service=role, force=True)
            until(self.drop_cluster)
        for role in ("web", "api"):
            for arn in self.ecs.list_task_definitions(familyPrefix=f"{self.name}-{role}")["taskDefinitionArns"]:
                self.ecs.deregister_task_definition(taskDefinition=arn)
        self.drop_balancer()
        self.drop_names()
        for purpose in ("balancer", "tasks"):
            with missing("InvalidGroup.NotFound"):
                self.drop_group(f"{self.name}-{purpose}")
        with missing("ResourceNotFoundException"):
            self.secrets.delete_secret(SecretId=f"{self.name}/database", ForceDeleteWithoutRecovery=True)
        with missing("NoSuchEntity"):
            self.iam.detach_role_policy(RoleName=f"{self.name}-execution", PolicyArn=EXECUTION_POLICY)
            self.iam.delete_role_policy(RoleName=f"{self.name}-execution", PolicyName="secrets")
            self.iam.delete_role(RoleName=f"{self.name}-execution")
        with missing("ResourceNotFoundException"):
            self.logs.delete_log_group(logGroupName=f"/ecs/{self.name}")

    def drop_cluster(self) -> bool:
        """Whether the cluster could go: not while services and tasks are on their way down."""
        busy = self.ecs.exceptions
        try:
            self.ecs.delete_cluster(cluster=self.name)
        except (busy.ClusterContainsServicesException, busy.ClusterContainsTasksException):
            return False
        return True

    def drop_balancer(self) -> None:
        """The load balancer, and then its target group."""
        with missing("LoadBalancerNotFound"):
            [found] = self.elb.describe_load_balancers(Names=[self.name])["LoadBalancers"]
            self.elb.delete_load_balancer(LoadBalancerArn=found["LoadBalancerArn"])
        with missing("TargetGroupNotFound"):
            [group] = self.elb.describe_target_groups(Names=[f"{self.name}-web"])["TargetGroups"]
            self.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    def drop_names(self) -> None:
        """The service in Cloud Map, and then its namespace."""
        discovery = self.discovery()
        if discovery is not None:
            until(lambda: not self.names.list_instances(ServiceId=discovery)["Instances"])
            self.names.delete_service(Id=discovery)
        namespace = self.namespace()
        if namespace is not None:
            self.finish(self.names.delete_namespace(Id=namespace)["OperationId"])

    def drop_group(self, name: str) -> None:
        """A security group, once nothing has it any more."""
        found = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
        for group in found:
            using = [{"Name": "group-id", "Values": [group["GroupId"]]}]
            until(lambda: not self.ec2.describe_network_interfaces(Filters=using)["NetworkInterfaces"])  # noqa: B023
            self.ec2.delete_security_group(GroupId=group["GroupId"])

    # ----------------------------------------------------------------------------------------------------- names

    def namespace(self) -> str | None:
        """The id of our namespace."""
        listed = self.names.list_namespaces()["Namespaces"]
        return next((each["Id"] for each in listed if each["Name"] == f"{self.name}.internal"), None)

    def discovery(self) -> str | None:
        """The id of the Cloud Map service of the api."""
        ours = [{"Name": "NAMESPACE_ID", "Values": [self.namespace() or "none"]}]
        listed = self.names.list_services(Filters=ours)["Services"]
        return next((each["Id"] for each in listed if each["Name"] == "api"), None)

    def finish(self, operation: str) -> None:
        """Wait for an operation of Cloud Map."""
        until(lambda: self.names.get_operation(OperationId=operation)["Operation"]["Status"] == "SUCCESS")


@contextlib.contextmanager
def _accepted(codes: tuple[str, ...]) -> Any:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def existing(*codes: str) -> Any:
    """What is there already need not be made."""
    return _accepted(codes)


def missing(*codes: str) -> Any:
    """What is gone already need not be removed."""
    return _accepted(codes)


def until(holds: Callable[[], bool]) -> None:
    """Wait, at most two minutes."""
    end = time.monotonic() + 120
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("It takes longer than two minutes.")
        time.sleep(0.2)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["up", "change", "down"])
    parser.add_argument("greeting", nargs="?", default="Hello")
    parser.add_argument("--name", default="shop")
    parser.add_argument("--image", default="python:3-alpine", help="an image that has python3")
    given = parser.parse_args()
    shop = Shop(given.name, given.image)
    if given.what == "down":
        shop.down()
        print("Everything is gone.")
    else:
        print(shop.up(given.greeting))


if __name__ == "__main__":
    main()
