"""The `longshore` command: what each word does is in its own module; here is how it is said."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from longshore import __version__
from longshore.config import DEFAULT_ACCOUNT, DEFAULT_PORT, DEFAULT_REGION

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Amazon ECS on machines you own.")
out = Console()
err = Console(stderr=True)

StateOption = Annotated[Path | None, typer.Option("--state", envvar="LONGSHORE_STATE", help="State folder.")]
EndpointOption = Annotated[str | None, typer.Option("--endpoint", help="Where Longshore answers.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="AWS region to look at.")]
ClusterOption = Annotated[str, typer.Option("--cluster", help="Cluster.")]


def main() -> None:
    """Run a command; errors for users are one sentence, not a traceback."""
    app()


@app.command()
def up(  # noqa: PLR0913  each is an option of the command line
    *,
    state: StateOption = None,
    listen: Annotated[
        str, typer.Option(envvar="LONGSHORE_LISTEN", help="Address; others than loopback need --auth.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(envvar="LONGSHORE_PORT", help="Port of all AWS APIs.")] = DEFAULT_PORT,
    account: Annotated[str, typer.Option(envvar="LONGSHORE_ACCOUNT", help="Account id.")] = DEFAULT_ACCOUNT,
    region: Annotated[
        str, typer.Option(envvar="LONGSHORE_REGION", help="Region of unsigned requests.")
    ] = DEFAULT_REGION,
    engine: Annotated[
        str, typer.Option(envvar="LONGSHORE_ENGINE", help="docker, or sim: tasks that only seem to run.")
    ] = ("docker"),
    auth: Annotated[
        bool, typer.Option(envvar="LONGSHORE_AUTH", help="Check signatures (see `longshore keys`).")
    ] = False,
    iam: Annotated[
        str,
        typer.Option(envvar="LONGSHORE_IAM", help="open, or enforce (as with --auth): tasks' roles must exist."),
    ] = "",
    docker_url: Annotated[str | None, typer.Option(envvar="DOCKER_HOST", help="Docker Engine.")] = None,
    pull: Annotated[
        str, typer.Option(envvar="LONGSHORE_PULL", help="Pull images: missing, or always (as Fargate).")
    ] = "missing",
    registry_host: Annotated[
        str,
        typer.Option(envvar="LONGSHORE_REGISTRY_HOST", help="HOST:PORT of repositories' URIs; empty: localhost."),
    ] = "",
    healthy_after: Annotated[
        float, typer.Option(envvar="LONGSHORE_HEALTHY_AFTER", help="Seconds until a task without checks is healthy.")
    ] = 3.0,
    lb_address: Annotated[
        str, typer.Option(envvar="LONGSHORE_LB_ADDRESS", help="Where this host answers for load balancers.")
    ] = "127.0.0.1",
    lb_ports: Annotated[
        str,
        typer.Option(envvar="LONGSHORE_LB_PORTS", help="HOST:LISTENER ports there, by commas; empty: none."),
    ] = "80:80,443:443",
    lb_limit: Annotated[
        int,
        typer.Option(envvar="LONGSHORE_LB_LIMIT", min=1, help="Load balancers of a type that an account may have."),
    ] = 50,
    warm: Annotated[
        int, typer.Option(envvar="LONGSHORE_WARM", min=0, max=64, help="Network namespaces kept ready per subnet used.")
    ] = 0,
    cpu_overcommit: Annotated[
        float, typer.Option(envvar="LONGSHORE_CPU_OVERCOMMIT", help="How many times CPU may be promised.")
    ] = 4.0,
    memory_overcommit: Annotated[
        float, typer.Option(envvar="LONGSHORE_MEMORY_OVERCOMMIT", help="How many times memory may be promised.")
    ] = 1.0,
    history: Annotated[float, typer.Option(envvar="LONGSHORE_HISTORY", help="Days that stopped tasks are kept.")] = 7.0,
    security_groups: Annotated[
        str,
        typer.Option(
            envvar="LONGSHORE_SECURITY_GROUPS", help="enforce, off, or auto: enforce them where this machine can."
        ),
    ] = "auto",
    egress: Annotated[
        str, typer.Option(envvar="LONGSHORE_EGRESS", help="open, or routes: reach the outside as route tables say.")
    ] = "open",
    vpc_cidr: Annotated[str, typer.Option(envvar="LONGSHORE_VPC_CIDR", help="CIDR of the default VPC.")] = "",
    with_: Annotated[
        str, typer.Option("--with", envvar="LONGSHORE_WITH", help="moto: it answers what Longshore doesn't serve.")
    ] = "",
    forward: Annotated[
        list[str] | None,
        typer.Option(envvar="LONGSHORE_FORWARD", help="SERVICE=URL: who answers for a service; repeatable."),
    ] = None,
    log_level: Annotated[
        str, typer.Option(envvar="LONGSHORE_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "warning",
) -> None:
    """Start Longshore and stay until Ctrl-C."""
    from longshore.cli.up import serve  # noqa: PLC0415  other commands start faster without the server

    serve(
        err,
        state=state,
        listen=listen,
        port=port,
        account=account,
        region=region,
        engine=engine,
        auth=auth,
        iam=iam,
        docker_url=docker_url,
        pull=pull,
        registry_host=registry_host,
        healthy_after_s=healthy_after,
        lb_address=lb_address,
        lb_ports=lb_ports,
        lb_limit=lb_limit,
        warm=warm,
        cpu_overcommit=cpu_overcommit,
        memory_overcommit=memory_overcommit,
        history_s=history * 86400,
        security_groups=security_groups,
        egress=egress,
        vpc_cidr=vpc_cidr,
        others=with_,
        forwards=forward or [],
        log_level=log_level,
    )


@app.command()
def status(
    *,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, once a second.")] = False,
) -> None:
    """Show clusters, services and tasks, and why something is not running."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    from longshore.cli.client import server_from  # noqa: PLC0415  as above
    from longshore.cli.status import render  # noqa: PLC0415  as above

    server = server_from(endpoint, region)
    try:
        if not watch:
            out.print(render(server, time.time()))
            return
        with Live(render(server, time.time()), console=out, screen=False, auto_refresh=False) as live:
            while True:
                time.sleep(1.0)
                live.update(render(server, time.time()), refresh=True)
    except KeyboardInterrupt:
        return
    except (BotoCoreError, ClientError) as error:
        no_answer(server.endpoint, error)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A service's name, or a task's id (its first 6 letters will do).")],
    *,
    cluster: ClusterOption = "default",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
) -> None:
    """Print what a service's or a task's containers print."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    from longshore.cli.client import server_from  # noqa: PLC0415  as above
    from longshore.cli.logs import NothingToShowError, lines  # noqa: PLC0415  as above

    server = server_from(endpoint, region)
    try:
        for label, when, message in lines(server, cluster, name, follow=follow):
            stamp = time.strftime("%H:%M:%S", time.localtime(when))
            out.print(f"[dim]{stamp}[/dim] [cyan]{label}[/cyan]", end=" ", highlight=False)
            out.print(message, markup=False, highlight=False)
    except KeyboardInterrupt:
        return
    except NothingToShowError as error:
        fail(str(error))
    except (BotoCoreError, ClientError) as error:
        no_answer(server.endpoint, error)


@app.command()
def doctor(
    *,
    port: Annotated[int, typer.Option(envvar="LONGSHORE_PORT", help="The port to be used.")] = DEFAULT_PORT,
    state: StateOption = None,
    docker_url: Annotated[str | None, typer.Option(envvar="DOCKER_HOST", help="Docker Engine.")] = None,
) -> None:
    """Look whether this machine has what Longshore needs, and say what to do where it hasn't."""
    from longshore.cli.doctor import examine  # noqa: PLC0415  imports an HTTP client
    from longshore.cli.up import DEFAULT_DOCKER, default_state  # noqa: PLC0415  as above

    well = True
    for finding in examine(port=port, state=state or default_state(), docker_url=docker_url or DEFAULT_DOCKER):
        mark = "[green]ok[/green]  " if finding.ok else "[red]no[/red]  "
        out.print(f"{mark}{finding.what}: {finding.found}", highlight=False)
        if not finding.ok:
            well = False
            out.print(f"      {finding.advice}", style="yellow", highlight=False)
    if not well:
        raise typer.Exit(1)


