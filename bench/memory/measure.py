"""Processor time and peak memory of one sandbox of the front door's function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.functions import STREAMED, Route, front_door, proxy_event
from bench.memory.cases import Case
from bench.memory.tls import Certificate
from bench.sandbox import Function, Sandbox, started
from bench.template import DeployedFunction

_PACED_TOKENS = 500
_WARM_REQUESTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One case.

    Args:
        name: Its name.
        start_seconds: Processor time until the function waits for its first event.
        request_seconds: Processor time of that first event.
        peak_mib: Most resident memory of the process.
    """

    name: str
    start_seconds: float
    request_seconds: float
    peak_mib: float

    @property
    def cpu_seconds(self) -> float:
        """Processor time until the end of the first response."""
        return self.start_seconds + self.request_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """A sandbox that has served requests before.

    Args:
        request_seconds: Processor time of one more short request.
        token_seconds: Processor time of one token of a stream, each of which arrives by itself.
    """

    request_seconds: float
    token_seconds: float


class Bench:
    """Starts sandboxes of one function.

    Args:
        function: The function.
        port: Where the fake SageMaker Runtime listens.
        certificate: Its certificate.
        python: The interpreter.
        step: Called with a description of each measurement.
    """

    def __init__(
        self, function: DeployedFunction, port: int, certificate: Certificate, python: str, step: Callable[[str], None]
    ) -> None:
        self._deployed = function
        self._port = port
        self._bundle = certificate.bundle
        self._python = python
        self._step = step

    def measure(self, cases: Sequence[Case], rounds: int) -> list[Measured]:
        """Each case in new sandboxes: the least processor time, to which other load only adds, and the most memory.

        Args:
            cases: The cases.
            rounds: Number of sandboxes of each. One more is started first and discarded.
        """
        samples: dict[str, list[Measured]] = {case.name: [] for case in cases}
        for number in range(rounds + 1):
            for case in cases:
                self._step(f"{case.name}, {number} of {rounds}")
                measured = self._measure(case)
                if number:
                    samples[case.name].append(measured)
        return [_least(values) for values in samples.values()]

    def measure_warm(self) -> Warm:
        """A further request, and a token of a stream of 500 tokens a second."""
        self._step("a sandbox that is warm")
        with started(self._function(f"burst-{STREAMED.stream_format}-1")) as sandbox:
            request = min(_cpu_per_event(sandbox, STREAMED, _WARM_REQUESTS) for _ in range(3))
        with started(self._function(f"paced-{STREAMED.stream_format}-{_PACED_TOKENS}")) as sandbox:
            stream = min(_cpu_per_event(sandbox, STREAMED, 1) for _ in range(5))
        return Warm(request_seconds=request, token_seconds=(stream - request) / _PACED_TOKENS)

    def _measure(self, case: Case) -> Measured:
        sandbox = Sandbox(self._function(case.answer))
        try:
            sandbox.wait_until_started()
            start = sandbox.cpu_seconds()
            response = sandbox.invoke(proxy_event(case.route))
            end = sandbox.cpu_seconds()
        finally:
            peak = sandbox.stop()
        if case.route.end not in response.body.body[-1000:]:
            raise RuntimeError(f"{case.name}: the response ended with {response.body.body[-200:]!r}")
        return Measured(name=case.name, start_seconds=start, request_seconds=end - start, peak_mib=peak / 2**20)

    def _function(self, answer: str) -> Function:
        function = front_door(self._deployed, self._port, answer)
        wrapper, _, *rest = function.command
        variables = {name: value.replace("http://", "https://") for name, value in function.environment.items()}
        variables["AWS_CA_BUNDLE"] = str(self._bundle)
        return replace(function, command=[wrapper, self._python, *rest], environment=variables)


def _cpu_per_event(sandbox: Sandbox, route: Route, count: int) -> float:
    """The processor time of each of some events that follow the first one."""
    sandbox.invoke(proxy_event(route))
    before = sandbox.cpu_seconds()
    for _ in range(count):
        sandbox.invoke(proxy_event(route))
    return (sandbox.cpu_seconds() - before) / count


def _least(values: Sequence[Measured]) -> Measured:
    return Measured(
        name=values[0].name,
        start_seconds=min(each.start_seconds for each in values),
        request_seconds=min(each.request_seconds for each in values),
        peak_mib=max(each.peak_mib for each in values),
    )
