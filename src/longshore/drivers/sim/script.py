"""How a simulated container behaves: said by its environment, so that a user's unit test can ask for a failure.

| variable | meaning |
|---|---|
| `LONGSHORE_SIM_RUN_S` | it exits by itself after so many seconds (default: it runs until it is stopped) |
| `LONGSHORE_SIM_EXIT_CODE` | the code it exits with (default 0); without `…_RUN_S` it exits at once |
| `LONGSHORE_SIM_FAIL` | `pull` or `start`: it cannot be pulled, or not be started |
| `LONGSHORE_SIM_HEALTH` | what its health check finds: `HEALTHY` (default) or `UNHEALTHY` |
| `LONGSHORE_SIM_OUTPUT` | a line that it prints when it starts |
"""

from typing import Literal, NamedTuple

from longshore.domain.ecs.launch import ContainerLaunch

EXIT_AT_ONCE_S = 0.01


class Script(NamedTuple):
    """A container's behaviour."""

    run_s: float | None = None
    exit_code: int = 0
    fail: Literal["", "pull", "start"] = ""
    healthy: bool = True
    output: str = ""


def script_of(container: ContainerLaunch) -> Script:
    """Read the behaviour from the environment. Nonsense counts as not said."""
    said = container.environment
    exit_code = _number(said.get("LONGSHORE_SIM_EXIT_CODE"))
    run_s = _number(said.get("LONGSHORE_SIM_RUN_S"))
    if run_s is None and exit_code is not None:
        run_s = EXIT_AT_ONCE_S
    fail = said.get("LONGSHORE_SIM_FAIL", "")
    return Script(
        run_s=run_s,
        exit_code=int(exit_code or 0),
        fail="pull" if fail == "pull" else "start" if fail == "start" else "",
        healthy=said.get("LONGSHORE_SIM_HEALTH", "HEALTHY") != "UNHEALTHY",
        output=said.get("LONGSHORE_SIM_OUTPUT", ""),
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
