"""Service Connect without proxies: everybody answers, and no connection is ever left. See ports.ConnectDriver."""

from collections.abc import Sequence

from longshore.domain.connect import ConnectCounts, ConnectPlan, Endpoint


class SimConnect:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.plans: dict[str, ConnectPlan] = {}
        """By task."""

    async def apply(self, task_id: str, plan: ConnectPlan) -> None:
        """Remember."""
        self.plans[task_id] = plan

    async def busy(self, _task_id: str) -> frozenset[Endpoint]:
        """Nothing."""
        return frozenset()

    async def answers(self, _endpoint: Endpoint) -> bool:
        """Yes."""
        return True

    async def counts(self, _task_id: str) -> Sequence[ConnectCounts]:
        """Nothing is counted."""
        return ()
