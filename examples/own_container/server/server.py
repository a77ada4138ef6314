"""A model server of your own in front of SageMaker's contract: GET /ping, POST /invocations, OpenAI's chat."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

app = FastAPI()


def generate(messages: list[dict[str, Any]], max_tokens: int) -> Iterator[str]:
    """Your model: the words of an answer, one after the other."""
    yield from (f"{word} " for word in str(messages[-1]["content"]).upper().split()[:max_tokens])


@app.get("/ping")
def ping() -> Response:
    """Whether the model can answer."""
    return Response()


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    """A chat completion, streamed or not."""
    body = await request.json()
    if not body.get("messages"):
        error = {"message": "messages is required", "type": "invalid_request_error", "param": "messages", "code": None}
        return JSONResponse({"error": error}, 400)
    head = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": "shout"}
    words = list(generate(body["messages"], body.get("max_tokens") or 256))
    usage = {"prompt_tokens": 1, "completion_tokens": len(words), "total_tokens": 1 + len(words)}
    if not body.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "".join(words)}, "finish_reason": "stop"}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    def chunks() -> Iterator[str]:
        deltas: list[dict[str, str]] = [
            {"role": "assistant", "content": ""},
            *({"content": word} for word in words),
            {},
        ]
        for delta in deltas:
            choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
            yield f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
        if (body.get("stream_options") or {}).get("include_usage"):
            last = {**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}
            yield f"data: {json.dumps(last)}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(chunks(), media_type="text/event-stream")
