"""What a request asks for: actions on resources, with what conditions may look at. No service is known here by name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from longshore.domain.arn import Arn
from longshore.domain.record import Scope
from longshore.store.store import Reader

Values = Mapping[str, tuple[str, ...]]
"""What conditions may look at: values by key, in small letters."""
ANY = "*"


@dataclass(frozen=True, slots=True)
class Ask:
    """One parsed request, before its handler."""

    reader: Reader
    scope: Scope
    service: str
    operation: str
    params: Mapping[str, Any]
    principal_arn: str

    def arn(self, service: str, resource: str, *, regional: bool = True, owned: bool = True) -> str:
        """An ARN of the caller's account and region; of all regions or accounts where its service has it so."""
        scope = Scope(self.scope.account if owned else "", self.scope.region if regional else "")
        return str(Arn(service, scope, resource))

    def text(self, name: str) -> str:
        """A member of the input that is a text, or nothing."""
        value = self.params.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, *names: str) -> list[str]:
        """All texts of members that are texts or lists of them."""
        found: list[str] = []
        for name in names:
            value = self.params.get(name)
            listed = value if isinstance(value, list) else [value]
            found += [each for each in listed if isinstance(each, str) and each]
        return found


@dataclass(frozen=True, slots=True)
class Need:
    """One action that must be allowed on one resource."""

    action: str
    resource: str = ANY
    also: tuple[str, ...] = ()
    """Other ways to write the same resource: a policy may use any."""
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class On:
    """The resources of an operation, and what conditions of its service may look at."""

    resources: tuple[str, ...] = (ANY,)
    values: Values = field(default_factory=dict)
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    more: tuple[Need, ...] = ()
    """Actions beside the operation's own."""


Rule = Callable[[Ask], On]


def on(resources: Iterable[str], values: Values | None = None, more: Iterable[Need] = ()) -> On:
    """These resources; all where there are none."""
    return On(tuple(dict.fromkeys(resources)) or (ANY,), values or {}, more=tuple(more))


def members(*names: str) -> Rule:
    """The resources whose ARNs are members of the input."""

    def rule(ask: Ask) -> On:
        return on(each for each in ask.texts(*names) if each.startswith("arn:"))

    return rule
