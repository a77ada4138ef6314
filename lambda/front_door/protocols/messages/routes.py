"""Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages)."""

from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import ResponseBuilder, buffered_response
from front_door.errors import ApiError
from front_door.generation.request import Problems
from front_door.http.response import Response, json_response
from front_door.protocols.conversation import Conversation
from front_door.protocols.messages import answer
from front_door.protocols.messages.errors import RequestErrors, name_request
from front_door.protocols.messages.request import MessagesRequest, read_count, read_message
from front_door.protocols.openai.validation import model_of


def create(ctx: RequestContext) -> Response:
    """`POST /v1/messages`, buffered or streamed."""
    body = ctx.request.json_object()
    model, problems = model_of(ctx, body), Problems()
    request = read_message(body, ctx.openai_server_of(model), problems)
    ctx.lowers_max_tokens = True  # Anthropic's models end an answer where their context does
    conversation = Conversation(ctx, model, request.chat, problems, request.names)
    message = answer.message(f"msg_{ctx.log.request_id}", model.full_name)
    if request.stream:
        response = conversation.stream(answer.MessageWriter(conversation, request, message, ctx.log.request_id))
    else:
        build = _build_message(conversation, request, message)
        response = buffered_response(ctx, build, RequestErrors(ctx.log.request_id))
    return name_request(response, ctx.log.request_id)


def count_tokens(ctx: RequestContext) -> Response:
    """`POST /v1/messages/count_tokens`: what the model's server counts before it generates one token."""
    body = ctx.request.json_object()
    model, problems = model_of(ctx, body), Problems()
    if not model.facts.get("counts_tokens"):
        raise _not_counted(model)
    request = read_count(body, ctx.openai_server_of(model), problems)
    conversation = Conversation(ctx, model, request.chat, problems, request.names)
    response = buffered_response(ctx, _count(ctx, conversation), RequestErrors(ctx.log.request_id))
    return name_request(response, ctx.log.request_id)


def _build_message(conversation: Conversation, request: MessagesRequest, message: dict[str, Any]) -> ResponseBuilder:
    deltas = yield from conversation.answer()
    is_cut = conversation.finish_reason == "length"
    message["content"] = answer.content(deltas, request, message["id"], is_cut=is_cut)
    calls_tools = any(block["type"] == "tool_use" for block in message["content"])
    ending = answer.ending(conversation, request, calls_tools=calls_tools)
    return json_response({**message, **ending, "usage": answer.usage(conversation.usage)})


def _count(ctx: RequestContext, conversation: Conversation) -> ResponseBuilder:
    try:
        yield from conversation.answer()
    except ApiError as error:
        # TGI finds no call of a tool in one token, and has counted the prompt by then.
        if error.kind != "tool_error" or not conversation.usage:
            raise
        ctx.log.add_tokens(
            prompt=answer.tokens(conversation.usage, "prompt_tokens"),
            generated=answer.tokens(conversation.usage, "completion_tokens"),
        )
    counted = answer.tokens(conversation.usage, "prompt_tokens")
    if counted is None:
        message = "The model's server has not said how many tokens the prompt has."
        raise ApiError("upstream", message, log_detail="no usage")
    return json_response({"input_tokens": counted})


def _not_counted(model: Model) -> ApiError:
    message = (
        f"Tokens are not counted for `{model.name}`, as each count costs its server the reading of the prompt."
        f' `FrontDoor(count_tokens=["{model.name}"])` switches it on.'
    )
    return ApiError("not_found", message)
