"""What is said of VPCs and kept without effect: sets of DHCP options, and flow logs. Written by the API alone."""

from collections.abc import Iterator
from typing import ClassVar

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class DhcpOptions(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A set of DHCP options."""

    kind: ClassVar[str] = "dhcp_options"

    options_id: str
    values: dict[str, tuple[str, ...]]
    """By key, such as `domain-name`."""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.options_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope."""
        yield "scope", self.scope


class FlowLog(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A flow log of a VPC, a subnet or a network interface."""

    kind: ClassVar[str] = "flow_log"

    flow_log_id: str
    resource_id: str
    created_at: float
    traffic_type: str = ""
    log_destination_type: str
    log_destination: str = ""
    log_group_name: str = ""
    role_arn: str = ""
    cross_account_role: str = ""
    log_format: str
    aggregation_s: int = 600
    file_format: str = ""
    hive_partitions: bool = False
    per_hour: bool = False
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.flow_log_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by what it is of, by token."""
        yield "scope", self.scope
        yield "resource", (*self.scope, self.resource_id)
        if self.client_token:
            yield "token", (*self.scope, self.client_token)
