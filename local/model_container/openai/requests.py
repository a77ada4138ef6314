"""The bodies of requests, read by pydantic as vLLM reads them: with its coercions, its errors and unknown members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, TypeVar, cast
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator, model_validator

from local.model_container.openai import request_checks
from local.model_container.openai.errors import ApiError, validation_error
from local.model_container.openai.messages import AnyMessage

_INT64 = 2**63 - 1


class _Model(BaseModel):
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="wrap")
    @classmethod
    def _wrap(cls, data: Any, handler: Callable[[Any], Any]) -> Any:
        """Does nothing: vLLM's models are wrapped, and pydantic's errors have that in the place of their names."""
        return handler(data)


class StreamOptions(_Model):
    """What a stream has beside the text."""

    include_usage: bool | None = True
    continuous_usage_stats: bool | None = False


class JsonSchemaResponseFormat(_Model):
    """A named schema."""

    name: str
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseFormat(_Model):
    """OpenAI's formats."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaResponseFormat | None = None


class StructuralTagResponseFormat(_Model):
    """xgrammar's tags."""

    type: Literal["structural_tag"]
    format: Any


class LegacyStructuralTagResponseFormat(_Model):
    """xgrammar's tags, as they were."""

    type: Literal["structural_tag"]
    structures: list[dict[str, Any]]
    triggers: list[str]


class StructuredOutputs(_Model):
    """vLLM's own constraints of a text."""

    json_: str | dict[str, Any] | None = Field(default=None, alias="json")
    regex: str | None = None
    choice: list[str] | None = None
    grammar: str | None = None
    json_object: bool | None = None


class FunctionDefinition(_Model):
    """A function that the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(_Model):
    """A tool that the model may call."""

    type: Literal["function"] = "function"
    function: FunctionDefinition


class NamedFunction(_Model):
    """The name of a function."""

    name: str


class NamedToolChoice(_Model):
    """The tool that the model must call."""

    function: NamedFunction
    type: Literal["function"] = "function"


class GenerationRequest(_Model):
    """What requests for chats and completions have in common.

    Attributes:
        checks: The checks of the raw body, in vLLM's order.
    """

    model: str | None = None
    frequency_penalty: float | None = 0.0
    logit_bias: dict[str, float] | None = None
    n: int | None = 1
    presence_penalty: float | None = 0.0
    response_format: ResponseFormat | StructuralTagResponseFormat | LegacyStructuralTagResponseFormat | None = None
    seed: int | None = Field(None, ge=-_INT64 - 1, le=_INT64)
    stop: str | list[str] | None = []
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    use_beam_search: bool = False
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    stop_token_ids: list[int] | None = []
    include_stop_str_in_output: bool = False
    ignore_eos: bool = False
    min_tokens: int = 0
    skip_special_tokens: bool = True
    truncate_prompt_tokens: Annotated[int, Field(ge=-1, le=_INT64)] | None = None
    truncation_side: Literal["left", "right"] | None = None
    prompt_logprobs: int | None = None
    allowed_token_ids: list[int] | None = None
    bad_words: list[str] = []
    echo: bool = False
    structured_outputs: StructuredOutputs | None = None
    priority: int = 0
    request_id: str = Field(default_factory=lambda: uuid4().hex[:16])
    return_tokens_as_token_ids: bool | None = None
    return_token_ids: bool | None = None
    stream_interval: Annotated[int, Field(ge=1)] | None = None

    checks: ClassVar[tuple[Any, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _check(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for check in reversed(cls.checks):  # pydantic runs the last of several validators first
                check(data)
        return data


def _validate_and_keep(value: Any, validate: Callable[[Any], Any]) -> Any:
    """The messages as they were sent: pydantic leaves an iterator in the place of parts."""
    validate(value)
    return value


class ChatRequest(GenerationRequest):
    """A request for a chat."""

    messages: Annotated[list[AnyMessage], WrapValidator(_validate_and_keep)]
    logprobs: bool | None = False
    top_logprobs: int | None = 0
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = "none"
    parallel_tool_calls: bool | None = True
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    add_special_tokens: bool = False
    chat_template: str | None = None
    return_prompt_text: bool | None = None

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The messages as they were sent."""
        return cast("list[dict[str, Any]]", self.messages)

    checks = (
        request_checks.check_response_format,
        request_checks.check_stream_options,
        request_checks.check_chat_logprobs,
        request_checks.check_structured_outputs,
        request_checks.check_tools,
        request_checks.check_generation_prompt,
    )


class CompletionRequest(GenerationRequest):
    """A request for completions of prompts."""

    prompt: list[int] | list[list[int]] | str | list[str] | None = None
    logprobs: int | None = None
    max_tokens: int | None = 16
    n: int = 1
    suffix: str | None = None
    add_special_tokens: bool = True

    checks = (
        request_checks.set_max_tokens,
        request_checks.check_response_format,
        request_checks.check_structured_outputs,
        request_checks.check_completion_logprobs,
        request_checks.check_stream_options,
        request_checks.check_prompt,
    )


class StopLimitedChatRequest(ChatRequest):
    """The same with at most four stop strings, as since vLLM 0.30."""

    stop: str | Annotated[list[str], Field(max_length=4)] | None = []


class StopLimitedCompletionRequest(CompletionRequest):
    """The same with at most four stop strings, as since vLLM 0.30."""

    stop: str | Annotated[list[str], Field(max_length=4)] | None = []


Body = TypeVar("Body", bound=BaseModel)


def read_body(type_: type[Body], body: Any) -> Body:
    """Reads a body.

    Raises:
        InvalidBodyError: It has another shape.
        ApiError: A parameter contradicts another one.
    """
    try:
        return type_.model_validate(body, from_attributes=True)
    except ValidationError as error:
        raise InvalidBodyError(error) from error


class InvalidBodyError(Exception):
    """A body of another shape."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__(str(error))
        self._errors = error.errors(include_url=False)

    def as_api_error(self) -> ApiError:
        """What a client reads of it."""
        return validation_error([{**error, "loc": ("body", *error["loc"])} for error in self._errors])
