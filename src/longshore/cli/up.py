"""`longshore up`: settings from the command line and the environment, one screen of what runs, and the server."""

import asyncio
import ipaddress
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
import uvloop
from rich.console import Console

from longshore import __version__
from longshore.api.callers.auth import ListenRefused
from longshore.api.callers.credentials import Credentials, KeyPair
from longshore.api.http.server import ListenError
from longshore.config import Config
from longshore.drivers.ports import Permanent, ProviderRefused, Retryable
from longshore.main import Longshore, run
from longshore.state import DATABASE, StateRefused, master_key, open_folder
from longshore.store.errors import StoreFailed, StoreRefused

DEFAULT_DOCKER = "unix:///var/run/docker.sock"


def default_state() -> Path:
    """`$XDG_DATA_HOME/longshore`, or `~/.local/share/longshore`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "longshore"


def root_keys(state: Path, account: str) -> KeyPair:
    """The root key pair of a state folder (made where it is not there, but for a state that has lost its key)."""
    given = os.environ.get("LONGSHORE_SECRET_KEY", "")
    try:
        open_folder(state)
        return Credentials(master_key(state, given, make=not (state / DATABASE).exists()), account).root()
    except StateRefused as error:
        sys.exit(f"{error} While its first start is under way, ask again in a moment.")


def port_pairs(text: str) -> tuple[tuple[int, int], ...]:
    """`(listener port, host port)` of a text such as `8080:80,8443:443`. Exits where it is none."""
    pairs = []
    for part in filter(None, text.split(",")):
        host, _, listener = part.partition(":")
        if not (host.isdecimal() and listener.isdecimal() and 0 < int(host) < 65536 and 0 < int(listener) < 65536):
            sys.exit(f"--lb-ports takes HOST:LISTENER pairs such as 8080:80,8443:443, not {part!r}.")
        pairs.append((int(listener), int(host)))
    if any(len(set(ports)) < len(pairs) for ports in zip(*pairs, strict=True)):
        sys.exit(f"--lb-ports can name a port of the host, or of listeners, only once: {text!r}.")
    return tuple(pairs)


def forward_pairs(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`(service, URL)` of texts such as `s3=http://localhost:9000`. Exits where one is none."""
    pairs = []
    for text in texts:
        service, _, url = text.partition("=")
        if not service or not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url):
            sys.exit(f"--forward takes SERVICE=URL such as s3=http://localhost:9000, not {text!r}.")
        pairs.append((service, url))
    if len({service for service, _ in pairs}) < len(pairs):
        sys.exit(f"--forward can name a service only once: {', '.join(texts)}.")
    return tuple(pairs)


def checked_address(text: str) -> str:
    """An address of this host, or nothing. Exits for what is no address."""
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        sys.exit(f"--lb-address takes an IP address of this host, such as 127.0.0.1, or nothing, not {text!r}.")


def serve(
    console: Console,
    *,
    state: Path | None,
    docker_url: str | None,
    log_level: str,
    lb_address: str,
    lb_ports: str,
    others: str,
    forwards: Sequence[str],
    **options: Any,
) -> None:
    """Run until told to stop. A problem of the user's machine ends it with a sentence, not with a traceback."""
    began = time.monotonic()
    _log_to_stderr(log_level)
    config = Config(
        state=state or default_state(),
        docker_url=docker_url or DEFAULT_DOCKER,
        master_key=os.environ.get("LONGSHORE_SECRET_KEY", ""),
        log_level=log_level,
        lb_address=checked_address(lb_address),
        lb_ports=port_pairs(lb_ports),
        moto=others == "moto",
        forwards=forward_pairs(forwards),
        **options,
    )
    if config.engine not in {"docker", "sim"}:
        sys.exit(f"There is no engine {config.engine!r}: choose docker or sim.")
    if config.iam not in {"", "open", "enforce"}:
        sys.exit(f"--iam takes open or enforce, not {config.iam!r}: docs/security.md says what they are.")
    if others not in {"", "moto"}:
        sys.exit(f"--with takes moto, not {others!r}.")
    if config.security_groups not in {"auto", "enforce", "off"}:
        sys.exit(f"--security-groups takes enforce, off or auto, not {config.security_groups!r}.")
    if config.egress not in {"open", "routes"}:
        sys.exit(f"--egress takes open or routes, not {config.egress!r}.")

    def tell(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {text}", highlight=False)

    def ready(longshore: Longshore) -> None:
        tell("ready")
        _screen(console, longshore)

    try:
        uvloop.run(run(config, tell, ready))
    except (Permanent, Retryable) as error:
        sys.exit(f"{error.reason} `longshore doctor` says what this machine lacks.")
    except (ListenError, ListenRefused, ProviderRefused, StateRefused, StoreRefused, StoreFailed) as error:
        sys.exit(str(error))
    except asyncio.CancelledError:
        return


def _screen(console: Console, longshore: Longshore) -> None:
    config = longshore.config
    url = (
        f"http://localhost:{config.port}"
        if config.listen.startswith("127.")
        else f"http://{config.listen}:{config.port}"
    )
    console.print(
        f"\n[bold]Longshore {__version__}[/bold]: the ECS API at [bold]{url}[/bold], account {config.account}"
    )
    console.print(f"  engine {longshore.engine.name} · state {config.state}", style="dim", highlight=False)
    for what, provider in longshore.providers.named.items():
        console.print(f"  {what}: answered by {provider}", style="dim", highlight=False)
    if longshore.firewall.why_off:
        console.print(f"  security groups are not enforced: {longshore.firewall.why_off}", style="dim", highlight=False)
    console.print("\nPoint your tools at it:", highlight=False)
    console.print(f"  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={config.region}", highlight=False)
    if config.auth:
        console.print('  eval "$(longshore keys)"      # requests must be signed', highlight=False)
    else:
        console.print("  export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x", highlight=False)
    console.print("  aws ecs create-cluster --cluster-name default", highlight=False)
    console.print("\n`longshore status --watch` shows what runs. Ctrl-C stops Longshore; containers go on running.\n")


def _log_to_stderr(level: str) -> None:
    """Lines for people on a terminal, JSON otherwise."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        sys.exit(f"There is no log level {level!r}: choose debug, info, warning or error.")
    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