@app.command(name="dns")
def names(*, endpoint: EndpointOption = None, region: RegionOption = None) -> None:
    """Say how this host can resolve the names that tasks do."""
    from longshore.cli.client import server_from  # noqa: PLC0415  slow to import
    from longshore.cli.names import NO_ANSWER, advice, answers, private_zones  # noqa: PLC0415  as above

    if not answers():
        fail(NO_ANSWER)
    zones = private_zones(server_from(endpoint, region))
    out.print(advice(zones), highlight=False, markup=False, soft_wrap=True)


@app.command()
def keys(*, state: StateOption = None, account: Annotated[str, typer.Option()] = DEFAULT_ACCOUNT) -> None:
    """Print the root key pair, for requests to a Longshore with --auth."""
    from longshore.cli.up import default_state, root_keys  # noqa: PLC0415  imports what only this needs

    pair = root_keys(state or default_state(), account)
    out.print(f"export AWS_ACCESS_KEY_ID={pair.access_key_id}", highlight=False)
    out.print(f"export AWS_SECRET_ACCESS_KEY={pair.secret_access_key}", highlight=False)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


def no_answer(endpoint: str, error: Exception) -> None:
    """End, since no Longshore answered as it should."""
    fail(f"{endpoint} does not answer as Longshore does: {error} Is it running? `longshore up` starts it.")


def fail(sentence: str) -> None:
    """End with a sentence."""
    err.print(sentence, style="red", highlight=False)
    sys.exit(1)


if __name__ == "__main__":
    main()
