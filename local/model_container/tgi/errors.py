"""TGI's errors with its messages (router/src/infer/mod.rs, validation.rs)."""

from __future__ import annotations


class InferError(Exception):
    """An error that TGI reports as `{"error", "error_type"}`.

    Args:
        detail: The text after the prefix of the error type.
    """

    status = 500
    error_type = ""
    prefix = ""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(self.prefix + detail)


class GenerationError(InferError):
    """The generation failed."""

    status, error_type, prefix = 424, "generation", "Request failed during generation: "


class OverloadedError(InferError):
    """MAX_CONCURRENT_REQUESTS are running."""

    status, error_type, prefix = 429, "overloaded", "Model is overloaded"


class ValidationError(InferError):
    """A parameter is out of range."""

    status, error_type, prefix = 422, "validation", "Input validation error: "


class ToolError(InferError):
    """The tools are invalid, or a tool call cannot be parsed."""

    status, error_type, prefix = 422, "tool_error", "Tool error: "


class SuffixNotSupportedError(InferError):
    """A completion request with `suffix`."""

    status, error_type = 422, "suffix not supported"
    prefix = "Suffix is not supported and can be achieved by preprocessing the prompt."


class BatchSizeExceededError(InferError):
    """A completion request with more prompts than MAX_CLIENT_BATCH_SIZE."""

    status, error_type = 422, "batch size exceeded"
    prefix = "Number of prompts exceeds the maximum allowed batch size of "
