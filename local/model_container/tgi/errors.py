"""TGI's own errors with its words (router/src/infer/mod.rs, validation.rs)."""

from __future__ import annotations


class InferError(Exception):
    """An error that TGI reports as `{"error", "error_type"}`.

    Args:
        detail: what follows the kind's own words.
    """

    status = 500
    error_type = ""
    words = ""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(self.words + detail)


class GenerationError(InferError):
    """The model failed."""

    status, error_type, words = 424, "generation", "Request failed during generation: "


class OverloadedError(InferError):
    """MAX_CONCURRENT_REQUESTS are under way."""

    status, error_type, words = 429, "overloaded", "Model is overloaded"


class ValidationError(InferError):
    """A parameter is out of its range."""

    status, error_type, words = 422, "validation", "Input validation error: "


class TemplateError(InferError):
    """There is no chat template, or it fails."""

    status, error_type, words = 422, "template_error", "Template error: "


class ToolError(InferError):
    """Tools that cannot be used, or a call that cannot be read."""

    status, error_type, words = 422, "tool_error", "Tool error: "


class SuffixNotSupportedError(InferError):
    """A completion request with `suffix`."""

    status, error_type = 422, "suffix not supported"
    words = "Suffix is not supported and can be achieved by preprocessing the prompt."


class BatchSizeExceededError(InferError):
    """A completion request with more prompts than MAX_CLIENT_BATCH_SIZE."""

    status, error_type = 422, "batch size exceeded"
    words = "Number of prompts exceeds the maximum allowed batch size of "
