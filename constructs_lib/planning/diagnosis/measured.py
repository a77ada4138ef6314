"""What metrics and states say: that it is full, waits for instances, or is slow."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.diagnosis.catalogue import finding
from constructs_lib.planning.diagnosis.cause import Evidence, Finding, Weight
from constructs_lib.planning.diagnosis.signals import Deployed, Series, Signals

_FULL = (("DiskUtilization", 90.0, "disk"), ("MemoryUtilization", 95.0, "host-memory"))
"""In percent. There is none of GPU memory: engines reserve all of it when they start."""

_FAILED_SHARE, _FEWEST = 0.05, 3
_MICROSECONDS = 1_000_000
_LIMIT_SECONDS = 58
"""Of the 60 seconds that SageMaker waits for an answer that is not streamed."""
_SLOW_SECONDS = 20


def measured_findings(signals: Signals, streams: int | None) -> Iterator[Finding]:
    """What the metrics and the numbers of instances speak for.

    Args:
        signals: What was read.
        streams: Requests that an instance serves at one time, by its plan; None if that is not known.
    """
    for name, limit, cause in _FULL:
        series = signals.metrics.get(name)
        if series and (most := series.most) and most[1] >= limit:
            yield finding(cause, _at_most(series, f"{most[1]:.0f} %"), weight=Weight.SUSPECTED)
    yield from _errors(signals)
    yield from _slow(signals, streams)
    yield from _function(signals)
    for one in signals.deployed:
        yield from _instances(one)


def _errors(signals: Signals) -> Iterator[Finding]:
    calls = signals.total("Invocations")
    failed = signals.total("Invocation5XXErrors") + signals.total("InvocationModelErrors")
    if failed >= _FEWEST and failed >= _FAILED_SHARE * calls:
        name = "Invocation5XXErrors" if signals.total("Invocation5XXErrors") else "InvocationModelErrors"
        words = f"{failed:.0f} failures, {calls:.0f} requests"
        yield finding("container-fails", _at_most(signals.metrics[name], words))
    refused = signals.total("Invocation4XXErrors")
    if refused >= _FEWEST and refused >= calls / 2:
        words = f"{refused:.0f} refusals, {calls:.0f} requests"
        yield finding("wrong-requests", _at_most(signals.metrics["Invocation4XXErrors"], words))
    if missed := signals.total("NoCapacityInvocationFailures"):
        words = f"{missed:.0f} requests found no copy"
        yield finding("no-capacity", _at_most(signals.metrics["NoCapacityInvocationFailures"], words))


def _slow(signals: Signals, streams: int | None) -> Iterator[Finding]:
    concurrent, latency = signals.metrics.get("ConcurrentRequestsPerModel"), signals.metrics.get("ModelLatency")
    most = concurrent.most if concurrent else None
    is_full = most is not None and streams is not None and most[1] > streams
    if concurrent and most and is_full:
        yield finding(
            "overload",
            _at_most(concurrent, f"{most[1]:.0f} requests at one time on an instance"),
            weight=Weight.SUSPECTED + 10,
            title=f"Requests wait: an instance works on {streams} of 1,024 tokens at one time",
            fix=_more_instances(signals.deployed),
        )
    seconds = latency.most[1] / _MICROSECONDS if latency and latency.most else 0.0
    if latency and seconds >= _LIMIT_SECONDS:
        yield finding("timeout", _at_most(latency, f"{seconds:.0f} s"), weight=Weight.SUSPECTED + 5)
    elif latency and seconds >= _SLOW_SECONDS and not is_full:
        yield finding("slow-model", _at_most(latency, f"{seconds:.0f} s"))


def _function(signals: Signals) -> Iterator[Finding]:
    crashed, throttled = signals.total("Errors"), signals.total("Throttles")
    if throttled:
        yield finding("lambda-concurrency", _at_most(signals.metrics["Throttles"], f"{throttled:.0f} requests"))
    if crashed:
        yield finding("function-fails", _at_most(signals.metrics["Errors"], f"{crashed:.0f} invocations"))
    failed = signals.total("5XXError")
    if failed >= _FEWEST:
        yield finding("gateway-errors", _at_most(signals.metrics["5XXError"], f"{failed:.0f} requests"))


def _instances(one: Deployed) -> Iterator[Finding]:
    what = "copies" if one.is_component else "instances"
    if one.current is None or one.desired is None:
        return
    if one.is_component and one.desired == 0 == one.current:
        yield finding("scaled-to-zero", Evidence(source=f"status of {one.name}", text="0 copies, none is on its way"))
    elif one.current < one.desired:
        words = f"{one.current} of {one.desired} {what} run"
        yield finding("waits-for-instances", Evidence(source=f"status of {one.name}", text=words))


def _more_instances(deployed: tuple[Deployed, ...]) -> str:
    full = [one for one in deployed if one.most is not None and one.current is not None and one.current >= one.most]
    if full:
        return f"It has scaled as far as it may, to {full[0].most}: raise auto_scale(max_instances=…)."
    if any(one.most is not None for one in deployed):
        return "Scale out earlier (on_concurrency with a lower target), or keep more instances (min_instances)."
    return "Add instances, or let it scale: auto_scale(max_instances=…).on_concurrency()."


def _at_most(series: Series, words: str) -> Evidence:
    most = series.most
    return Evidence(source=f"metric {series.name}", text=words, at=most[0] if most else None)
