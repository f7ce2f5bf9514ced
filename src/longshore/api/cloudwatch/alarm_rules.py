"""What PutMetricAlarm may say: the rules between its members that the model doesn't state."""

import json
import math
import re
from typing import Any

from longshore.api.cloudwatch.lookup import bad_combination, invalid

BANDS = frozenset({"LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"})
"""Comparisons with an anomaly detector's band instead of a threshold."""
SINGLE = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
KEPT = (
    *SINGLE,
    *("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData"),
    *("EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId"),
)
"""The members that say what is watched, and how."""
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
LOW_SAMPLES = ("evaluate", "ignore")
SHORT_PERIODS_S = (10, 20, 30)
DAY_S, WEEK_S = 86_400, 604_800
MAX_METRICS, MAX_EXPRESSIONS = 10, 20
PERCENTILE = re.compile(r"p(100(\.0{0,10})?|[0-9]{1,2}(\.[0-9]{0,10})?)")
TRIMMED = re.compile(r"(tm|wm|tc|ts|pr)([0-9]{1,2}(\.[0-9]{1,10})?|100)|(TM|WM|TC|TS|PR)\([0-9.%]*:[0-9.%]*\)|IQM")
QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
STATISTICS = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
Document = dict[str, Any]


def settings_of(params: Document) -> Document:
    """What an alarm watches, and how. Raises ValidationError or InvalidParameterCombination where that is nothing."""
    settings = {name: params[name] for name in KEPT if params.get(name) not in (None, [])}
    for name in ("EvaluationPeriods", "ComparisonOperator"):
        if name not in settings:
            raise invalid(f"The parameter {name} is required.")
    _check_evaluation(settings)
    if "Metrics" in settings:
        settings["Metrics"] = _checked_metrics(settings)
        period_s = max((_period(query) for query in settings["Metrics"]), default=60)
    else:
        period_s = _check_single(settings)
    _check_span(settings["EvaluationPeriods"], period_s)
    plain: Document = json.loads(json.dumps(settings))
    return plain


def _check_evaluation(settings: Document) -> None:
    if settings.get("DatapointsToAlarm", 1) > settings["EvaluationPeriods"]:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    treatment = settings.get("TreatMissingData", TREATMENTS[0])
    if treatment not in TREATMENTS:
        raise invalid(f"Value '{treatment[:64]}' for TreatMissingData is none of {', '.join(TREATMENTS)}.")
    low = settings.get("EvaluateLowSampleCountPercentile", LOW_SAMPLES[0])
    if low not in LOW_SAMPLES:
        raise invalid(f"Value '{low[:64]}' for EvaluateLowSampleCountPercentile is none of {', '.join(LOW_SAMPLES)}.")
    banded = settings["ComparisonOperator"] in BANDS
    if banded != ("ThresholdMetricId" in settings):
        raise bad_combination("ThresholdMetricId goes with the comparisons of anomaly detection, and with no others.")
    if banded == ("Threshold" in settings):
        raise bad_combination("An alarm has a Threshold, unless it is compared with an anomaly detection band.")
    if not math.isfinite(settings.get("Threshold", 0.0)):
        raise invalid("Threshold must be a finite number.")


def _check_single(settings: Document) -> int:
    """An alarm on one metric; its period."""
    if "ThresholdMetricId" in settings:
        raise bad_combination("An alarm on anomaly detection needs Metrics.")
    for name in ("MetricName", "Namespace", "Period"):
        if name not in settings:
            raise invalid(f"The parameter {name} is required, unless Metrics are given.")
    if ("Statistic" in settings) == ("ExtendedStatistic" in settings):
        raise bad_combination("Exactly one of Statistic and ExtendedStatistic must be specified.")
    extended = settings.get("ExtendedStatistic")
    if extended is not None and not (PERCENTILE.fullmatch(extended) or TRIMMED.fullmatch(extended)):
        raise invalid(f"The value '{extended[:64]}' for ExtendedStatistic is not one, such as p99.")
    if "EvaluateLowSampleCountPercentile" in settings and not (extended or "").startswith("p"):
        raise bad_combination("EvaluateLowSampleCountPercentile is for alarms on a percentile.")
    names = [each["Name"] for each in settings.get("Dimensions", ())]
    if len(set(names)) < len(names):
        raise invalid("Each dimension can be specified only once.")
    return _checked_period(settings["Period"])


def _checked_period(period_s: int) -> int:
    if period_s not in SHORT_PERIODS_S and period_s % 60:
        raise invalid("Period must be 10, 20, 30 or a multiple of 60")
    return period_s


def _check_span(periods: int, period_s: int) -> None:
    if period_s >= 3600 and periods * period_s > WEEK_S:
        raise invalid(
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {WEEK_S})."
        )
    if period_s < 3600 and periods * period_s > DAY_S:
        raise invalid(
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {DAY_S})."
        )


def _checked_metrics(settings: Document) -> list[Document]:
    given = [name for name in SINGLE if name in settings]
    if given:
        raise bad_combination(f"{given[0]} can't be combined with Metrics.")
    queries: list[Document] = settings["Metrics"]
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids) or not all(QUERY_ID.fullmatch(each) for each in ids):
        raise invalid("Each of Metrics has an Id of its own: a small letter, then letters, digits and underscores.")
    for query in queries:
        _check_query(query)
    stats = sum("MetricStat" in query and query["MetricStat"] is not None for query in queries)
    if stats > MAX_METRICS or len(queries) - stats > MAX_EXPRESSIONS:
        raise invalid(f"An alarm has at most {MAX_METRICS} metrics and {MAX_EXPRESSIONS} expressions.")
    band = settings.get("ThresholdMetricId")
    if band is not None and band not in ids:
        raise invalid(f"ThresholdMetricId {band[:64]!r} is none of the Ids in Metrics.")
    returned = [query["Id"] for query in queries if query.get("ReturnData") in (None, True)]
    wanted = {1} if band is None else {1, 2}
    if len([each for each in returned if each != band]) != 1 or len(returned) not in wanted:
        raise invalid("Exactly one element of the metrics list should return data.")
    return [{**query, "ReturnData": query.get("ReturnData") in (None, True)} for query in queries]


def _check_query(query: Document) -> None:
    stat, expression = query.get("MetricStat"), query.get("Expression")
    if (stat is None) == (expression is None):
        raise bad_combination("Each of Metrics has either a MetricStat or an Expression.")
    if stat is None:
        if query.get("Period") is not None:
            _checked_period(query["Period"])
        return
    if query.get("Period") is not None:
        raise bad_combination("The Period of a MetricStat stands in it.")
    _checked_period(stat["Period"])
    metric = stat["Metric"]
    if not metric.get("MetricName") or not metric.get("Namespace"):
        raise invalid("The Metric of a MetricStat needs a MetricName and a Namespace.")
    name = stat["Stat"]
    if name not in STATISTICS and not (PERCENTILE.fullmatch(name) or TRIMMED.fullmatch(name)):
        raise invalid(f"The value '{name[:64]}' for Stat is no statistic.")


def _period(query: Document) -> int:
    stat = query.get("MetricStat")
    period_s: int = (stat["Period"] if stat is not None else query.get("Period")) or 60
    return period_s
