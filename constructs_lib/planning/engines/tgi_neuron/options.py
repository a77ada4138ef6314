"""The options of TGI for Neuron, as typed keywords."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from constructs_lib.planning.engines.tgi.options import LogLevel, UsageStats
from constructs_lib.planning.engines.tgi_neuron.absent import explain


class AutoCastType(StrEnum):
    """Type in which the model computes, and in which it was compiled."""

    FP16 = "fp16"
    BF16 = "bf16"


@dataclass(frozen=True, kw_only=True)
class NeuronOptions:
    """Options of TGI for Neuron. None leaves an option at its own default.

    A model is compiled for one batch, one length and one number of cores, and serves with exactly these. So
    `num_cores`, `auto_cast_type`, `max_batch_size` and `max_total_tokens` are given together or not at all: those of an
    exported model, or of an entry in the hub's cache of compiled models, which `optimum-cli neuron cache lookup
    <model>` lists. Without them, image 0.3.0 reads those of the exported model, or takes the entry of the cache with
    the most cores, then the largest batch.

    Tokens are chosen by greedy search or sampling. What TGI for Neuron does not have: grammars, so no `response_format`
    and no tools, log probabilities (they are always 0), LoRA adapters, compressed weights, speculation, watermarks and
    a cache of prefixes. From image 0.3.0 on the cores themselves sample, by temperature, top_k and top_p:
    repetition_penalty, typical_p and seed then have no effect.

    Args:
        num_cores: Neuron cores that share the model, at most those of the instance.
        auto_cast_type: Type in which the model computes.
        max_batch_size: Requests in the batch. More wait.
        max_total_tokens: Longest prompt and answer together, in tokens.
        max_input_tokens: Longest prompt, in tokens. Default: half of max_total_tokens.
        max_batch_prefill_tokens: Maximum number of prompt tokens in one prefill. Default: max_batch_size times
            max_input_tokens.
        max_concurrent_requests: Concurrent requests in the container, waiting ones included; more get 429 "Model is
            overloaded". Default: 128.
        max_waiting_tokens: Tokens to decode before waiting requests interrupt the batch. Default: 20.
        waiting_served_ratio: Ratio of waiting to running requests at which the batch is interrupted. Default: 0.3, or
            1.2 with TGI before 2.0.2.
        max_stop_sequences: Maximum number of stop sequences of a request. Default: 4.
        max_client_batch_size: Maximum number of prompts in one /v1/completions request. Default: 4.
        validation_workers: Threads that tokenize and check requests. Default: 2.
        tokenizer_config_path: File or hub id with the tokenizer_config.json whose chat_template is used. Default: the
            model's.
        payload_limit: Largest request body, in bytes. Default: 6291456, SageMaker's own limit. With TGI before 2.4.1
            fixed to 2097152.
        messages_api_enabled: Makes the endpoint accept only chat requests. Default: False. TGI 1.4.0 to 2.3.1; later
            versions accept all kinds of requests.
        usage_stats: What TGI reports to Hugging Face. Default: off.
        huggingface_hub_cache: Folder for downloaded weights. Default: /tmp, the instance's storage volume.
        json_output: Logs as JSON. Default: False.
        log_level: How much TGI logs. Default: info.
        otlp_endpoint: OpenTelemetry collector for traces, such as `http://collector:4317`. Default: no traces.
        otlp_service_name: Service name in those traces. Default: text-generation-inference.router.
        cors_allow_origin: Origin that browsers may call the container from; SageMaker callers never see it. Default:
            any.
        graceful_termination_timeout: Seconds to finish running requests when the container stops. Default: 90.
    """

    num_cores: int | None = None
    auto_cast_type: AutoCastType | None = None
    max_batch_size: int | None = None
    max_total_tokens: int | None = None
    max_input_tokens: int | None = None
    max_batch_prefill_tokens: int | None = None
    max_concurrent_requests: int | None = None
    max_waiting_tokens: int | None = None
    waiting_served_ratio: float | None = None
    max_stop_sequences: int | None = None
    max_client_batch_size: int | None = None
    validation_workers: int | None = None
    tokenizer_config_path: str | None = None
    payload_limit: int | None = None
    messages_api_enabled: bool | None = None
    usage_stats: UsageStats | None = None
    huggingface_hub_cache: str | None = None
    json_output: bool | None = None
    log_level: LogLevel | None = None
    otlp_endpoint: str | None = None
    otlp_service_name: str | None = None
    cors_allow_origin: str | None = None
    graceful_termination_timeout: int | None = None

    def __new__(cls, *_: object, **options: object) -> Self:
        """Explain all names that are no options at once; Python itself would only say which one is the first.

        Raises:
            TypeError: There is no option of that name.
        """
        if explained := explain(options, cls.__dataclass_fields__):
            raise TypeError(explained)
        return super().__new__(cls)
