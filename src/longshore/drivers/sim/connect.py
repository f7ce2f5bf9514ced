"""Service Connect without proxies (ports.ConnectDriver): everybody answers, nothing stays connected, unless told so."""

from collections.abc import Sequence

from longshore.domain.names.connect import ConnectCounts, ConnectPlan, Endpoint


class SimConnect:
    """Remembers what it was told."""

    def __init__(self, plans: dict[str, ConnectPlan] | None = None) -> None:
        self.plans = {} if plans is None else plans
        """By task. Proxies outlive who speaks to them, as their tasks do: the next one may be given these."""
        self.silent: set[Endpoint] = set()
        """Who does not answer yet, after all."""
        self.connected: set[Endpoint] = set()
        """Who has connections yet, after all."""

    async def apply(self, task_id: str, plan: ConnectPlan) -> None:
        """Remember."""
        self.plans[task_id] = plan

    async def busy(self, _task_id: str) -> frozenset[Endpoint]:
        """Those that are said to be."""
        return frozenset(self.connected)

    async def answers(self, endpoint: Endpoint) -> bool:
        """Yes, but for those that are said not to."""
        return endpoint not in self.silent

    async def counts(self, _task_id: str) -> Sequence[ConnectCounts]:
        """Nothing is counted."""
        return ()
