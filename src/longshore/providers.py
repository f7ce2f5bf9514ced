"""Who answers for services that Longshore doesn't serve: made from the settings, opened, closed and reset together.

A part of the composition root: `main` builds it, the request chain asks its members.
"""

import difflib
from collections.abc import Iterator, Mapping

from longshore.config import Config
from longshore.drivers.ports import Provider, ProviderRefused
from longshore.wire.atlas import Atlas


class Providers:
    """By service, and for all others. Raises ProviderRefused for a service that AWS doesn't have."""

    def __init__(self, config: Config) -> None:
        self.forwards: Mapping[str, Provider] = _forwards(config)
        self.everything_else: Provider | None = _everything_else(config)

    def __iter__(self) -> Iterator[Provider]:
        """Each once, however many services it answers for."""
        yield from {id(provider): provider for provider in self.forwards.values()}.values()
        if self.everything_else is not None:
            yield self.everything_else

    @property
    def named(self) -> dict[str, str]:
        """By service what each is, for people."""
        said = {service: provider.name for service, provider in sorted(self.forwards.items())}
        return {**said, **({"other services": self.everything_else.name} if self.everything_else else {})}


def _forwards(config: Config) -> dict[str, Provider]:
    if not config.forwards:
        return {}
    from longshore.drivers.elsewhere.forward import Forward  # noqa: PLC0415  seldom needed

    atlas = Atlas()
    found: dict[str, Provider] = {}
    for name, url in config.forwards:
        cards = atlas.named(name)
        if not cards:
            near = difflib.get_close_matches(name, atlas.cards)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ProviderRefused(f"--forward: AWS has no service {name!r}, as botocore names them.{hint}")
        found.update(dict.fromkeys((card.service for card in cards), Forward(url)))
    return found


def _everything_else(config: Config) -> Provider | None:
    if not config.moto:
        return None
    from longshore.drivers.elsewhere.moto import Moto  # noqa: PLC0415  as above

    return Moto()
