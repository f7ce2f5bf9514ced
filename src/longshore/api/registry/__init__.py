"""The registry's protocol (OCI distribution, Docker's HTTP API v2), which `docker login`, `push` and `pull` speak."""

from longshore.api.registry.app import RegistryApi

__all__ = ["RegistryApi"]
