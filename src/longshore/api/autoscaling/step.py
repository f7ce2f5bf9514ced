"""The configuration of a step scaling policy: its rules, and how it is answered."""

import itertools
from typing import Any

from longshore.api.autoscaling.lookup import invalid
from longshore.domain.scaling.scaling import Step, StepScaling

MAX_STEPS = 20
Document = dict[str, Any]


def step_scaling(document: Document) -> StepScaling:
    """The configuration. Raises ValidationException where it is none."""
    kind = document.get("AdjustmentType")
    if kind is None:
        raise invalid("AdjustmentType is required for step scaling policies.")
    steps = tuple(
        Step(
            lower=each.get("MetricIntervalLowerBound"),
            upper=each.get("MetricIntervalUpperBound"),
            adjustment=each["ScalingAdjustment"],
        )
        for each in document.get("StepAdjustments") or ()
    )
    _check(steps)
    magnitude, cooldown = document.get("MinAdjustmentMagnitude"), document.get("Cooldown")
    if magnitude is not None and (kind != "PercentChangeInCapacity" or magnitude < 1):
        raise invalid("MinAdjustmentMagnitude is a number from 1 on, for the adjustment type PercentChangeInCapacity.")
    if cooldown is not None and cooldown < 0:
        raise invalid("Cooldown must be greater than or equal to 0")
    if kind == "ExactCapacity" and any(step.adjustment < 0 for step in steps):
        raise invalid("For the adjustment type ExactCapacity, ScalingAdjustment can't be negative.")
    return StepScaling(
        adjustment_type=kind,
        steps=steps,
        min_magnitude=magnitude,
        cooldown_s=cooldown,
        aggregation=document.get("MetricAggregationType"),
    )


def _check(steps: tuple[Step, ...]) -> None:
    """Steps must cover the offsets from the threshold without a gap, up or down or both, and no offset twice."""
    if not steps:
        raise invalid("At least one StepAdjustment must be specified.")
    if len(steps) > MAX_STEPS:
        raise invalid(f"A step scaling policy can have at most {MAX_STEPS} step adjustments.")
    for step in steps:
        if step.lower is None and step.upper is None and len(steps) > 1:
            raise invalid("StepAdjustment intervals can't overlap.")
        if step.lower is not None and step.upper is not None and step.lower >= step.upper:
            raise invalid("MetricIntervalUpperBound must be greater than MetricIntervalLowerBound.")
    lowers = [step.lower for step in steps]
    uppers = [step.upper for step in steps]
    if lowers.count(None) > 1 or uppers.count(None) > 1:
        raise invalid("At most one StepAdjustment may have an unspecified lower bound, and one such an upper bound.")
    if any(lower is not None and lower < 0 for lower in lowers) and None not in lowers:
        raise invalid(
            "There must be a StepAdjustment with an unspecified lower bound when one StepAdjustment has a negative "
            "lower bound."
        )
    if any(upper is not None and upper > 0 for upper in uppers) and None not in uppers:
        raise invalid(
            "There must be a StepAdjustment with an unspecified upper bound when one StepAdjustment has a positive "
            "upper bound."
        )
    ordered = sorted(steps, key=lambda step: float("-inf") if step.lower is None else step.lower)
    for below, above in itertools.pairwise(ordered):
        if below.upper is None or above.lower is None or below.upper > above.lower:
            raise invalid("StepAdjustment intervals can't overlap.")
        if below.upper < above.lower:
            raise invalid("StepAdjustment intervals can't have gaps between them.")


def step_view(step: StepScaling) -> Document:
    """The configuration, as it was given."""
    steps = [
        _given({"MetricIntervalLowerBound": each.lower, "MetricIntervalUpperBound": each.upper})
        | {"ScalingAdjustment": each.adjustment}
        for each in step.steps
    ]
    rest = {
        "MinAdjustmentMagnitude": step.min_magnitude,
        "Cooldown": step.cooldown_s,
        "MetricAggregationType": step.aggregation,
    }
    return {"AdjustmentType": step.adjustment_type, "StepAdjustments": steps, **_given(rest)}


def _given(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}
