"""The request bodies of TGI 3.3.6 (router/src/lib.rs), except chat."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from local.model_container.serde import types
from local.model_container.serde.errors import JsonError
from local.model_container.serde.reader import JsonReader
from local.model_container.serde.types import Field, option, sequence, structure, untagged


@dataclass(frozen=True, slots=True)
class Grammar:
    """The grammar of the generated text: a JSON schema (for `json`, as sent) or a regular expression."""

    kind: Literal["json", "regex", "json_schema"]
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """TGI's GenerateParameters; the defaults apply to keys that are missing in `parameters`."""

    best_of: int | None = None
    temperature: float | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None
    do_sample: bool = False
    max_new_tokens: int | None = None
    return_full_text: bool | None = None
    stop: list[str] = field(default_factory=list)
    truncate: int | None = None
    watermark: bool = False
    details: bool = False
    decoder_input_details: bool = False
    seed: int | None = None
    top_n_tokens: int | None = None
    grammar: Grammar | None = None
    adapter_id: str | None = None


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """A generation; only `/` and `/invocations` use `stream`."""

    inputs: str
    parameters: Parameters
    stream: bool = False
    add_special_tokens: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """TGI's completion request."""

    model: str | None
    prompt: list[str]
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    stream: bool
    seed: int | None
    suffix: str | None
    repetition_penalty: float | None
    frequency_penalty: float | None
    stop: list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """TGI's chat request. `tool_choice` is auto, none, required or function:<name>."""

    model: str | None
    messages: list[dict[str, Any]]
    frequency_penalty: float | None
    logit_bias: list[float] | None
    logprobs: bool | None
    top_logprobs: int | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    stop: list[str] | None
    stream: bool
    seed: int | None
    temperature: float | None
    top_p: float | None
    tools: list[dict[str, Any]] | None
    tool_prompt: str | None
    tool_choice: str
    response_format: Grammar | None
    stream_options: dict[str, Any]

    def without_tools(self) -> ChatRequest:
        """The request that TGI repeats if the model has chosen no tool."""
        return replace(self, tools=None, response_format=None)


def _optional(name: str, type_: types.Type, *, positional: bool = True, aliases: tuple[str, ...] = ()) -> Field:
    return Field(name, option(type_), lambda: None, aliases, positional)


_JSON_SCHEMA_CONFIG = structure(
    "JsonSchemaConfig", [_optional("name", types.string, positional=False), Field("schema", types.value)]
)
_GRAMMAR_KINDS: dict[str, tuple[Literal["json", "regex", "json_schema"], types.Type]] = {
    "json": ("json", types.value),
    "json_object": ("json", types.value),
    "regex": ("regex", types.string),
    "json_schema": ("json_schema", _JSON_SCHEMA_CONFIG),
}


def grammar(reader: JsonReader) -> Grammar:
    """Reads an adjacently tagged enum: `type` and `value` in any order; other keys are ignored."""
    if reader.peek() != ord("{"):
        raise types.invalid_type(reader, "adjacently tagged enum GrammarType")
    path = reader.path
    found = dict(reader.members_of(_tag_or_position))
    for key in ("type", "value"):
        if key not in found:
            raise reader.locate(JsonError(f"missing field `{key}`", path))
    kind, type_ = _GRAMMAR_KINDS[found["type"]]
    return Grammar(kind, type_(JsonReader(reader.data, found["value"], (*path, "value"))))


def _tag_or_position(reader: JsonReader) -> str | int:
    """Reads the tag; for other members returns their position, as the tag determines their type."""
    if reader.path[-1] != "type":
        reader.peek()
        start = reader.index
        reader.value()
        return start
    if reader.peek() != ord('"'):
        raise types.invalid_type(reader, "variant identifier")
    tag = reader.string()
    if tag not in _GRAMMAR_KINDS:
        names = ", ".join(f"`{name}`" for name in _GRAMMAR_KINDS)
        raise reader.data_error(f"unknown variant `{tag}`, expected one of {names}")
    return tag


_PARAMETER_FIELDS = [
    _optional("best_of", types.USIZE),
    _optional("temperature", types.float32),
    _optional("repetition_penalty", types.float32),
    _optional("frequency_penalty", types.float32),
    _optional("top_k", types.I32),
    _optional("top_p", types.float32),
    _optional("typical_p", types.float32),
    Field("do_sample", types.boolean, bool),
    _optional("max_new_tokens", types.U32),
    _optional("return_full_text", types.boolean),
    Field("stop", sequence(types.string), list),
    _optional("truncate", types.USIZE),
    Field("watermark", types.boolean, bool),
    Field("details", types.boolean, bool),
    Field("decoder_input_details", types.boolean, bool),
    _optional("seed", types.U64),
    _optional("top_n_tokens", types.U32),
    _optional("grammar", grammar),
    _optional("adapter_id", types.string),
]
_INPUTS = Field("inputs", types.string)
# TGI samples if the key `parameters` is missing; otherwise only with do_sample.
_PARAMETERS = Field(
    "parameters",
    structure("GenerateParameters", _PARAMETER_FIELDS, lambda found: Parameters(**found)),
    lambda: Parameters(do_sample=True),
)
GENERATE = structure("GenerateRequest", [_INPUTS, _PARAMETERS], lambda found: GenerateRequest(**found))
COMPAT_GENERATE = structure(
    "CompatGenerateRequest",
    [_INPUTS, _PARAMETERS, Field("stream", types.boolean, bool)],
    lambda found: GenerateRequest(**found),
)


def _prompt(reader: JsonReader) -> list[str]:
    path = reader.path
    prompt = untagged("PromptDeserializer", [types.string, sequence(types.string)])(reader)
    if prompt == []:
        raise JsonError("Empty array detected. Do not use an empty array for the prompt.", path)
    return [prompt] if isinstance(prompt, str) else list(prompt)


COMPLETION = structure(
    "CompletionRequest",
    [
        _optional("model", types.string, positional=False),
        Field("prompt", _prompt),
        _optional("max_tokens", types.U32),
        _optional("temperature", types.float32),
        _optional("top_p", types.float32),
        Field("stream", types.boolean, bool),
        _optional("seed", types.U64, positional=False),
        _optional("suffix", types.string),
        _optional("repetition_penalty", types.float32),
        _optional("frequency_penalty", types.float32),
        _optional("stop", sequence(types.string)),
    ],
    lambda found: CompletionRequest(**found),
)
