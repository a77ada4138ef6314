"""OpenAI's completions (https://platform.openai.com/docs/api-reference/completions/create), answered by TGI."""

from front_door.context import Call
from front_door.engines.tgi import completions_request
from front_door.generation.request import model_named
from front_door.http.response import Response
from front_door.protocols.openai.completion_chunks import CompletionChoice, CompletionChunks, text
from front_door.protocols.openai.responses import Form, answered

_FORM = Form("cmpl-", "text_completion", "text_completion", CompletionChoice, CompletionChunks, text)


def completions(call: Call) -> Response:
    """`POST /v1/completions`, buffered or streamed."""
    body = call.request.json_object()
    model = model_named(call.config, body.get("model"))
    return answered(call, model, completions_request.translated(body, model.facts), _FORM)


def invoked(call: Call) -> Response:
    """`prompt` on a route of TGI's: names that have no meaning are passed over, as TGI does."""
    body = call.request.json_object()
    model = call.model_of_path() if call.variables else model_named(call.config, body.get("model"))
    return answered(call, model, completions_request.translated(body, model.facts, knows_all=False), _FORM)
