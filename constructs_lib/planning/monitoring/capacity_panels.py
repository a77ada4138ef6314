"""The graphs of a dashboard that say how full endpoints are, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs_lib.planning.monitoring.shown import COMPONENTS, Shown, ShownInstances, ShownModel
from constructs_lib.planning.monitoring.widgets import Graph, Line, Mark, graph


def in_progress(shown: Shown) -> Graph | None:
    """Of what the plan says that one instance or copy works on; where that is not known the number itself."""

    def lines() -> Iterator[Line]:
        for number, one in enumerate(one for one in shown.models if not one.is_async):
            name = "ConcurrentRequestsPerModel" if one.component is None else "ConcurrentRequestsPerCopy"
            metric, unit = one.metric(name, "Maximum"), "instance" if one.component is None else "copy"
            if one.held is None:
                label = f"{one.label}, on the busiest {unit}"
                yield Line(of=metric, label=label, right=True, place=one.place)
            else:
                yield Line(of=metric, id=f"c{number}", place=one.place)
                label = f"{one.label}, of {one.held.requests} with {one.held.tokens} tokens on the busiest {unit}"
                yield Line(of=f"100 * c{number} / {one.held.requests}", id=f"f{number}", label=label)

    marks = [Mark(value=100, label="full by the plan: more wait", is_limit=True)]
    drawn = list(lines())
    known = any(not line.right for line in drawn)
    return graph("Requests in progress", drawn, left="%", right="requests", marks=marks if known else ())


def queue(shown: Shown) -> Graph | None:
    """The queues of asynchronous endpoints."""

    def lines() -> Iterator[Line]:
        for one in shown.models:
            if one.is_async:
                backlog = one.queue_metric("ApproximateBacklogSize", "Maximum")
                yield Line(of=backlog, label=f"{one.label}, queued or in progress", place=one.place)
                age = one.queue_metric("ApproximateAgeOfOldestRequest", "Maximum")
                yield Line(of=age, label=f"{one.label}, age of the oldest", right=True, place=one.place)

    return graph("Queue of asynchronous requests", lines(), left="requests", right="seconds")


def gpus(shown: Shown) -> Graph | None:
    """GPUs of instances, or of a component's copies, in percent of all of them; Neuron devices have no such metrics."""
    with_gpus = [one for one in shown.instances if one.gpus != 0]

    def lines() -> Iterator[Line]:
        for what, name in (("busy", "GPUUtilization"), ("memory", "GPUMemoryUtilization")):
            for number, one in enumerate(with_gpus):
                yield from _share(f"{what[0]}{number}", one, name, one.gpus, f"{one.label}, {what}")
            for model in shown.models:
                if model.component is not None and with_gpus:
                    metric = model.metric(f"{name}Normalized", "Average", COMPONENTS)
                    yield Line(of=metric, label=f"{model.label}, {what} of its copies", place=model.place)

    return graph("GPUs", lines(), left="%")


def hosts(shown: Shown) -> Graph | None:
    """Processors, memory and disk of instances, in percent."""

    def lines() -> Iterator[Line]:
        for number, one in enumerate(shown.instances):
            yield from _share(f"c{number}", one, "CPUUtilization", one.cores, f"{one.label}, CPU")
            for label, name in (("memory", "MemoryUtilization"), ("disk", "DiskUtilization")):
                yield Line(of=one.metric(name), label=f"{one.label}, {label}", place=one.place)

    return graph("Hosts", lines(), left="%")


def _share(id: str, one: ShownInstances, name: str, of: int | None, label: str) -> Iterator[Line]:
    """A metric with 100 percent for each of several, in percent of all; as it is if their number is not known."""
    if of is None or of == 1:
        yield Line(of=one.metric(name), label=label if of == 1 else f"{label} (100 for each)", place=one.place)
    else:
        yield Line(of=one.metric(name), id=id, place=one.place)
        yield Line(of=f"{id} / {of}", id=f"{id}s", label=label)


def _counted(shown: Shown) -> Iterator[tuple[int, ShownModel, list[Line]]]:
    """The hidden lines whose quotient is the number of instances or copies; there is no metric of it.

    Each request adds 1 to `Invocations`, and 1 / number of instances to `InvocationsPerInstance`.
    """
    for number, one in enumerate(shown.models):
        if one.is_async:
            total, each = (
                one.queue_metric("ApproximateBacklogSize", "Average"),
                one.queue_metric("ApproximateBacklogSizePerInstance", "Average"),
            )
        else:
            name = "InvocationsPerInstance" if one.component is None else "InvocationsPerCopy"
            total, each = one.metric("Invocations", "Sum"), one.metric(name, "Sum")
        yield (
            number,
            one,
            [Line(of=total, id=f"t{number}", place=one.place), Line(of=each, id=f"e{number}", place=one.place)],
        )


def instance_count(shown: Shown) -> Graph | None:
    """How many instances or copies answer."""

    def lines() -> Iterator[Line]:
        for number, one, hidden in _counted(shown):
            yield from hidden
            unit = "instances" if one.component is None else "copies"
            yield Line(of=f"t{number} / e{number}", id=f"n{number}", label=f"{one.label}, {unit} while it is asked")

    return graph("Instances and copies", lines(), left="number")


def costs(shown: Shown) -> Graph | None:
    """Of variants, whose number of instances is known while they are asked, and until they are asked again."""
    prices = {(one.endpoint, one.variant): one.usd_per_hour for one in shown.instances}

    def lines() -> Iterator[Line]:
        for number, one, hidden in _counted(shown):
            price = prices.get((one.endpoint, one.variant))
            if price is not None and one.component is None:
                yield from hidden
                yield Line(of=f"{price:g} * t{number} / e{number}", id=f"u{number}")
                yield Line(of=f"FILL(u{number}, REPEAT)", id=f"v{number}", label=one.label)

    return graph("Instances, USD per hour", lines(), left="USD", marks=_cost_marks(shown.instances))


def _cost_marks(instances: Sequence[ShownInstances]) -> list[Mark]:
    least, most = _total([one.least_usd for one in instances]), _total([one.most_usd for one in instances])
    if least is None or most is None:
        return []
    if least == most:
        return [Mark(value=least, label="all")]
    return [Mark(value=least, label="all at minimum"), Mark(value=most, label="all at maximum")]


def _total(each: Sequence[float | None]) -> float | None:
    """The sum; None if one is not known."""
    known = [one for one in each if one is not None]
    return round(sum(known), 3) if known and len(known) == len(each) else None
