"""The further arguments of the vLLM in LMI: which it has, and which are the plan's or LMI's."""

from __future__ import annotations

from constructs_lib.planning.engines.extra_arguments import ExtraArguments
from constructs_lib.planning.engines.lmi.launcher_options import OPTIONS
from constructs_lib.planning.engines.lmi.option_names import OTHER_NAMES
from constructs_lib.planning.engines.lmi.releases import is_later, possible_vllm
from constructs_lib.planning.engines.server_arguments import arguments_of
from constructs_lib.planning.images.catalogue import Version, format_version

_MODEL = "Model.from_hub(…) or Model.from_s3(…)"

OWNERS = {
    "model": _MODEL,
    "model_id": _MODEL,
    "revision": "Model.from_hub(…, revision=…)",
    "hf_token": "Model.from_hub(…, token=secret)",
    "tensor_parallel_size": "options.tensor_parallel_degree",
    "max_num_seqs": "options.max_rolling_batch_size",
    "max_num_batched_tokens": "options.max_rolling_batch_prefill_tokens",
    "quantization": "options.quantize",
    "cpu_offload_gb_per_gpu": "options.cpu_offload_gb",
    "enable_auto_tool_choice": "options.tool_call_parser",
    "enable_reasoning": "options.reasoning_parser",
    **{option.keyword: f"options.{option.keyword}" for option in OPTIONS},
}
"""The argument of the construct that sets an option of LMI or an argument of vLLM."""

_ROLLING = "decides how requests and streams look, and a front door knows those of the asynchronous mode"

REFUSED = {
    "pipeline_parallel_size": "must be 1: LMI stops with any other number",
    "pipeline_parallel_degree": "must be 1: LMI stops with any other number",
    **dict.fromkeys(("rolling_batch", "async_mode", "tgi_compat", "output_formatter", "input_formatter"), _ROLLING),
    "entrypoint": _ROLLING,
    "engine": "is Python: no other engine of LMI runs vLLM",
    "mpi_mode": "is for engines without vLLM",
}
"""Options that must not be set at all, and why."""

_LMIS_OWN = frozenset(
    (
        "enable_stateful_sessions",
        "sessions_path",
        "sessions_expiration",
        "lmcache_config_file",
        "log_request_metric",
        "metrics_aggregation",
        "metric_dimension",
        "chat_template_content_format",
        "enable_venv",
        "parallel_loading",
    )
)
"""Options that LMI itself reads and that are no arguments of vLLM's engine."""


def extra_arguments(version: Version) -> ExtraArguments:
    """What is checked of `extra_args`."""
    first, last = possible_vllm(version)
    return ExtraArguments(
        server=f"vLLM {format_version(first)} in LMI {format_version(version)}" if last is None else "vLLM's engine",
        owners=OWNERS,
        refused=REFUSED,
        known=() if is_later(version) else arguments_of("vllm", first, last) | _LMIS_OWN,
        unknown=", and LMI drops it without a word",
        meant=OTHER_NAMES.meant,
    )
