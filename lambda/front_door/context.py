"""What a route gets to handle one request."""

from _thread import allocate_lock
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from front_door import engines
from front_door.config import Config, Model
from front_door.errors import ApiError
from front_door.http.json import compact, not_writable
from front_door.http.request import Request
from front_door.request_log import RequestLog
from front_door.sagemaker.client import DEADLINE, SageMaker
from front_door.sagemaker.invocation import Invocation, ModelStream

if TYPE_CHECKING:
    from front_door.engines.base import Engine, Translator
    from front_door.generation.openai_server import OpenAiServer
    from front_door.generation.token_server import TokenServer
    from front_door.limits.admission import Admission
    from front_door.routing.attempts import Attempts
    from front_door.sagemaker.hold import Hold


_OPENAI_PATHS = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}


class _Encoder:
    """Writes the bodies of one request, one at a time: several choices at once would take as many times the memory."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._last: tuple[object, bytes] = (None, b"")

    def encode(self, body: dict[str, Any]) -> bytes:
        """The body as JSON; for the same object as before, the same bytes. Raises what `compact` raises."""
        with self._lock:
            if self._last[0] is not body:
                self._last = (body, compact(body))
            return self._last[1]


@dataclass(slots=True)
class RequestContext:
    """One request, and what handles it.

    Attributes:
        variables: The values of the variables in the route's path.
        deadline: When the invocation ends, in seconds since the epoch.
        hold: Keeps the client waiting while no copy of its model runs. None: that is an error.
        attempts: The endpoints for a request to a model that has several. None: no model has.
        variant: The production variant that is tested. None: SageMaker chooses one.
        admission: What the caller may do. None: call all models.
        lowers_max_tokens: Whether a number of tokens that does not fit is lowered also if the client has set it.
        lowered_to: What it has been lowered to.
    """

    request: Request
    variables: dict[str, str]
    config: Config
    sagemaker: SageMaker
    deadline: float
    log: RequestLog
    hold: "Hold | None" = None
    attempts: "Attempts | None" = None
    variant: str | None = None
    admission: "Admission | None" = None
    lowers_max_tokens: bool = False
    lowered_to: int | None = None
    _encoder: _Encoder = field(default_factory=_Encoder)

    def model_of_path(self) -> Model:
        """The model that the path names, or the only one.

        Raises:
            ApiError: There is no such model, or the path names none and there is more than one; or the caller may not
                call it.
        """
        return self.target_of(self.named_model())

    def named_model(self) -> Model:
        """The same, whichever of its endpoints the request goes to.

        Raises:
            ApiError: As `model_of_path`.
        """
        name = self.variables.get("model")
        if name is not None:
            return self.find_model(name)
        only = self.only_model()
        if only is None:
            names = ", ".join(model.name for model in self.models())
            message = f"This URL serves several models; put the name into the path: /models/<one of {names}>/generate."
            raise ApiError("model_not_found", message)
        return only

    def only_model(self) -> Model | None:
        """The model, if there is one alone.

        Raises:
            ApiError: The caller may not call it.
        """
        only = self.config.only_model
        return only if only is None or self.admission is None else self.admission.check(only)

    def models(self) -> list[Model]:
        """The models that the caller may call."""
        models = self.config.models.values()
        return [model for model in models if self.admission is None or self.admission.may_call(model.name)]

    def target_of(self, model: Model) -> Model:
        """The model as the endpoint has it that the request goes to."""
        if self.attempts is not None and model.routing is not None:
            model = self.attempts.target_of(model)
        return model if self.variant is None else replace(model, variant=self.variant)

    def model(self, name: str, hint: str = "") -> Model:
        """The model with a name or a hub id, as the endpoint has it that the request goes to.

        Raises:
            ApiError: As `find_model`.
        """
        return self.target_of(self.find_model(name, hint))

    def find_model(self, name: str, hint: str = "") -> Model:
        """The model with a name or a hub id.

        Args:
            name: The name.
            hint: A sentence that the error ends with.

        Raises:
            ApiError: There is no such model; the message lists the names. Or the caller may not call it.
        """
        model = self.config.model(name)
        if model is not None:
            return model if self.admission is None else self.admission.check(model)
        base, _, adapter = name.partition(":")
        if adapter and (model := self.config.model(base)) is not None:
            return self.adapter_of(model if self.admission is None else self.admission.check(model), adapter)
        names = ", ".join(f"`{known.name}`" for known in self.models()) or "none that you may call"
        message = f"The model `{name[:100]}` does not exist. There is {names}.{hint}"
        raise ApiError("model_not_found", message, param="model")

    def adapter_of(self, model: Model, name: str, param: str = "model") -> Model:
        """The model with one of its LoRA adapters.

        Args:
            model: The model.
            name: Name of the adapter.
            param: The request field that names it.

        Raises:
            ApiError: There is no such adapter; containers would answer from the model without it.
        """
        if name in model.adapters:
            return model.with_adapter(name)
        names = ", ".join(f"`{known}`" for known in model.adapters) or "none"
        message = f"The model `{model.name}` has no adapter `{name[:100]}`. It has {names}."
        raise ApiError("model_not_found", message, param=param)

    def engine_of(self, model: Model) -> "Engine":
        """The engine in the model's container."""
        return engines.of(model.engine)

    def openai_server_of(self, model: Model) -> "OpenAiServer | None":
        """The same, if it speaks OpenAI's protocol itself."""
        engine = self.engine_of(model)
        return cast("OpenAiServer", engine) if engine.native_protocol == "openai" else None

    def openai_routes(self, model: Model) -> tuple[str, ...]:
        """Which of OpenAI's routes answer for a model: `chat`, `completions`."""
        server = self.openai_server_of(model)
        answered = ("chat", "completions") if server is None else server.answers
        return tuple(route for route in answered if model.facts.get(route) is not False)

    def engine_cannot(self, model: Model, route: str, why: str = "", status: int = 400) -> ApiError:
        """The error of a route that a model's container does not answer; it names those that it does.

        Args:
            model: The model.
            route: The route's path, or what it speaks.
            why: The reason, if it is not plain.
            status: The HTTP status.
        """
        use = " or ".join(_OPENAI_PATHS[name] for name in self.openai_routes(model))
        engine = self.engine_of(model).display_name
        message = f"{model.full_name} runs on {engine}, which does not answer {route} here{why}; use {use}."
        return ApiError("engine_cannot", message, status=status)

    def token_server_of(self, model: Model) -> "TokenServer":
        """The same, if clients that speak TGI's protocol can be answered from what it generates.

        Raises:
            ApiError: They cannot: its container does not complete a prompt.
        """
        server = self.openai_server_of(model)
        if server is None:
            raise self.engine_cannot(model, "TGI's requests", status=501)
        if "completions" not in self.openai_routes(model):
            raise self.engine_cannot(model, "TGI's requests", ": its container answers chats, no prompts", status=501)
        return cast("TokenServer", server)

    def translator_of(self, model: Model) -> "Translator":
        """The same, if clients' requests are translated for it."""
        return cast("Translator", self.engine_of(model))

    def max_tokens(self, model: Model, requested: int | None) -> int:
        """How many tokens to ask the container for.

        Args:
            model: The model.
            requested: What the client requested. None: the front door's default (`DEFAULT_MAX_TOKENS`), at most the
                length of the model's context; TGI itself would generate until the context is full.
        """
        if requested is not None:
            return requested
        limit = model.facts.get("max_total_tokens")
        default = self.config.default_max_tokens
        return max(1, min(default, limit - 1)) if isinstance(limit, int) else default

    def reserve(self, model: Model, prompt: Iterable[object], max_tokens: int, texts: int) -> None:
        """Take the tokens that a request may need from what the caller may use.

        Args:
            model: The model.
            prompt: The parts of the prompt: texts, arrays of token ids, messages and tools.
            max_tokens: How long each text may get.
            texts: How many texts are generated.

        Raises:
            ApiError: It may not use as many.
        """
        if self.admission is not None:
            limit = model.facts.get("max_total_tokens")
            longest = min(max_tokens, limit) if isinstance(limit, int) else max_tokens
            self.admission.reserve(model, prompt, longest, texts)

    def stream(self, model: Model, body: dict[str, Any], *, may_lower_tokens: bool, min_tokens: int = 1) -> ModelStream:
        """Invoke a model's endpoint for a streamed response.

        Args:
            model: The model.
            body: The request for its container.
            may_lower_tokens: Whether the number of tokens is a default, which is lowered if it does not fit.
            min_tokens: The lowest that it may be.

        Raises:
            ApiError: The request could not be sent.
        """
        may_lower_tokens = may_lower_tokens or self.lowers_max_tokens
        invocation = self._invocation(model, body, may_lower_tokens=may_lower_tokens, min_tokens=min_tokens)
        return ModelStream(invocation) if self.admission is None else self.admission.open(invocation)

    def invoke(self, model: Model, body: dict[str, Any]) -> Generator[bytes, None, bytes]:
        """Invoke a model's endpoint for what its container cannot stream; ends 60 seconds after the last keep-alive.

        Raises:
            ApiError: The invocation failed; a timeout explains why it is this short.
        """
        try:
            return (yield from self._invocation(model, body, may_lower_tokens=False).invoke())
        except ApiError as error:
            if error.kind != "timeout" or error.log_detail == DEADLINE:
                raise
            message = (
                "The model did not respond within the 60 seconds that SageMaker allows for a request that the model"
                f" cannot stream ({self.engine_of(model).not_streamable})."
            )
            raise ApiError("timeout", message, log_detail=error.log_detail) from error

    def _invocation(
        self, model: Model, body: dict[str, Any], *, may_lower_tokens: bool, min_tokens: int = 1
    ) -> Invocation:
        engine = self.engine_of(model)
        tried: set[int] = set()

        def shrink(error: ApiError) -> bytes | None:
            tokens = engine.tokens_left(error) if may_lower_tokens else None
            # Some containers say only that it is too much: then it is lowered more than once.
            tokens = None if tokens is None else max(tokens, min_tokens)
            if tokens is None or tokens in tried:
                return None
            tried.add(tokens)
            self.lowered_to = tokens
            return self._encode(model, engine.with_max_tokens(body, tokens))

        return Invocation(
            self.sagemaker,
            model,
            self._encode(model, body),
            deadline=self.deadline,
            log=self.log,
            errors=engine,
            shrink=shrink,
            hold=self.hold,
            others=self.attempts,
        )

    def _encode(self, model: Model, body: dict[str, Any]) -> bytes:
        """The body as it is sent to the container.

        Raises:
            ApiError: Python could decode it and the container could not, or it is larger than the endpoint accepts.
        """
        try:
            encoded = self._encoder.encode(body)
        except (ValueError, RecursionError) as error:
            raise not_writable(error) from None
        self.log.add(Model=model.name, adapter=model.adapter, endpoint=model.endpoint_name, request_bytes=len(encoded))
        if len(encoded) > model.max_body_bytes:
            size = f"The request is {len(encoded)} bytes; {model.name} accepts at most {model.max_body_bytes}."
            raise ApiError("too_large", size)
        return encoded


def check_engines(config: Config) -> None:
    """Check that the engine of each model is known.

    Raises:
        ConfigError: One is not.
    """
    for model in config.models.values():
        for each in (model,) if model.routing is None else model.routing.all_targets():
            engines.check(each.engine)
