"""The body of /metrics, with the names that vLLM has for the toy's numbers."""

from __future__ import annotations

from local.model_container.openai.engine import Engine


def render_metrics(engine: Engine) -> str:
    """The metrics in Prometheus' text format."""
    labels = f'{{engine="0",model_name="{engine.settings.names[0]}"}}'
    waiting = max(0, engine.unfinished - engine.settings.max_running)
    numbers = (
        ("vllm:num_requests_running", "gauge", engine.unfinished - waiting),
        ("vllm:num_requests_waiting", "gauge", waiting),
        ("vllm:prompt_tokens_total", "counter", engine.prompt_tokens),
        ("vllm:generation_tokens_total", "counter", engine.generated_tokens),
        ("vllm:request_success_total", "counter", engine.finished),
    )
    return "".join(f"# TYPE {name} {kind}\n{name}{labels} {float(value)}\n" for name, kind, value in numbers)
