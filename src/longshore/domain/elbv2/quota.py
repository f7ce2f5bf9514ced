"""How many load balancers there may be: the one of AWS's quotas that is a setting."""

from typing import ClassVar

from longshore.domain.record import Key, Record

DEFAULT_LOAD_BALANCERS = 50
"""AWS's default, for each type in each account and region."""


class LoadBalancerQuota(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The quota of this Longshore: one, with an empty scope. Written by `main` at every start."""

    kind: ClassVar[str] = "load_balancer_quota"

    load_balancers: int = DEFAULT_LOAD_BALANCERS
    """Of each type in each account and region."""

    def names(self) -> Key:
        """There is one."""
        return ("local",)


QUOTA_KEY: Key = ("", "", "local")
