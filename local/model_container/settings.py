"""The settings of the router from the launcher, and those of the toy."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "3.3.6-dev0"  # in /info of the 3.3.6 image (Cargo.toml at the tag)
SHA = "efb94e0d3db6aba9d464bc9a2f83191146203152"  # the tag v3.3.6
DOCKER_LABEL = "sha-efb94e0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a container; the defaults are TGI 3.3.6's.

    Args:
        is_neuron: Whether the server is that of TGI for Neuron: it ignores grammars, and its log probabilities are 0.
        tokens_per_second: The rate of each generation; 0 for no limit.
        first_token_seconds: The delay before the first token.
        min_words: The minimum length of a generated text in words, for tests with long texts.
        tool: The tool to call, where a request allows it; if empty, what TGI's grammar for tools allows beside a call:
            `{ }`, an object without a function. None to choose by the words of the prompt.
        fail_after_tokens: Makes every generation fail after this many tokens; None for no failure.
        keep_alive_seconds: Seconds without data before a stream gets a comment (axum's default is 15).
    """

    model_id: str
    model_sha: str | None = None
    pipeline_tag: str | None = "text-generation"
    max_concurrent_requests: int = 128
    max_best_of: int = 2
    max_stop_sequences: int = 4
    max_top_n_tokens: int = 5
    max_input_tokens: int = 32767
    max_total_tokens: int = 32768
    validation_workers: int = 2
    max_client_batch_size: int = 4
    payload_limit: int = 2_000_000
    disable_grammar_support: bool = False
    enable_prefill_logprobs: bool = False
    api_key: str | None = None
    cors_allow_origin: tuple[str, ...] = ()
    compute_type: str = "gpu+optimized"
    is_neuron: bool = False
    tokens_per_second: float = 30.0
    first_token_seconds: float = 0.0
    min_words: int = 0
    tool: str | None = None
    fail_after_tokens: int | None = None
    keep_alive_seconds: float = 15.0

    @property
    def default_return_full_text(self) -> bool:
        """The default of `return_full_text` for `/` and `/invocations`: true for text generation and unknown models."""
        return self.pipeline_tag in (None, "text-generation")

    @property
    def system_fingerprint(self) -> str:
        """The `system_fingerprint` of OpenAI responses."""
        return f"{VERSION}-{DOCKER_LABEL}"
