"""OpenAI's responses (https://platform.openai.com/docs/api-reference/responses/create)."""

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import ResponseBuilder, buffered_response
from front_door.generation.request import Problems
from front_door.http.response import JSON, Response
from front_door.protocols.conversation import Conversation
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.openai.validation import model_of
from front_door.protocols.responses.answer import Answer
from front_door.protocols.responses.request import read_request
from front_door.protocols.responses.writer import ResponseWriter


def create(ctx: RequestContext) -> Response:
    """`POST /v1/responses`, buffered or streamed."""
    body = ctx.request.json_object()
    model = model_of(ctx, body)
    problems = Problems()
    request = read_request(body, problems, has_efforts=_has_efforts(ctx, model))
    answer = Answer(ctx.log.request_id, model.full_name, request.settings)
    conversation = Conversation(ctx, model, request.chat, problems, request.names)
    writer = ResponseWriter(answer, conversation)
    if request.stream:
        return conversation.stream(writer)
    return buffered_response(ctx, _build_response(conversation, writer), OPENAI)


def _has_efforts(ctx: RequestContext, model: Model) -> bool:
    """Whether the model's server reads `reasoning_effort`."""
    server = ctx.openai_server_of(model)
    types = {} if server is None else server.member_types("chat")
    return types is None or "reasoning_effort" in types


def _build_response(conversation: Conversation, writer: ResponseWriter) -> ResponseBuilder:
    for delta in (yield from conversation.answer()):
        writer.write(delta)
    _, response = writer.finish()
    return Response(200, dict(JSON), [response])
