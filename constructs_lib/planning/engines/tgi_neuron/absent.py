"""What TGI has on GPUs and not on Neuron: options and variables that the container ignores, or that end its start.

Sources, huggingface/text-generation-inference v3.3.4 and v3.3.6 and huggingface/optimum-neuron up to v0.0.28: the
arguments of `serve` in `server/text_generation_server/cli.py`, which ends at others that the launcher hands on; what
`generator.py` reads of a request; `docs/source/backends/neuron.md`.
"""

from __future__ import annotations

from collections.abc import Iterable

_ENDS = "the launcher hands it on to the server, which has no such argument and ends"

_COMPRESSION = f"Neuron runs weights in half precision only, and {_ENDS}"
_ADAPTERS = "no adapters are loaded; merge the adapter into the weights and export the result"
_ONE_SHARD = "one server uses all cores and ends if it is told to be one of several; options.num_cores says how many"
_GPU_MEMORY = "a compiled model has its memory already: options.max_batch_size and options.max_total_tokens decide it"
_GPU_ONLY = "is for GPUs"
_LOG_PROBABILITIES = "no log probabilities are computed"
_PREFIXES = "no keys and values are kept for later requests"

_WHY = {
    "quantize": _COMPRESSION,
    "dtype": f"options.auto_cast_type is the type, and {_ENDS}",
    "kv_cache_dtype": f"the cache has the type of options.auto_cast_type, and {_ENDS}",
    "speculate": f"no tokens are guessed ahead, and {_ENDS}",
    "num_shard": _ONE_SHARD,
    "sharded": _ONE_SHARD,
    "lora_adapters": _ADAPTERS,
    "disable_grammar_support": "grammars are always refused, because the server would ignore them",
    "enable_prefill_logprobs": _LOG_PROBABILITIES,
    "max_best_of": f"{_LOG_PROBABILITIES}, by which the best answer would be chosen, so it is always 1",
    "max_top_n_tokens": f"{_LOG_PROBABILITIES}, so it is always 0",
    "max_batch_total_tokens": "the batch is options.max_batch_size times options.max_total_tokens",
    "cuda_memory_fraction": _GPU_MEMORY,
    "tgi_wiggle_room": _GPU_MEMORY,
    "cuda_graphs": _GPU_ONLY,
    "attention": _GPU_ONLY,
    "disable_custom_kernels": _GPU_ONLY,
    "prefix_caching": _PREFIXES,
    "prefill_chunking": "prompts are prefilled whole",
    "rope_scaling": "positions are compiled as config.json has them",
    "rope_factor": "positions are compiled as config.json has them",
    "trust_remote_code": "no code of a model's repository is run",
    "watermark_gamma": "texts are not watermarked",
    "watermark_delta": "texts are not watermarked",
}

_FURTHER_VARIABLES = {
    "SM_NUM_GPUS": _ONE_SHARD,
    "HF_MODEL_QUANTIZE": _COMPRESSION,
    "HF_MODEL_TRUST_REMOTE_CODE": _WHY["trust_remote_code"],
    "USE_PREFIX_CACHING": _PREFIXES,
}

ABSENT_VARIABLES = {keyword.upper(): why for keyword, why in _WHY.items()} | _FURTHER_VARIABLES
"""Why a variable of TGI's does not work on Neuron."""


_OTHER_NAMES = {
    "batch_size": "max_batch_size",
    "hf_batch_size": "max_batch_size",
    "sequence_length": "max_total_tokens",
    "hf_sequence_length": "max_total_tokens",
    "max_model_len": "max_total_tokens",
    "max_input_length": "max_input_tokens",
    "hf_num_cores": "num_cores",
    "tensor_parallel_size": "num_cores",
    "tp_degree": "num_cores",
    "hf_auto_cast_type": "auto_cast_type",
    "torch_dtype": "auto_cast_type",
}
"""Names in optimum-neuron, in its exported models and in older images."""


def explain(names: Iterable[str], known: Iterable[str]) -> str | None:
    """Why names are no options, as one text; None if all of them are.

    Args:
        names: The keywords of a caller.
        known: The options.
    """
    options = frozenset(known)
    texts = [_explain(name) for name in names if name not in options]
    return f"NeuronOptions has no {'; no '.join(texts)}" if texts else None


def _explain(name: str) -> str:
    if name in _OTHER_NAMES:
        return f"{name}: did you mean {_OTHER_NAMES[name]}?"
    return f"{name}: {_WHY[name]}" if name in _WHY else name
