"""The stack of examples/shop twice, at once, by Terraform: in two accounts and regions, under the same names."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support import terraform
from tests.support.shop import left, project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Server

pytestmark = [terraform.NEEDED, pytest.mark.timeout(900)]
TWICE = (("111111111111", "us-east-1"), ("222222222222", "eu-west-1"))


def test_two_stacks_of_one_name_in_two_accounts_and_regions_do_not_see_each_other(
    simulated: Server, tmp_path: Path
) -> None:
    def apply(account: str, region: str) -> terraform.Terraform:
        keys = {"AWS_ACCESS_KEY_ID": account, "AWS_DEFAULT_REGION": region}
        shop = project(tmp_path / account, simulated, **keys)
        shop.apply(region=region)
        assert shop.changes() == ""
        return shop

    with ThreadPoolExecutor() as pool:
        shops = list(pool.map(apply, *zip(*TWICE, strict=True)))
        for (account, region), shop in zip(TWICE, shops, strict=True):
            ecs = simulated.client("ecs", aws_access_key_id=account, region_name=region)
            [cluster] = ecs.list_clusters()["clusterArns"]
            assert cluster == f"arn:aws:ecs:{region}:{account}:cluster/shop"
            assert shop.outputs()["cluster"] == "shop"
            other = next(each for _, each in TWICE if each != region)
            assert simulated.client("ecs", aws_access_key_id=account, region_name=other).list_clusters()[
                "clusterArns"
            ] == []  # fmt: skip
        list(pool.map(lambda shop: shop.destroy(), shops))
    assert simulated.client("ecs").list_clusters()["clusterArns"] == []
    assert simulated.stop() == 0
    assert left(simulated) == set()
    simulated.start()
