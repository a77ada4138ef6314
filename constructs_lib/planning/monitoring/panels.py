"""What a dashboard shows: is it up, how fast, how full, who uses it, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.monitoring.alarm import Metric
from constructs_lib.planning.monitoring.capacity_panels import costs, gpus, hosts, in_progress, instance_count, queue
from constructs_lib.planning.monitoring.shown import Shown, ShownDoor, ShownModel
from constructs_lib.planning.monitoring.widgets import (
    MAX_ALARMS,
    MAX_LOG_GROUPS,
    AlarmStates,
    Graph,
    Line,
    LogTable,
    Widget,
    Words,
    graph,
)

_BY_CONSUMER = (
    "stats sum(Requests) as requests, sum(PromptTokens) as prompt_tokens, sum(GeneratedTokens) as generated_tokens"
    " by consumer, Model"
)
_CONSUMERS = ("filter Requests = 1", _BY_CONSUMER, "sort generated_tokens desc", "limit 20")


def dashboard_widgets(shown: Shown) -> Iterator[Widget]:
    """The widgets, from top to bottom; a graph that could have no line is left out.

    Args:
        shown: What they show.
    """
    yield _head(shown)
    if shown.alarms:
        yield AlarmStates(title="Alarms", arns=shown.alarms[:MAX_ALARMS])
    sections = (
        ("Is it up?", [_availability(shown), _errors(shown), _overload(shown)]),
        ("How fast is it?", [_first_token(shown), _speed(shown), _model_time(shown)]),
        ("How full is it?", [in_progress(shown), queue(shown), gpus(shown), hosts(shown)]),
        ("Who uses it?", [_requests(shown), _tokens(shown), _consumers(shown)]),
        ("What does it cost?", [instance_count(shown), costs(shown)]),
    )
    for question, widgets in sections:
        drawn = [widget for widget in widgets if widget is not None]
        if drawn:
            yield Words(markdown=f"## {question}")
            yield from drawn


def _head(shown: Shown) -> Words:
    # A link that begins with # stays in the CloudWatch console, in any partition.
    logs = [
        f"[log of {_of(door.label, 'the front door')}](#logsV2:log-groups/log-group/{door.log_group})"
        for door in shown.doors
    ]
    logs += [
        f"[log of {one.label}'s model server](#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252F{_log(one)})"
        for one in shown.models
    ]
    runbook = f"[runbook]({shown.runbook})" if "://" in shown.runbook else f"runbook: {shown.runbook}"
    prices = [f"{one.label}: {one.price} per hour, on demand in us-east-1" for one in shown.instances if one.price]
    empty = [] if shown.doors or shown.models or shown.instances else ["There is no front door and no endpoint here."]
    lines = [f"# {shown.title}", *empty, " · ".join([runbook, *logs]), *prices]
    return Words(markdown="\n\n".join(lines), height=len(lines) + len(logs) // 6)


def _log(model: ShownModel) -> str:
    return (
        f"Endpoints$252F{model.endpoint}" if model.component is None else f"InferenceComponents$252F{model.component}"
    )


def _of(label: str, otherwise: str) -> str:
    return label or otherwise


def _named(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _each_model(shown: Shown) -> Iterator[tuple[ShownDoor, str]]:
    for door in shown.doors:
        for model in door.models:
            yield door, model


def _each_model_and_mirror(shown: Shown) -> Iterator[tuple[ShownDoor, str]]:
    for door in shown.doors:
        for model in (*door.models, *door.mirrors):
            yield door, model


def _availability(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for number, door in enumerate(shown.doors):
            yield Line(of=door.metric("Requests", "Sum"), id=f"r{number}")
            yield Line(of=door.metric("ServerErrors", "Sum"), id=f"e{number}")
            label = _named(door.label, "requests without server error")
            yield Line(of=f"100 * (1 - e{number} / r{number})", id=f"a{number}", label=label)

    return graph("Availability", lines(), left="%", least=None, most=100)


def _errors(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for door in shown.doors:
            yield Line(of=door.gateway_metric("5XXError"), label=_named(door.label, "5xx of the API"))
            yield Line(of=door.gateway_metric("4XXError"), label=_named(door.label, "4xx of the API"))
        for door, model in _each_model_and_mirror(shown):
            yield Line(of=door.metric("ServerErrors", "Sum", model), label=f"server errors, {model}")
        for one in shown.models:
            if not one.is_async:
                metric = one.metric("InvocationModelErrors", "Sum")
                yield Line(of=metric, label=f"model errors, {one.label}", place=one.place)

    return graph("Errors", lines(), left="requests")


def _overload(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for door, model in _each_model(shown):
            yield Line(of=door.metric("Retries", "Sum", model), label=f"sent again, {model}")
            if model in door.with_fallback:
                yield Line(of=door.metric("Fallbacks", "Sum", model), label=f"sent to another endpoint, {model}")
        for door in shown.doors:
            dimensions = {"FunctionName": door.function}
            throttles = Metric(namespace="AWS/Lambda", name="Throttles", statistic="Sum", dimensions=dimensions)
            yield Line(of=throttles, label=_named(door.label, "refused by Lambda"))
        for one in shown.models:
            if one.component is not None:
                metric = one.metric("NoCapacityInvocationFailures", "Sum")
                yield Line(of=metric, label=f"no copy, {one.label}", place=one.place)

    return graph("Overload", lines(), left="requests")


def _first_token(shown: Shown) -> Graph | None:
    lines = (
        Line(of=door.metric("TimeToFirstToken", statistic, model), label=f"{model}, {statistic}")
        for door, model in _each_model_and_mirror(shown)
        for statistic in ("p50", "p95")
    )
    return graph("Time to first token", lines, left="ms")


def _speed(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for door, model in _each_model_and_mirror(shown):
            yield Line(of=door.metric("TokensPerSecond", "p50", model), label=f"{model}, one answer, p50")
        for number, (door, model) in enumerate(_each_model(shown)):
            yield Line(of=door.metric("GeneratedTokens", "Sum", model), id=f"g{number}")
            label = f"{model}, all answers"
            yield Line(of=f"g{number} / PERIOD(g{number})", id=f"s{number}", label=label, right=True)

    return graph("Tokens per second", lines(), left="of one answer", right="of all answers")


def _model_time(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for door, model in _each_model_and_mirror(shown):
            yield Line(of=door.metric("UpstreamTime", "p95", model), label=f"{model}, in SageMaker, p95")
            yield Line(of=door.metric("Duration", "p95", model), label=f"{model}, complete answer, p95")
        if not shown.doors:
            for number, one in enumerate(one for one in shown.models if not one.is_async):
                yield Line(of=one.metric("ModelLatency", "p95"), id=f"l{number}", place=one.place)
                yield Line(of=f"l{number} / 1000", id=f"m{number}", label=f"{one.label}, in the model server, p95")

    return graph("Time of a request", lines(), left="ms")


def _requests(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for number, (door, model) in enumerate(_each_model(shown)):
            yield Line(of=door.metric("Requests", "Sum", model), id=f"r{number}")
            yield Line(of=_each_minute(f"r{number}"), id=f"m{number}", label=model)
        if not shown.doors:
            for number, one in enumerate(one for one in shown.models if not one.is_async):
                yield Line(of=one.metric("Invocations", "Sum"), id=f"i{number}", place=one.place)
                yield Line(of=_each_minute(f"i{number}"), id=f"n{number}", label=one.label)

    return graph("Requests", lines(), left="each minute")


def _tokens(shown: Shown) -> Graph | None:
    def lines() -> Iterator[Line]:
        for number, (door, model) in enumerate(_each_model(shown)):
            for letter, name, what in (("p", "PromptTokens", "prompts"), ("g", "GeneratedTokens", "answers")):
                yield Line(of=door.metric(name, "Sum", model), id=f"{letter}{number}")
                yield Line(of=_each_minute(f"{letter}{number}"), id=f"{letter}m{number}", label=f"{model}, {what}")

    return graph("Tokens", lines(), left="each minute")


def _each_minute(id: str) -> str:
    return f"60 * {id} / PERIOD({id})"


def _consumers(shown: Shown) -> LogTable | None:
    groups = [door.log_group for door in shown.doors][:MAX_LOG_GROUPS]
    return LogTable(title="Consumers by tokens", log_groups=groups, query=_CONSUMERS) if groups else None
