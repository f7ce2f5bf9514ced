"""The main job, shown: services of real containers through the ECS API, with the AWS CLI and boto3 as they come.

Run by `make demo`. Starts a Longshore of its own (state in a temporary folder, a free port), and removes all it made.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import boto3
import httpx
from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.support.data_plane import end as end_data_plane  # noqa: E402  the repository's own helpers
from tests.support.engine import docker_url, free_cidr, labelled, remove  # noqa: E402  the repository's own helpers
from tests.support.images import busybox_image  # noqa: E402  as above

BIN = Path(sys.executable).parent
CLUSTER, GROUP = "demo", "/demo/hello"
NAMESPACE = "demo.internal"
CALLER = """n=0; lost=0
while sleep 0.05; do
  if http-get hello 80 / >/dev/null 2>&1; then n=$((n + 1)); else lost=$((lost + 1)); fi
  [ $(((n + lost) % 20)) = 0 ] && echo "calls $n $lost"
done &
"""
"""What one service's tasks do beside their own work: call the other by its name, and say now and then how it went."""
LIMIT_S = 60.0
out = Console(highlight=False)
http = httpx.Client(timeout=5, trust_env=False)


class Demo:
    """One run."""

    def __init__(self, folder: Path) -> None:
        self.began = time.monotonic()
        self.folder = folder
        self.url = docker_url()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://localhost:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_PAGER": "",
        }
        session = boto3.Session(aws_access_key_id="demo", aws_secret_access_key="demo", region_name="us-east-1")  # noqa: S106  not checked on loopback
        self.ecs: Any = session.client("ecs", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        self.logs: Any = session.client("logs", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        self.elb: Any = session.client("elbv2", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        self.names: Any = session.client("servicediscovery", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.lb_port = probe.getsockname()[1]
        self.subnets: list[str] = []
        self.balancer: dict[str, Any] = {}
        self.groups: dict[str, str] = {}
        self.registry = ""

    def step(self, title: str) -> None:
        """A headline."""
        out.print(f"\n[bold cyan]{time.monotonic() - self.began:5.1f} s  {title}[/bold cyan]")

    def say(self, text: str) -> None:
        """A line below it."""
        out.print(f"         {text}")

    def aws(self, *words: str, quiet: bool = False) -> Any:
        """The AWS CLI, as a user types it."""
        shown = " ".join(word if len(word) < 40 else word[:37] + "…" for word in words)
        if not quiet:
            self.say(f"[dim]$ aws {shown if len(shown) < 100 else shown[:99] + '…'}[/dim]")
        command = [str(BIN / "aws"), *words, "--output", "json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise SystemExit(f"aws {shown}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def until(self, what: str, ready: Callable[[], Any]) -> Any:
        """Look until it is so."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            found = ready()
            if found:
                return found
            time.sleep(0.05)
        raise SystemExit(f"demo: waited {LIMIT_S:.0f} s for {what}; {self.environment['AWS_ENDPOINT_URL']} tells more")

    # What is there.

    def service(self, name: str) -> dict[str, Any]:
        """A service, as DescribeServices has it."""
        described: dict[str, Any] = self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0]
        return described

    def settled(self, name: str) -> bool:
        """Whether a service has one deployment, completed, and all its tasks run."""
        service = self.service(name)
        whole = service["runningCount"] == service["desiredCount"]
        return whole and [d["rolloutState"] for d in service["deployments"]] == ["COMPLETED"]

    def tasks(self, name: str) -> list[dict[str, Any]]:
        """A service's tasks that are to run."""
        arns = self.ecs.list_tasks(cluster=CLUSTER, serviceName=name)["taskArns"]
        found: list[dict[str, Any]] = self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
        return found

    def answer(self, task: dict[str, Any]) -> str:
        """What a task answers at its own address."""
        return fetch(f"http://{address(task)}/")

    def through(self, path: str) -> str:
        """What the load balancer answers this host, by its name."""
        return fetch(f"http://127.0.0.1:{self.lb_port}{path}", Host=self.balancer["DNSName"])

    # The story.

    def play(self) -> None:
        """All of it."""
        self.create()
        self.ask_each_other()
        self.ask_the_load_balancer()
        self.kill_one()
        self.roll()
        self.one_off()
        self.remove()

    def create(self) -> None:
        """A cluster, two task definitions, two services of two tasks, a load balancer in front."""
        self.step("A cluster and two services of two tasks each, behind a load balancer")
        self.aws(
            "ecs", "create-cluster", "--cluster-name", CLUSTER, "--service-connect-defaults", f"namespace={CLUSTER}"
        )
        self.aws("logs", "create-log-group", "--log-group-name", GROUP)
        self.subnets = [s["SubnetId"] for s in self.aws("ec2", "describe-subnets")["Subnets"]]
        self.balance()
        self.name()
        for name in ("hello", "backend"):
            self.register(name, greeting="hello")
            network = f"awsvpcConfiguration={{subnets=[{','.join(self.subnets)}]}}"
            words = ["--service-name", name, "--task-definition", name, "--desired-count", "2"]
            words += ["--launch-type", "FARGATE", "--network-configuration", network]
            words += ["--load-balancers", f"targetGroupArn={self.groups[name]},containerName=web,containerPort=80"]
            words += self.reached_as(name)
            self.aws("ecs", "create-service", "--cluster", CLUSTER, *words)
        for name in ("hello", "backend"):
            self.until(f"service {name}", partial(self.settled, name))
        for name in ("hello", "backend"):
            for task in self.tasks(name):
                self.say(f"{name}: {short(task)} at {address(task)} answers [green]{self.answer(task)!r}[/green]")

    def balance(self) -> None:
        """One load balancer: `/hello` is one service's, everything else the other's."""
        words = ["--name", "demo", "--subnets", *self.subnets]
        self.balancer = self.aws("elbv2", "create-load-balancer", *words)["LoadBalancers"][0]
        vpc = ["--protocol", "HTTP", "--port", "80", "--vpc-id", self.balancer["VpcId"], "--target-type", "ip"]
        for name in ("hello", "backend"):
            group = self.aws("elbv2", "create-target-group", "--name", name, *vpc)["TargetGroups"][0]
            self.groups[name] = group["TargetGroupArn"]
        words = ["--load-balancer-arn", self.balancer["LoadBalancerArn"], "--protocol", "HTTP", "--port", "80"]
        words += ["--default-actions", f"Type=forward,TargetGroupArn={self.groups['backend']}"]
        listener = self.aws("elbv2", "create-listener", *words)["Listeners"][0]["ListenerArn"]
        words = ["--listener-arn", listener, "--priority", "1", "--conditions", "Field=path-pattern,Values=/hello*"]
        words += ["--actions", f"Type=forward,TargetGroupArn={self.groups['hello']}"]
        self.aws("elbv2", "create-rule", *words)

    def name(self) -> None:
        """`hello.demo.internal` is the tasks of one service."""
        words = ["--name", NAMESPACE, "--vpc", self.balancer["VpcId"]]
        self.aws("servicediscovery", "create-private-dns-namespace", *words)
        made = self.aws("servicediscovery", "list-namespaces", quiet=True)["Namespaces"]
        namespace = next(each["Id"] for each in made if each["Name"] == NAMESPACE)
        dns = f"NamespaceId={namespace},DnsRecords=[{{Type=A,TTL=0}}]"
        found = self.aws("servicediscovery", "create-service", "--name", "hello", "--dns-config", dns)
        self.registry = found["Service"]["Arn"]

    def reached_as(self, name: str) -> list[str]:
        """One service offers the name `hello` to the other, and has a name in DNS besides."""
        if name != "hello":
            return ["--service-connect-configuration", f"enabled=true,namespace={CLUSTER}"]
        offered = "services=[{portName=web,clientAliases=[{port=80,dnsName=hello}]}]"
        words = ["--service-connect-configuration", f"enabled=true,namespace={CLUSTER},{offered}"]
        return [*words, "--service-registries", f"registryArn={self.registry}"]

    def register(self, name: str, *, greeting: str) -> None:
        """A web server that says which service, which version and which task it is."""
        page = f"{name}, $GREETING $VERSION"
        serve = f'mkdir /www/{name}; echo "{page}" | tee /www/index.html /www/{name}/index.html >/dev/null; '
        serve += f'echo "serving {page}"; {CALLER if name == "backend" else ""} exec httpd -f -p 80 -h /www'
        container = {
            "name": "web",
            "image": "longshore-test/busybox:latest",
            "command": ["sh", "-c", serve],
            "environment": [{"name": "GREETING", "value": greeting}, {"name": "VERSION", "value": "1"}],
            "portMappings": [{"containerPort": 80, "name": "web", "appProtocol": "http"}],
            "linuxParameters": {"initProcessEnabled": True},
            "logConfiguration": awslogs(name),
        }
        words = ["--family", name, "--network-mode", "awsvpc", "--requires-compatibilities", "FARGATE"]
        words += ["--cpu", "256", "--memory", "512", "--execution-role-arn", "ecsTaskExecutionRole"]
        self.aws("ecs", "register-task-definition", *words, "--container-definitions", json.dumps([container]))

    def ask_each_other(self) -> None:
        """A task reaches another by its address, and by the name of its service."""
        self.step("From one task to another")
        for service, target in (("backend", address(self.tasks("backend")[0])), ("hello", f"hello.{NAMESPACE}")):
            code, lines = self.run_task(f"http-get {target} 80 /")
            self.say(f"a task asked {target} and got [green]{lines[-1] if lines else ''!r}[/green] (exit code {code})")
            if service not in " ".join(lines):
                raise SystemExit(f"demo: the answer from {target} was {lines}")

    def ask_the_load_balancer(self) -> None:
        """From this host, by the load balancer's name."""
        self.step("Through the load balancer")
        for path in ("/", "/hello/"):
            url = f"http://{self.balancer['DNSName']}:{self.lb_port}{path}"
            self.say(f"{url} answers [green]{self.through(path)!r}[/green]")

    def kill_one(self) -> None:
        """A container dies and is replaced."""
        self.step("A container is killed, and replaced")
        victim = self.tasks("hello")[0]
        began = time.monotonic()
        kill(self.url, victim["containers"][0]["runtimeId"])

        def replaced() -> bool:
            running = [t for t in self.tasks("hello") if t["lastStatus"] == "RUNNING"]
            return len(running) == 2 and victim["taskArn"] not in {t["taskArn"] for t in running}

        self.until("the replacement", replaced)
        dead = self.ecs.describe_tasks(cluster=CLUSTER, tasks=[victim["taskArn"]])["tasks"][0]
        code = dead["containers"][0].get("exitCode")
        self.say(f"{short(victim)} exited with {code}: {dead['stoppedReason']}")
        self.say(f"its replacement runs after [green]{time.monotonic() - began:.1f} s[/green]")
        self.until("the service to settle", lambda: self.settled("hello"))

    def roll(self) -> None:
        """Two environment variables change on two tasks."""
        self.step("Two environment variables change: a rolling update")
        definition = self.ecs.describe_task_definition(taskDefinition="hello")["taskDefinition"]
        containers = definition["containerDefinitions"]
        containers[0]["environment"] = [{"name": "GREETING", "value": "good day"}, {"name": "VERSION", "value": "2"}]
        words = ["--family", "hello", "--network-mode", "awsvpc", "--requires-compatibilities", "FARGATE"]
        words += ["--cpu", "256", "--memory", "512", "--execution-role-arn", "ecsTaskExecutionRole"]
        self.aws("ecs", "register-task-definition", *words, "--container-definitions", json.dumps(containers))
        before = self.calls()
        began, wall = time.monotonic(), time.time()
        self.aws("ecs", "update-service", "--cluster", CLUSTER, "--service", "hello", "--task-definition", "hello")
        fewest = 2

        def rolled() -> bool:
            nonlocal fewest
            service = self.service("hello")
            fewest = min(fewest, service["runningCount"])
            return service["taskDefinition"].endswith(":2") and self.settled("hello")

        with Asking(lambda: self.through("/hello/")) as asking:
            self.until("the rollout", rolled)
        took = time.monotonic() - began
        for event in reversed(self.service("hello")["events"]):
            after = event["createdAt"].timestamp() - wall
            if after > 0:
                self.say(f"[dim]{after:5.1f} s[/dim]  {event['message'].partition(') ')[2]}")
        for task in self.tasks("hello"):
            self.say(f"{short(task)} answers [green]{self.answer(task)!r}[/green]")
        self.say(f"done in [green]{took:.1f} s[/green]; never fewer than [green]{fewest}[/green] tasks ran")
        self.say(f"asked the load balancer all the while: {asking.answered} answers, [green]{asking.lost} lost[/green]")
        time.sleep(2)  # for the callers' next words
        answered, lost = (now - then for now, then in zip(self.calls(), before, strict=True))
        self.say(f"backend's tasks called hello by its name: {answered} answers, [green]{lost} lost[/green]")
        if lost or not answered:
            raise SystemExit("demo: calls from service to service were lost during the rollout")
        if asking.lost:
            raise SystemExit("demo: the load balancer lost requests during the rollout")
        if fewest < 2:
            raise SystemExit("demo: fewer than two tasks ran during the rollout")

    def calls(self) -> tuple[int, int]:
        """How many calls of the other service's name were answered and lost so far, as its tasks say."""
        said = [self.lines(stream_of(task["taskArn"])) for task in self.tasks("backend")]
        last = [[line.split() for line in lines if line.startswith("calls")][-1] for lines in said]
        return sum(int(words[1]) for words in last), sum(int(words[2]) for words in last)

    def one_off(self) -> None:
        """A one-off task, its output as it comes, its exit code."""
        self.step("A one-off task: live output, exit code")
        code, lines = self.run_task("for n in 1 2 3; do echo line $n; sleep 0.3; done; exit 7", live=True)
        self.say(f"exit code [green]{code}[/green], {len(lines)} lines")
        if code != 7 or lines != ["line 1", "line 2", "line 3"]:
            raise SystemExit(f"demo: expected exit code 7 and three lines, got {code} and {lines}")

    def run_task(self, script: str, *, live: bool = False) -> tuple[int, list[str]]:
        """A task with another command; its exit code and its lines."""
        arn = self.begin_task(script)
        seen: list[str] = []

        def stopped() -> Any:
            task = self.task(arn)
            lines = self.lines(stream_of(arn))
            for line in lines[len(seen) :] if live else []:
                self.say(f"[dim]{task['lastStatus']:>14}[/dim]  {line}")
            seen[:] = lines
            return task if task["lastStatus"] == "STOPPED" else None

        task = self.until("the task to stop", stopped)
        return task["containers"][0].get("exitCode", -1), self.lines(stream_of(arn))

    def begin_task(self, script: str) -> str:
        """RunTask with another command; the task's ARN."""
        overrides = {"containerOverrides": [{"name": "web", "command": ["sh", "-c", script]}]}
        run = self.ecs.run_task(
            cluster=CLUSTER,
            taskDefinition="backend",
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": self.subnets}},
            overrides=overrides,
        )
        if run["failures"]:
            raise SystemExit(f"demo: the task was not placed: {run['failures']}")
        return str(run["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        """A task, as DescribeTasks has it."""
        described: dict[str, Any] = self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
        return described

    def lines(self, stream: str) -> list[str]:
        """What a stream holds by now."""
        try:
            events = self.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]

    def remove(self) -> None:
        """Everything goes."""
        self.step("Clean up")
        for name in ("hello", "backend"):
            self.ecs.delete_service(cluster=CLUSTER, service=name, force=True)
        self.until("the tasks to end", lambda: not self.live())
        self.elb.delete_load_balancer(LoadBalancerArn=self.balancer["LoadBalancerArn"])
        for group in self.groups.values():
            self.elb.delete_target_group(TargetGroupArn=group)
        self.names.delete_service(Id=self.registry.rpartition("/")[2])
        for left in self.names.list_namespaces()["Namespaces"]:  # ours, and that of Service Connect
            self.names.delete_namespace(Id=left["Id"])
        self.ecs.delete_cluster(cluster=CLUSTER)
        self.logs.delete_log_group(logGroupName=GROUP)
        self.say("services, tasks, cluster, load balancer, names and logs are gone")

    def live(self) -> list[str]:
        """Tasks that are not wholly stopped."""
        arns = self.ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"]
        arns += self.ecs.list_tasks(cluster=CLUSTER)["taskArns"]
        tasks = self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns[:100])["tasks"] if arns else []
        return [task["taskArn"] for task in tasks if task["lastStatus"] != "STOPPED"]

    @contextlib.contextmanager
    def server(self) -> Iterator[None]:
        """`longshore up`, while the story goes."""
        command = [str(BIN / "longshore"), "up", "--port", str(self.port), "--state", str(self.folder)]
        command += ["--vpc-cidr", free_cidr(self.url, 16), "--docker-url", self.url]
        command += ["--lb-ports", f"{self.lb_port}:80"]
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                self.until("Longshore", lambda: self.healthy(process))
                yield
            finally:
                process.terminate()
                process.wait(timeout=30)
                self.sweep()

    def sweep(self) -> None:
        """Remove what is left on the Docker Engine: networks, and containers if the story broke off."""
        with contextlib.suppress(FileNotFoundError):  # it ended before it had a name
            instance = (self.folder / "instance").read_text().strip()
            end_data_plane(instance)
            left = labelled(self.url, "longshore.instance")
            remove(self.url, frozenset(thing for thing in left if thing.instance == instance))

    def healthy(self, process: "subprocess.Popen[bytes]") -> bool:
        """Whether it answers."""
        if process.poll() is not None:
            raise SystemExit("demo: longshore ended: " + (self.folder / "log").read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_longshore/health", timeout=2) as health:
                return bool(health.status == 200)
        except OSError:
            return False


class Asking:
    """Asks all the time, in a thread of its own."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self.answered = self.lost = 0
        self._ask = ask
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._end.wait(0.005):
            try:
                self._ask()
                self.answered += 1
            except httpx.HTTPError:
                self.lost += 1


def fetch(url: str, **headers: str) -> str:
    """The text at a URL."""
    answer = http.get(url, headers=headers)
    return answer.raise_for_status().text.strip()


def awslogs(_name: str) -> dict[str, Any]:
    """Output into the demo's log group."""
    options = {"awslogs-group": GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "demo"}
    return {"logDriver": "awslogs", "options": options}


def address(task: dict[str, Any]) -> str:
    """The address of a task's network interface."""
    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    return str(details["privateIPv4Address"])


def short(task: dict[str, Any]) -> str:
    """A task's id, as far as people read."""
    return "task " + str(task["taskArn"].rpartition("/")[2][:8])


def stream_of(arn: str) -> str:
    """Where a task's output goes."""
    return f"demo/web/{arn.rpartition('/')[2]}"


def kill(url: str, container: str) -> None:
    """`docker kill`, as an accident would."""
    docker = shutil.which("docker") or "docker"
    subprocess.run([docker, "-H", url, "kill", container], check=True, capture_output=True, timeout=30)


def main() -> None:
    """Play, and say so."""
    with tempfile.TemporaryDirectory(prefix="longshore-demo-") as folder:
        demo = Demo(Path(folder))
        demo.step("Longshore starts")
        demo.say(f"image {busybox_image(demo.url)} (built here: nothing is pulled)")
        with demo.server():
            demo.say(f"the AWS APIs answer at {demo.environment['AWS_ENDPOINT_URL']}")
            demo.play()
        out.print(f"\n{time.monotonic() - demo.began:.1f} s in all")
    out.print("demo: ok")


if __name__ == "__main__":
    main()
