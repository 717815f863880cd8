"""What is not as planned, counted: once what was flagged is kept."""

from collections.abc import Iterable

from connectors.plans.checking import Flag
from vaart import metrics


def count(flags: Iterable[Flag], channel: str, source: str) -> None:
    """After this the metric knows them, by their reason: no name of a sender's is a label."""
    for flag in flags:
        metrics.PLAN_VIOLATIONS.labels(channel, source, flag.reason).inc()
