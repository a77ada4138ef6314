"""What a container was started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The arguments of a server, and the settings of the toy.

    Args:
        engine: `vllm`, `sglang` or `lmi`.
        version: The version of the engine, as numbers.
        model: The model that is loaded: a name of the Hub or a folder.
        names: The names that the model has in requests.
        max_model_len: The tokens of a prompt with its answer.
        adapters: The LoRA adapters by name: where each was loaded from.
        runtime_adapters: Whether adapters can be loaded while it serves.
        tool_parser: What finds calls of tools in texts; None if nothing does.
        auto_tools: Whether the model may choose by itself to call a tool.
        trusts_templates: Whether a request may bring its own chat template.
        routes: Whether CustomAttributes with `route=` reach other routes through /invocations.
        prompt_details: Whether `usage` says how many tokens of the prompt were cached.
        sessions: Whether stateful sessions are enabled.
        max_unfinished: The requests that may run and wait, None for any number.
        max_running: The requests that may run at once; others wait.
        max_logprobs: The most likely tokens that a request may ask for.
        api_key: The key that the routes below /v1 require.
        keep_alive_seconds: Seconds without data before a stream gets a comment; 0 for never.
        tokens_per_second: The rate of each generation; 0 for no limit.
        first_token_seconds: The delay before the first token.
        min_words: The minimum length of a generated text in words.
        tool: The tool to call, where a request allows it; if empty, none. None to choose by the words of the prompt.
        fail_after_tokens: Makes the engine die after this many tokens of a generation; None for no failure.
    """

    engine: str = "vllm"
    version: tuple[int, ...] = (0, 32, 0)
    model: str
    names: tuple[str, ...]
    max_model_len: int = 32768
    adapters: Mapping[str, str] = field(default_factory=dict)
    runtime_adapters: bool = False
    tool_parser: str | None = None
    auto_tools: bool = False
    trusts_templates: bool = False
    routes: bool = False
    prompt_details: bool = False
    sessions: bool = False
    max_unfinished: int | None = None
    max_running: int = 256
    max_logprobs: int = 20
    api_key: str | None = None
    keep_alive_seconds: float = 0.0
    tokens_per_second: float = 30.0
    first_token_seconds: float = 0.0
    min_words: int = 0
    tool: str | None = None
    fail_after_tokens: int | None = None

    @property
    def version_text(self) -> str:
        """The version with dots."""
        return ".".join(map(str, self.version))

    @property
    def fingerprint(self) -> str:
        """The `system_fingerprint` of answers: the version, and a hash of the configuration."""
        return f"{self.engine}-{self.version_text}-{abs(hash((self.model, self.names))) % 2**32:08x}"

    @property
    def limits_stop_strings(self) -> bool:
        """Whether a request may have four stop strings at most (VLLM_MAX_STOP_STRINGS, since 0.28)."""
        return self.version >= (0, 28)

    @property
    def clamps_max_tokens(self) -> bool:
        """Whether `max_tokens` that do not fit behind the prompt are reduced; before 0.32 they are an error."""
        return self.version >= (0, 32)
