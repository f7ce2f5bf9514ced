"""Images: what is present is used, what isn't is pulled, once for all that want it at the same time.

Called by runners. An image of a repository of ours is pulled from ourselves, whatever registry its name says, and then
has that name: what is present under it counts only while it is the image that the repository has.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from longshore.drivers.docker.client import DockerClient, DockerError, json_lines
from longshore.drivers.ending import cancelled
from longshore.drivers.ports import HostedImage, HostedImages


class PullError(Exception):
    """The image can't be had; the message is the registry's or the Engine's."""


class Present(NamedTuple):
    """An image that the Engine has."""

    name: str
    """What a container of it is made from."""
    digest: str
    """`sha256:…` in its registry; of one that was never in a registry, its id."""


class Images:
    """The images of one Engine."""

    def __init__(
        self, client: DockerClient, pull: Literal["missing", "always"], hosted: HostedImages | None = None
    ) -> None:
        self._client = client
        self._pull = pull
        self._hosted = hosted
        self._pulls: dict[str, asyncio.Task[None]] = {}

    async def ensure(self, image: str) -> Present:
        """See to it that the image is present. Raises PullError or UnreachableError."""
        hosted = self._hosted.find(image) if self._hosted is not None else None
        if hosted is not None:
            return await self._ensure_hosted(image, hosted)
        if self._pull == "missing":
            found = await self._inspect(image)
            if found is not None:
                return Present(image, digest(found))
        await self._pull_shared(image)
        found = await self._inspect(image)
        if found is None:
            raise PullError(f"the Docker Engine does not have {image} after it was pulled")
        return Present(image, digest(found))

    async def _ensure_hosted(self, image: str, hosted: HostedImage) -> Present:
        """As above; the repository says which image a tag is, so nothing older under that name will do."""
        if self._pull == "missing":
            found = await self._inspect(image)
            if found is not None and not hosted.digest:
                return Present(image, digest(found))
            if found is not None and hosted.digest in digests(found):
                return Present(image, hosted.digest)
        if self._pull == "always" or await self._inspect(hosted.reference) is None:
            await self._pull_shared(hosted.reference, _login(hosted))
        found = await self._inspect(hosted.reference)
        if found is None:
            raise PullError(f"the Docker Engine does not have {hosted.reference} after it was pulled")
        if "@" in image:  # what has a digest in its name can't be given that name
            return Present(hosted.reference, hosted.digest)
        repository, tag = with_tag(image).rsplit(":", 1)
        try:
            await self._client.post(f"/images/{hosted.reference}/tag", repo=repository, tag=tag)
        except DockerError as error:
            raise PullError(error.message) from error
        return Present(image, hosted.digest or digest(found))

    async def _inspect(self, image: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._client.get(f"/images/{image}/json")
        except DockerError as error:
            if error.status == 404:
                return None
            raise PullError(error.message) from error
        return found

    async def _pull_shared(self, image: str, headers: Mapping[str, str] | None = None) -> None:
        """Join the pull that is under way, or begin one. Who gives up waiting doesn't end it for the others."""
        pull = self._pulls.get(image)
        if pull is None:
            pull = self._pulls[image] = asyncio.create_task(self._pull_one(image, headers), name=f"pull {image}")
            pull.add_done_callback(lambda done: self._pulled(image, done))
        await asyncio.shield(pull)

    def _pulled(self, image: str, pull: asyncio.Task[None]) -> None:
        self._pulls.pop(image, None)
        if not pull.cancelled():
            pull.exception()  # seen, even if all who waited have gone

    async def _pull_one(self, image: str, headers: Mapping[str, str] | None) -> None:
        try:
            params = {"fromImage": with_tag(image)}
            async with self._client.stream("POST", "/images/create", params=params, headers=headers) as response:
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


def digests(image: dict[str, Any]) -> set[str]:
    """All digests by which registries know the image."""
    return {str(name).rsplit("@", 1)[-1] for name in image.get("RepoDigests") or ()}


def _login(hosted: HostedImage) -> dict[str, str]:
    """The header by which the Engine is given user and password."""
    server = hosted.reference.partition("/")[0]
    login = {"username": hosted.user, "password": hosted.password, "serveraddress": server}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(login).encode()).decode()}
