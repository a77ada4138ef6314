"""The counters and gauges of /metrics, under TGI's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from local.model_container.tgi.errors import InferError


class Metrics:
    """Counts requests, tokens and failures since the container started."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, amount: int = 1) -> None:
        """Increases a counter by its name, for example `tgi_request_count`."""
        self._counts[name] += amount

    @contextmanager
    def count_outcome(self, *, successes: int = 1) -> Iterator[None]:
        """Counts a failure by its error type if the block raises InferError, otherwise `successes` successes."""
        try:
            yield
        except InferError as error:
            self.add(f'tgi_request_failure{{err="{error.error_type}"}}')
            raise
        self.add("tgi_request_success", successes)

    def render(self, running: int) -> str:
        """The body of /metrics in Prometheus' text format.

        Args:
            running: The number of requests in progress.
        """
        lines: list[str] = []
        for name, samples in groupby(sorted(self._counts.items()), key=lambda sample: sample[0].partition("{")[0]):
            lines.append(f"# TYPE {name} counter")
            lines += [f"{sample} {count}" for sample, count in samples]
        lines += ["# TYPE tgi_batch_current_size gauge", f"tgi_batch_current_size {running}"]
        lines += ["# TYPE tgi_queue_size gauge", "tgi_queue_size 0"]
        return "\n".join(lines) + "\n"
