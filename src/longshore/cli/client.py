"""A client of a running Longshore, for the commands that ask it something: the AWS APIs, as any tool would use them."""

import os
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config

DEFAULT_ENDPOINT = "http://localhost:4566"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is, and as whom to speak."""

    endpoint: str = DEFAULT_ENDPOINT
    region: str = DEFAULT_REGION

    def client(self, service: str) -> Any:
        """A botocore client with the environment's credentials, else a pair that passes where none are checked."""
        session = botocore.session.Session()
        known = session.get_credentials() is not None
        return session.create_client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=None if known else "longshore",
            aws_secret_access_key=None if known else "longshore",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=30),
        )


def server_from(endpoint: str | None, region: str | None) -> Server:
    """The server that the options name, else the environment, else the default."""
    return Server(
        endpoint or os.environ.get("AWS_ENDPOINT_URL") or DEFAULT_ENDPOINT,
        region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
    )
