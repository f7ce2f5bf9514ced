"""Images: what is present is used, what isn't is pulled, once for all that want it at the same time.

Called by runners.
"""

import asyncio
from typing import Any, Literal

from longshore.drivers.docker.client import DockerClient, DockerError, json_lines
from longshore.drivers.ending import cancelled


class PullError(Exception):
    """The image can't be had; the message is the registry's or the Engine's."""


class Images:
    """The images of one Engine."""

    def __init__(self, client: DockerClient, pull: Literal["missing", "always"]) -> None:
        self._client = client
        self._pull = pull
        self._pulls: dict[str, asyncio.Task[None]] = {}

    async def ensure(self, image: str) -> str:
        """See to it that the image is present; its digest. Raises PullError or UnreachableError."""
        if self._pull == "missing":
            found = await self._inspect(image)
            if found is not None:
                return digest(found)
        await self._pull_shared(image)
        found = await self._inspect(image)
        if found is None:
            raise PullError(f"the Docker Engine does not have {image} after it was pulled")
        return digest(found)

    async def _inspect(self, image: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._client.get(f"/images/{image}/json")
        except DockerError as error:
            if error.status == 404:
                return None
            raise PullError(error.message) from error
        return found

    async def _pull_shared(self, image: str) -> None:
        """Join the pull that is under way, or begin one. Who gives up waiting doesn't end it for the others."""
        pull = self._pulls.get(image)
        if pull is None:
            pull = self._pulls[image] = asyncio.create_task(self._pull_one(image), name=f"pull {image}")
            pull.add_done_callback(lambda done: self._pulled(image, done))
        await asyncio.shield(pull)

    def _pulled(self, image: str, pull: asyncio.Task[None]) -> None:
        self._pulls.pop(image, None)
        if not pull.cancelled():
            pull.exception()  # seen, even if all who waited have gone

    async def _pull_one(self, image: str) -> None:
        try:
            params = {"fromImage": with_tag(image)}
            async with self._client.stream("POST", "/images/create", params=params) as response:
                async for line in json_lines(response):
                    if "error" in line:
                        raise PullError(str((line.get("errorDetail") or {}).get("message") or line["error"]))
        except DockerError as error:
            raise PullError(error.message) from error

    async def close(self) -> None:
        """Give up what is being pulled."""
        await cancelled(self._pulls.values())


def with_tag(image: str) -> str:
    """The reference with `latest` where it has neither tag nor digest: without, Docker would pull every tag."""
    name = image.rsplit("/", 1)[-1]
    return image if ":" in name or "@" in name else f"{image}:latest"


def digest(image: dict[str, Any]) -> str:
    """`sha256:…` of the image in its registry; of one that was never in a registry, its id."""
    repositories = image.get("RepoDigests") or []
    return str(repositories[0]).rsplit("@", 1)[-1] if repositories else str(image["Id"])
