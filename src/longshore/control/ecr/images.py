"""What the names of images mean here: the `HostedImages` of the engines, answered from the records of repositories."""

from collections.abc import Callable

from longshore.domain.ecr.image_name import image_name, repository_uri
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from longshore.domain.record import Scope
from longshore.drivers.ports import HostedImage
from longshore.store.store import Reader


class RegistryImages:
    """The images of all repositories."""

    def __init__(self, store: Reader, host: str, default: Scope, login: Callable[[str], tuple[str, str]]) -> None:
        """`host` is what Docker reaches us at, `login` makes a user and a password for an account's repositories."""
        self._store = store
        self._host = host
        self._default = default
        self._login = login

    def find(self, image: str) -> HostedImage | None:
        """How to pull an image of a repository that exists here. AWS's names mean the same repositories as our own."""
        named = image_name(image, self._host, self._default)
        repository = self._store.get(Repository, (*named.scope, named.repository)) if named else None
        if named is None or repository is None:
            return None
        uri = repository_uri(repository, self._host)
        digest = self._digest(repository, named.reference)
        user, password = self._login(repository.account)
        separator = "@" if digest or ":" in named.reference else ":"
        return HostedImage(f"{uri}{separator}{digest or named.reference}", digest, user, password)

    def _digest(self, repository: Repository, reference: str) -> str:
        place = (*repository.scope, repository.repository_id)
        if ":" in reference:
            return reference if self._store.get(Image, (*place, reference)) is not None else ""
        tag = self._store.get(ImageTag, (*place, reference))
        return tag.digest if tag is not None else ""
