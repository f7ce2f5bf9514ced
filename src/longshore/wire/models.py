"""botocore's service models as the wire needs them: a card of facts per service, read cheaply, and the model itself.

`Shelf` reads only the head of a model's file until somebody asks for an operation: EC2's model alone takes a second.
"""

import gzip
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from botocore.loaders import Loader
from botocore.model import ServiceModel

PROTOCOLS = ("json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor")


class Card(NamedTuple):
    """What the metadata of a model says."""

    service: str
    signing_name: str
    target_prefix: str | None
    api_version: str
    json_version: str
    protocols: tuple[str, ...]
    namespace: str
    query_compatible: bool

    @property
    def form(self) -> str | None:
        """Return the protocol in which the service takes forms, if it does."""
        return next((protocol for protocol in self.protocols if protocol in ("query", "ec2")), None)

    @property
    def rest(self) -> str | None:
        """Return the REST protocol of the service, if it has one."""
        return next((protocol for protocol in self.protocols if protocol.startswith("rest-")), None)


class Fault(NamedTuple):
    """A modelled error."""

    shape: Any
    code: str  # on the wire of the XML protocols
    status: int
    sender: bool


def card_of(service: str, metadata: dict[str, Any]) -> Card:
    """Make a card from a model's metadata."""
    listed = metadata.get("protocols") or [metadata["protocol"]]
    namespace = metadata.get("xmlNamespace", "")
    return Card(
        service=service,
        signing_name=metadata.get("signingName") or metadata.get("endpointPrefix", service),
        target_prefix=metadata.get("targetPrefix"),
        api_version=metadata.get("apiVersion", ""),
        json_version=metadata.get("jsonVersion", "1.1"),
        protocols=tuple(dict.fromkeys([p for p in (*listed, metadata["protocol"]) if p in PROTOCOLS])),
        namespace=namespace if isinstance(namespace, str) else namespace.get("uri", ""),
        query_compatible="awsQueryCompatible" in metadata,
    )


class Service:
    """One service's model with an index of its errors."""

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        self.card = card_of(name, description["metadata"])
        self.model = ServiceModel(description, name)
        self.operations = frozenset(self.model.operation_names)
        self._shapes: dict[str, dict[str, Any]] = description.get("shapes", {})

    @cached_property
    def faults(self) -> dict[str, Fault]:
        """Return the modelled errors by the name of their shape and by their code."""
        found: dict[str, Fault] = {}
        by_code: dict[str, Fault] = {}
        for name, raw in self._shapes.items():
            if not raw.get("exception"):
                continue
            error = raw.get("error", {})
            server = bool(raw.get("fault")) or error.get("fault") is True
            status = error.get("httpStatusCode") or (500 if server else 400)
            fault = Fault(
                self.model.shape_for(name), error.get("code", name), status, error.get("senderFault", status < 500)
            )
            found[name] = fault
            by_code.setdefault(fault.code, fault)
        return {**by_code, **found}


class Shelf:
    """The models of the services we declare, loaded on first use."""

    def __init__(self, services: Iterable[str]) -> None:
        self._loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
        self._services: dict[str, Service] = {}
        self.cards = {name: card_of(name, self._metadata(name)) for name in dict.fromkeys(services)}

    def service(self, name: str) -> Service:
        """Return a service's model."""
        found = self._services.get(name)
        if found is None:
            found = Service(name, self._loader.load_service_model(name, "service-2"))
            self._services[name] = found
        return found

    def add(self, name: str, description: dict[str, Any]) -> None:
        """Put a model on the shelf that is not botocore's own (the protocol tests do)."""
        self._services[name] = Service(name, description)
        self.cards[name] = self._services[name].card

    def _metadata(self, name: str) -> dict[str, Any]:
        version = self._loader.determine_latest_version(name, "service-2")
        path = Path(Loader.BUILTIN_DATA_PATH, name, version, "service-2.json.gz")
        if path.exists():
            with gzip.open(path, "rt", encoding="utf-8") as file:
                head = file.read(16_384)
            start = head.find('"metadata":{')
            if start >= 0:
                try:
                    metadata: dict[str, Any] = json.JSONDecoder().raw_decode(head, start + len('"metadata":'))[0]
                except ValueError:
                    metadata = {}
                if "protocol" in metadata:
                    return metadata
        description: dict[str, Any] = self._loader.load_service_model(name, "service-2")
        return dict(description["metadata"])
