"""The counters of /metrics in Prometheus' text format, under TGI's names."""

from __future__ import annotations

from itertools import groupby

from local.model_container.infer import Infer


def exposition(infer: Infer) -> str:
    """Everything that was counted since the start."""
    lines: list[str] = []
    for name, samples in groupby(sorted(infer.counts.items()), key=lambda sample: sample[0].partition("{")[0]):
        lines.append(f"# TYPE {name} counter")
        lines += [f"{sample} {count}" for sample, count in samples]
    lines += ["# TYPE tgi_batch_current_size gauge", f"tgi_batch_current_size {infer.running}"]
    lines += ["# TYPE tgi_queue_size gauge", "tgi_queue_size 0"]
    return "\n".join(lines) + "\n"
