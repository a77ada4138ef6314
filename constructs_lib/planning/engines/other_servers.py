"""Variables that other servers' containers read: what is left of a deployment that was written for one of them.

Sources: deepjavalibrary/djl-serving serving/docs/lmi (OPTION_, SERVING_); aws/deep-learning-containers
scripts/docker/{vllm,sglang} (SM_VLLM_, SM_SGLANG_); huggingface/text-generation-inference launcher/src/main.rs;
aws/sagemaker-huggingface-inference-toolkit and aws/sagemaker-inference-toolkit README.md; pytorch/serve
docs/configuration.md (TS_).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TGI = (
    "MODEL_ID|NUM_SHARD|SHARDED|QUANTIZE|DTYPE|KV_CACHE_DTYPE|SPECULATE|MAX_(?:INPUT_TOKENS|INPUT_LENGTH|TOTAL_TOKENS"
    "|BATCH_PREFILL_TOKENS|BATCH_TOTAL_TOKENS|BATCH_SIZE|CONCURRENT_REQUESTS|WAITING_TOKENS|BEST_OF|STOP_SEQUENCES"
    "|TOP_N_TOKENS|CLIENT_BATCH_SIZE)|CUDA_MEMORY_FRACTION|CUDA_GRAPHS|WAITING_SERVED_RATIO|PREFIX_CACHING|LORA_ADAPTERS"
    "|ROPE_SCALING|ROPE_FACTOR|PAYLOAD_LIMIT|MESSAGES_API_ENABLED|USAGE_STATS|DISABLE_GRAMMAR_SUPPORT"
)
_SERVERS = (
    ("DJL LMI", r"(?:OPTION|SERVING)_(.+)|((?:TENSOR|PIPELINE)_PARALLEL_DEGREE)"),
    ("AWS's image of vLLM", r"SM_VLLM_(.+)"),
    ("vLLM", r"VLLM_.+"),
    ("SGLang", r"SM_SGLANG_(.+)|SGLANG_.+"),
    ("TGI", rf"({_TGI})"),
    ("Hugging Face's inference toolkit", r"HF_(TASK|TRUST_REMOTE_CODE|FRAMEWORK|MODEL_DIR|OPTIMUM_.+)"),
    ("SageMaker's inference toolkit", r"SAGEMAKER_(?:PROGRAM|SUBMIT_DIRECTORY)|MODEL_CACHE_ROOT"),
    ("Multi Model Server", r"MMS_(.+)"),
    ("TorchServe", r"TS_(.+)"),
)
"""Who reads a variable, by its whole name; a group is what the variable stands for."""


@dataclass(frozen=True)
class Reader:
    """A server that reads a variable.

    Args:
        server: Its name in messages.
        argument: What the variable stands for, in lower case; empty if it has no such part.
    """

    server: str
    argument: str


def reader_of(variable: str, *, besides: tuple[str, ...]) -> Reader | None:
    """The other server whose variable it is; None if it is none's.

    Args:
        variable: The name in capitals.
        besides: Names of the servers in the container itself.
    """
    found = [(server, match) for server, pattern in _SERVERS if (match := re.fullmatch(pattern, variable))]
    if not found or any(server in besides for server, _ in found):
        return None
    server, match = found[0]
    return Reader(server, next((group for group in match.groups() if group), "").lower())


def unread_sentences(
    variable: str, *, server: str, besides: tuple[str, ...], meant: Mapping[str, str], owners: Mapping[str, str]
) -> str | None:
    """Why a server ignores a variable, and what to use instead; None if it may read it.

    Args:
        variable: The name in capitals.
        server: The server in messages.
        besides: Names of the servers in its container.
        meant: What another server's argument is called here, where the same name means something else or nothing.
        owners: The arguments of this server by their own names.
    """
    reader = reader_of(variable, besides=besides)
    if reader is None:
        return None
    instead = meant.get(reader.argument) or owners.get(reader.argument)
    return f"{server} does not read it; {reader.server} does.{f' Use {instead} instead.' if instead else ''}"
