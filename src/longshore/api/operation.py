"""What an API operation is: its handler, and what of its input is refused or kept without effect.

A handler is a plain function of one `Call`: it validates, makes its changes in the call's transaction, and returns the
result as the service model shapes it. It waits for nothing, and when it raises nothing has changed. The chain
(`app.py`) parses, checks `refuses`, calls, waits until the change is durable, and answers. `docs/coverage.md` is made
from these tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from longshore.api.access.access import Access
from longshore.api.callers.auth import Caller
from longshore.domain.clock import Ids
from longshore.domain.record import Scope
from longshore.domain.secrets.vault import Vault
from longshore.store.events import EventLog
from longshore.store.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, on its way through a handler."""

    tx: Transaction
    events: EventLog
    scope: Scope
    now: float
    ids: Ids
    vault: Vault
    caller: Caller
    access: Access
    request_id: str
    params: dict[str, Any]
    """The validated input, as boto3 users write it."""

    @property
    def principal_arn(self) -> str:
        """Who calls."""
        return self.caller.principal_arn


Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is served.

    `refuses` and `inert` map a path into the input (`deploymentConfiguration.strategy`,
    `containerDefinitions[].secrets`) to a sentence. A refused member may be absent, null, empty, or equal to one of
    `allowed[path]`; anything else is answered with the sentence and `codes[path]`, or else the service's
    `refusal_code`. An inert member is kept and answered but has no effect, which the sentence says. What the handler
    itself refuses of a member in some cases, although AWS takes it, is in `partly`, for the page of what is served.
    """

    handler: Handler
    refuses: Mapping[str, str] = field(default_factory=dict)
    allowed: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    inert: Mapping[str, str] = field(default_factory=dict)
    partly: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """A service's operations, by name. `name` is botocore's (`ecs`, `logs`); `refusal_code` answers what is refused."""

    name: str
    operations: Mapping[str, Operation]
    refusal_code: str
    validation_code: str = ""
    """The error code for input that the model forbids; empty where it is the protocol's usual one."""
    summary: str = ""
