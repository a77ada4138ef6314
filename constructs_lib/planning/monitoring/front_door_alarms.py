"""The alarms of a front door: of what clients get, of its function and of its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from constructs_lib.planning.monitoring.alarm import FIVE_MINUTES, Alarm, Metric, five_minutes_in, share_of

SERVER_ERRORS = 5.0
RETRIES = 10.0
FALLBACKS = 10.0
GATEWAY_ERRORS = 1.0
"""Defaults of thresholds; percent of the requests."""

FIRST_TOKEN_SECONDS = 10.0
FUNCTION_ERRORS = 3.0
THROTTLES = 3.0
CONCURRENCY = 800.0
STORE_FAILURES = 3.0
"""Defaults: seconds; failures in five minutes; 80 % of the 1000 concurrent executions that Lambda gives an account in a
Region (Lambda guide, "Lambda quotas"; a new account may have fewer)."""

_MIN_ANSWERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the alarms have to know of a front door.

    Args:
        namespace: The namespace of its metrics.
        dimensions: Their dimensions.
        models: Those of each of its models, by name.
        with_fallback: Those of its models that have an endpoint for what another one refuses.
        wake_seconds: How long its models with zero copies take to come back, by name.
        holds: Whether clients are kept waiting meanwhile, and not refused.
        function: Name of its function.
        api: Name of its API, with the stage.
    """

    namespace: str
    dimensions: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    wake_seconds: Mapping[str, int]
    holds: bool
    function: str
    api: tuple[str, str]
    with_fallback: Sequence[str] = ()

    def metric(self, name: str, statistic: str, model: str | None = None) -> Metric:
        """A metric of the front door, or of one of its models."""
        dimensions = self.dimensions if model is None else self.models[model]
        return Metric(namespace=self.namespace, name=name, statistic=statistic, dimensions=dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorThresholds:
    """The thresholds of a front door's alarms; None leaves an alarm out.

    Args:
        server_errors: Percent of the requests.
        first_token_seconds: By the name of the model: seconds, p95.
        overload: Percent of the requests that had to be sent again.
        fallbacks: Percent of the requests that an endpoint refused which another one got.
        function_errors: Failed invocations in five minutes.
        throttles: Throttled invocations in five minutes.
        concurrency: Concurrent executions.
        gateway_errors: Percent of the requests that failed with 5xx outside the function.
        store_failures: Requests in five minutes whose use could not be counted.
    """

    server_errors: float | None
    first_token_seconds: Mapping[str, float | None]
    overload: float | None
    fallbacks: float | None
    function_errors: float | None
    throttles: float | None
    concurrency: float | None
    gateway_errors: float | None
    store_failures: float | None


def door_alarms(door: Door, thresholds: DoorThresholds) -> Iterator[Alarm]:
    """The alarms of a front door.

    Args:
        door: The front door.
        thresholds: Their thresholds.
    """
    several = tuple(door.models) if len(door.models) > 1 else ()
    if thresholds.server_errors is not None:
        for model in (None, *several):
            yield _server_errors(door, model, thresholds.server_errors)
    for model, seconds in thresholds.first_token_seconds.items():
        if seconds is not None:
            yield _first_token(door, model, seconds)
    if thresholds.overload is not None:
        for model in door.models:
            yield _overload(door, model, thresholds.overload)
    if thresholds.fallbacks is not None:
        for model in door.with_fallback:
            yield _fallbacks(door, model, thresholds.fallbacks)
    yield from _function_alarms(door, thresholds)
    yield from _service_alarms(door, thresholds)


def _server_errors(door: Door, model: str | None, percent: float) -> Alarm:
    """While a model with zero copies comes back, each request gets 503, and that is no failure."""
    waits = (
        []
        if door.holds
        else [door.wake_seconds[name] for name in ([model] if model else door.models) if name in door.wake_seconds]
    )
    periods = five_minutes_in(max(waits) + FIVE_MINUTES) if waits else 3
    breaching = periods if waits else 2
    whose = "the front door" if model is None else f"the model {model}"
    return Alarm(
        id="ServerErrors" if model is None else f"ServerErrors-{model}",
        metrics={
            "requests": door.metric("Requests", "Sum", model),
            "errors": door.metric("ServerErrors", "Sum", model),
        },
        expression=share_of("errors", "requests"),
        period=FIVE_MINUTES,
        periods=periods,
        breaching=breaching,
        threshold=percent,
        says=f"More than {percent:g} % of the requests of {whose} failed with 5xx or in the stream, in {breaching} of"
        f' {periods} periods of five minutes. The saved query "errors by cause" names the causes.',
        section="server-errors",
    )


def _first_token(door: Door, model: str, seconds: float) -> Alarm:
    return Alarm(
        id=f"TimeToFirstToken-{model}",
        metrics={
            "answers": door.metric("TimeToFirstToken", "SampleCount", model),
            "slow": door.metric("TimeToFirstToken", "p95", model),
        },
        expression=f"IF(answers >= {_MIN_ANSWERS}, slow / 1000, 0)",
        period=FIVE_MINUTES,
        periods=3,
        threshold=seconds,
        says=f"One in 20 requests of the model {model} has waited more than {seconds:g} seconds for its first token,"
        " for 15 minutes. See whether requests queue (overload) or prompts have become longer.",
        section="slow-first-token",
    )


def _overload(door: Door, model: str, percent: float) -> Alarm:
    return Alarm(
        id=f"Overload-{model}",
        metrics={
            "requests": door.metric("Requests", "Sum", model),
            "retries": door.metric("Retries", "Sum", model),
        },
        expression=share_of("retries", "requests"),
        period=FIVE_MINUTES,
        periods=3,
        threshold=percent,
        says=f"SageMaker throttles the model {model}, or its container answers 429: for 15 minutes there were more than"
        f" {percent:g} retries in 100 requests. Add instances or copies, or let them scale.",
        section="429-and-overload",
    )


def _fallbacks(door: Door, model: str, percent: float) -> Alarm:
    return Alarm(
        id=f"Fallbacks-{model}",
        metrics={
            "requests": door.metric("Requests", "Sum", model),
            "refusals": door.metric("Fallbacks", "Sum", model),
        },
        expression=share_of("refusals", "requests"),
        period=FIVE_MINUTES,
        periods=3,
        threshold=percent,
        says=f"An endpoint of the model {model} refused requests, which another one got: for 15 minutes more than"
        f' {percent:g} in 100. The field "refused" of the log lines names it and its error; clients notice nothing, as'
        " long as the other one has room.",
        section="fallbacks",
    )


def _function_alarms(door: Door, thresholds: DoorThresholds) -> Iterator[Alarm]:
    if thresholds.function_errors is not None:
        yield Alarm(
            id="FunctionErrors",
            metrics={"errors": _function(door, "Errors", "Sum")},
            period=FIVE_MINUTES,
            comparison="at least",
            threshold=thresholds.function_errors,
            says=f"{thresholds.function_errors:g} or more invocations of the front door's function ended without a"
            " response in five minutes: it crashed, ran out of memory or exceeded its timeout. Read its log.",
            section="the-function-fails",
        )
    if thresholds.throttles is not None:
        yield Alarm(
            id="Throttles",
            metrics={"throttles": _function(door, "Throttles", "Sum")},
            period=FIVE_MINUTES,
            comparison="at least",
            threshold=thresholds.throttles,
            says=f"Lambda refused {thresholds.throttles:g} or more requests in five minutes: all concurrent executions"
            " of the account in this Region are in use, one for each open stream. Raise the quota.",
            section="lambda-concurrency",
        )
    if thresholds.concurrency is not None:
        yield Alarm(
            id="Concurrency",
            metrics={"executions": _function(door, "ConcurrentExecutions", "Maximum")},
            period=FIVE_MINUTES,
            comparison="at least",
            threshold=thresholds.concurrency,
            says=f"The front door's function has {thresholds.concurrency:g} or more concurrent executions, one for each"
            " open stream. Once the account's quota is used up, Lambda refuses requests. Raise the quota before.",
            section="lambda-concurrency",
        )


def _service_alarms(door: Door, thresholds: DoorThresholds) -> Iterator[Alarm]:
    if thresholds.gateway_errors is not None:
        yield _gateway_errors(door, thresholds.gateway_errors)
    if thresholds.store_failures is not None:
        yield _store_failures(door, thresholds.store_failures)


def _gateway_errors(door: Door, percent: float) -> Alarm:
    """What API Gateway counts, less what the function has answered with 5xx and logged.

    `SUM` adds what there is: a function that cannot be invoked logs nothing.
    """
    name, stage = door.api
    dimensions = {"ApiName": name, "Stage": stage}
    gateway = {
        query: Metric(namespace="AWS/ApiGateway", name=metric, statistic="Sum", dimensions=dimensions)
        for query, metric in (("requests", "Count"), ("failed", "5XXError"))
    }
    return Alarm(
        id="GatewayErrors",
        metrics={**gateway, "logged": door.metric("ServerErrors", "Sum")},
        terms={"answered": "0 - logged", "errors": "SUM([failed, answered])"},
        expression=share_of("errors", "requests"),
        period=FIVE_MINUTES,
        periods=3,
        breaching=2,
        threshold=percent,
        says=f"More than {percent:g} % of the requests got 5xx from API Gateway itself, not from the function, in two"
        " of three periods of five minutes: it cannot invoke the function, or does not understand its response. The"
        " access log has integrationError and errorMessage of each.",
        section="api-gateway-answers-5xx",
    )


def _store_failures(door: Door, requests: float) -> Alarm:
    return Alarm(
        id="StoreFailures",
        metrics={"failures": door.metric("StoreFailures", "Sum")},
        period=FIVE_MINUTES,
        comparison="at least",
        threshold=requests,
        says=f"The use of {requests:g} or more requests could not be counted in five minutes: the table of the"
        " consumers' limits throttles, is gone, or cannot be reached. on_store_failure says whether such requests are"
        ' answered all the same. The field "store_failure" of the log lines has the cause.',
        section="limits-that-cannot-be-counted",
    )


def _function(door: Door, name: str, statistic: str) -> Metric:
    return Metric(namespace="AWS/Lambda", name=name, statistic=statistic, dimensions={"FunctionName": door.function})
