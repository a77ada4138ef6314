"""A client's request as its protocol has validated it and as an engine translates it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from front_door.errors import ApiError

MAX_REPORTED_PROBLEMS = 20


class Problems:
    """Everything that is wrong with one request, reported together."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, param: str, sentence: str) -> None:
        """Add one; the sentence names the parameter and what to change, and quotes no text of the client."""
        self._found.append((param, sentence))

    def is_about(self, name: str) -> bool:
        """Whether there is one about this member or something in it."""
        return any(param.startswith(name) for param, _ in self._found)

    def raise_if_any(self) -> None:
        """Raise what was added.

        Raises:
            ApiError: There is a problem; its message has up to 20 of them, and `param` is the first one's.
        """
        if not self._found:
            return
        sentences = some_of([sentence for _, sentence in self._found], "; ")
        raise ApiError("bad_request", sentences, param=self._found[0][0])


def some_of(texts: list[str], separator: str = ", ") -> str:
    """The first texts, and how many there are more."""
    more = len(texts) - MAX_REPORTED_PROBLEMS
    return separator.join([*texts[:MAX_REPORTED_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])


class ResponseFormat(NamedTuple):
    """What the text of a message has to be: JSON, or a match of a regular expression.

    Attributes:
        schema: The JSON schema; None means any JSON object.
        regex: The regular expression, instead of JSON.
        name: What the client calls the schema.
        description: What the text is for.
        path: Where the schema is in the client's request.
    """

    schema: dict[str, Any] | None = None
    regex: str | None = None
    name: str | None = None
    description: str | None = None
    path: str = "response_format"


class FinalAnswer(NamedTuple):
    """The tool whose arguments are the content of a message.

    Attributes:
        name: Its name, which is in the request's tools.
        path: Where its schema is in the client's request.
        is_wrapped: Whether the content is the value of its only argument.
    """

    name: str
    path: str
    is_wrapped: bool


@dataclass(slots=True)
class GenerationRequest:
    """A request for text; its parameters have OpenAI's types and meaning, and None if the client left them out.

    Attributes:
        messages: A chat's messages; None for a completion.
        prompts: A completion's prompts.
        n: The number of choices for the chat or for each prompt.
        stop_sequences: Where a text ends; the text does not contain them.
        repetition_penalty: TGI's own, as is `tool_prompt`.
        logprobs: A chat's says whether; a completion's, how many alternatives.
        keeps_text: Whether the generated text is wanted; otherwise one token is generated, and dropped.
        tool_choice: `auto`, `none`, `required`, the name of a tool, or OpenAI's object that names one.
        allowed_tools: The names of the tools that may be called.
        response_format: What the text has to be; None if it is free.
        final_answer: The tool that stands for the response format, beside other tools.
        best_of: How many texts are generated for each prompt, of which the `n` likeliest are returned.
        adapter: The LoRA adapter that answers, by the container's name; None: the model alone.
        tgi_parameters: TGI's parameters that OpenAI does not have, by their names, with values that change the text.
    """

    messages: list[dict[str, Any]] | None = None
    prompts: list[str] = field(default_factory=list)
    n: int = 1
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: Any = None
    logprobs: Any = None
    top_logprobs: int | None = None
    tools: list[dict[str, Any]] = field(default_factory=list)
    tool_choice: str | dict[str, Any] = "auto"
    allowed_tools: list[str] = field(default_factory=list)
    tool_prompt: str | None = None
    response_format: ResponseFormat | None = None
    final_answer: FinalAnswer | None = None
    best_of: int | None = None
    suffix: str | None = None
    echo: bool = False
    stream: bool = False
    include_usage: bool = False
    keeps_text: bool = True
    adapter: str | None = None
    tgi_parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def candidates(self) -> int:
        """How many texts are generated for each prompt."""
        return max(self.best_of or 1, self.n)

    @property
    def wants_prompt_logprobs(self) -> bool:
        """Whether a completion's prompt is repeated with the log probabilities of its tokens."""
        return self.echo and self.logprobs is not None

    def echoed(self, index: int) -> str:
        """What is repeated before the text of a choice; with log probabilities, the choice reads it itself."""
        return self.prompts[index // self.candidates] if self.echo and not self.wants_prompt_logprobs else ""
