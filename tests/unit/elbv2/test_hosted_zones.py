"""The hosted zones of load balancers."""

from longshore.domain.elbv2.hosted_zones import BY_REGION, hosted_zone, is_of_load_balancers


def test_each_region_has_a_zone_for_each_type_and_unknown_ones_have_ours() -> None:
    assert (hosted_zone("us-east-1", "application"), hosted_zone("us-east-1", "network")) == (
        "Z35SXDOTRQ7X7K",
        "Z26RNL4JYFTOTI",
    )
    assert hosted_zone("mars-north-1", "network") == "ZLONGSHORENLB"
    every = [zone_id for zone_ids in BY_REGION.values() for zone_id in zone_ids]
    assert len(set(every)) == len(every)
    assert all(is_of_load_balancers(zone_id) for zone_id in [*every, "ZLONGSHOREALB", "ZLONGSHORENLB"])
    assert not is_of_load_balancers("Z2FDTNDATAQYW2")
