"""What a route gets to answer one request with."""

import time
from dataclasses import dataclass, field
from typing import Any

from front_door.config import Config, Model
from front_door.errors import Failure, compact
from front_door.http.request import Request, not_json
from front_door.request_log import Journal
from front_door.sagemaker.client import DEADLINE, SageMaker, Stream
from front_door.sagemaker.invocation import ModelStream, Retries

JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Call:
    """One request on its way.

    Attributes:
        request: What came in.
        variables: What the variables of the route's path are.
        config: The models.
        sagemaker: The way to them.
        deadline: When the invocation ends, in seconds since the epoch.
        journal: Its log line.
        has_default_budget: Whether the number of tokens is a default of ours, which may be lowered where it does not
            fit behind the prompt.
    """

    request: Request
    variables: dict[str, str]
    config: Config
    sagemaker: SageMaker
    deadline: float
    journal: Journal
    has_default_budget: bool = field(default=False, init=False)

    def model_of_path(self) -> Model:
        """The model that the path names, or else the only one.

        Raises:
            Failure: There is no such model, or the path names none where there are several.
        """
        named = self.variables.get("model")
        models = self.config.models
        if named is None and len(models) == 1:
            return next(iter(models.values()))
        names = ", ".join(models)
        if named is None:
            message = f"This URL serves several models; put the name into the path: /models/<one of {names}>/generate."
            raise Failure("model_not_found", message)
        model = self.config.model(named)
        if model is None:
            raise Failure("model_not_found", f"The model {named[:100]} does not exist; there is {names}.")
        return model

    def budget(self, model: Model, asked: int | None) -> int:
        """How many tokens to ask the container for.

        Args:
            model: The model.
            asked: What the client asked for; None: it left it open, which TGI would take for all that is left of the
                context.

        Returns:
            What was asked for, or the door's default (`DEFAULT_MAX_TOKENS`), at most what the model has in all. Where
            that is more than what the prompt leaves, the container is asked again for just what it leaves.
        """
        if asked is not None:
            return asked
        self.has_default_budget = True
        most = model.facts.get("max_total_tokens")
        default = self.config.default_max_tokens
        return max(1, min(default, most - 1)) if isinstance(most, int) else default

    def stream(self, model: Model, body: dict[str, Any]) -> ModelStream:
        """Invoke a model's endpoint for an answer in events.

        Args:
            model: The model.
            body: The request for its container.

        Raises:
            Failure: It could not be sent.
        """
        return ModelStream(self, model, body)

    def invoke_stream(self, model: Model, encoded: bytes) -> Stream:
        """One attempt of `stream`."""
        return self.sagemaker.invoke_stream(model.endpoint_name, encoded, self.deadline, self.journal.client_request_id)

    def whole(self, model: Model, body: dict[str, Any]) -> bytes:
        """Invoke a model's endpoint for what its container cannot stream; ends after 60 seconds.

        Raises:
            Failure: As the error says; a timeout says why it is this short.
        """
        encoded = self.encoded(model, body)
        retries = Retries(self)
        sent = time.perf_counter()
        while True:
            try:
                return self.sagemaker.invoke(
                    model.endpoint_name, encoded, self.deadline, self.journal.client_request_id
                )
            except Failure as failure:
                if not retries.again(failure):
                    raise _explained(failure) from failure
            finally:
                self.journal.upstream((time.perf_counter() - sent) * 1000)

    def encoded(self, model: Model, body: dict[str, Any]) -> bytes:
        """The body as it goes to the container; what Python read and serde would not is refused here.

        Raises:
            Failure: It is no JSON to TGI, or larger than the model takes.
        """
        try:
            encoded = compact(body)
        except UnicodeEncodeError:
            raise not_json("lone surrogate in a string") from None
        except RecursionError:
            raise not_json("recursion limit exceeded") from None
        except ValueError:
            raise not_json("number out of range") from None
        self.journal.note(Model=model.name, endpoint=model.endpoint_name, request_bytes=len(encoded))
        if len(encoded) > model.max_body_bytes:
            size = f"The request is {len(encoded)} bytes; {model.name} takes at most {model.max_body_bytes}."
            raise Failure("too_large", size)
        return encoded


def _explained(failure: Failure) -> Failure:
    if failure.kind != "timeout" or failure.cause == DEADLINE:
        return failure
    message = (
        "The model did not answer within the 60 seconds that SageMaker gives to a request that the model"
        " cannot stream (best_of > 1, decoder_input_details, a tool call that its stream lost a part of)."
    )
    return Failure("timeout", message, cause=failure.cause)
