"""What the front door answers where TGI's answer is recorded: the same, translated to OpenAI's form on OpenAI's routes.

`recorded/front_door.json` lists every exchange for which that is not so, and why.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.shared import ErrorObject

from tests.conformance.answers import compact
from tests.conformance.emulated_front_door import Response
from tests.conformance.exchanges import RECORDED, Answer, Exchange
from tests.conformance.openai_types import violations, with_finish_reasons

# The others are lost in SageMaker, or the gateway's own.
PASSED_ON = {"content-type", "cache-control", "x-accel-buffering", "x-prompt-tokens", "x-generated-tokens", "allow"}
KINDS = {400: "bad_request", 415: "unsupported_media_type", 422: "validation"}


@dataclass(frozen=True)
class Difference:
    """A class of answers that differ from TGI's.

    Attributes:
        difference: What differs.
        reason: Why.
        differs: Which parts: `status`, `headers` and `body`; `words` of an error in OpenAI's form.
        exchanges: The status of each exchange.
        answers: In place of exchanges: all whose answer has this content type.
    """

    difference: str
    reason: str
    differs: list[str]
    exchanges: dict[str, int] = field(default_factory=dict)
    answers: str = ""


DIFFERENCES = [Difference(**each) for each in json.loads((RECORDED / "front_door.json").read_text(encoding="utf-8"))]
_PLAIN = next(difference for difference in DIFFERENCES if difference.answers)
LISTED = {name: (difference, status) for difference in DIFFERENCES for name, status in difference.exchanges.items()}


def differing_parts(exchange: Exchange, response: Response) -> dict[str, Any]:
    """What differs between the front door's answer and the one that follows from TGI's: the parts, and both values."""
    expected, found = (_openai if exchange.is_openai else _native)(exchange, response)
    if response.status != expected["status"]:
        return {"status": (response.status, expected["status"])}
    return {part: (found[part], value) for part, value in expected.items() if compact(found[part]) != compact(value)}


def _native(exchange: Exchange, response: Response) -> tuple[dict[str, Any], dict[str, Any]]:
    expected = exchange.expected()
    answer = Answer(response.status, response.headers, response.body.decode())
    found = exchange.reduced(answer)
    for each in (expected, found):
        each["headers"] = {name: value for name, value in sorted(each["headers"].items()) if name in PASSED_ON}
    if expected["headers"].get("content-type", "").startswith(_PLAIN.answers):
        expected["headers"]["content-type"] = "application/json"
        expected["body"] = {"error": _words(exchange, expected["body"]), "error_type": KINDS[expected["status"]]}
        found["body"] = found["body"] | {"error": _words(exchange, found["body"].get("error", ""))}
    return expected, found


def _words(exchange: Exchange, text: str) -> str:
    """axum's and serde's words without what the function leaves out: the position and what the client sent.

    The words for a body that is no JSON are the parser's own, as are those of a route with one type for all requests.
    """
    prefix, colon, rest = text.partition(": ")
    if prefix.endswith("as JSON") or exchange.path == "/invocations":
        return prefix + colon
    rest = re.sub(r" at line \d+ column \d+$", "", rest)
    rest = re.sub(r"""(invalid type: [a-z ]+?|unknown variant) (?:`[^`]*`|"[^"]*")""", r"\1", rest)
    return prefix + colon + rest


def _openai(exchange: Exchange, response: Response) -> tuple[dict[str, Any], dict[str, Any]]:
    status, words = _outcome(exchange, response)
    expected: dict[str, Any] = {"status": status, "body": []}
    if words is not None:
        expected["words"] = words
    return expected, {
        "status": response.status,
        "words": None if response.status == 200 else response.json()["error"]["message"],
        "body": openai_violations(exchange, response),
    }


def _outcome(exchange: Exchange, response: Response) -> tuple[int, str | None]:
    """The status that follows from TGI's answer, and the words of the error if they are TGI's."""
    answer = exchange.expected()
    status, body = answer["status"], answer["body"]
    if isinstance(body, dict) and "error" in body:
        return {422: 400}.get(status, status), body["error"]
    errors = [each for each in body if "error" in each] if isinstance(body, list) else []
    if errors and (errors[0] == body[0] or response.status == 400):
        # Before the first token, an error has a status of its own; of several prompts, any may be the first to answer.
        return 400, errors[0]["error"]["message"]
    return {422: 400}.get(status, status), None


def openai_violations(exchange: Exchange, response: Response) -> list[str]:
    """Everything in a response that is not as the `openai` package describes OpenAI's."""
    is_chat = "messages" in exchange.json or exchange.path.startswith("/v1/chat")
    if response.status != 200:
        return _error_violations(response.json())
    if response.content_type == "application/json":
        return violations(ChatCompletion if is_chat else Completion, response.json())
    if response.content_type != "text/event-stream" or response.data()[-1] != "[DONE]":
        return ["no event stream that ends with [DONE]"]
    return [problem for event in response.events() for problem in _event_violations(event, is_chat=is_chat)]


def _event_violations(event: dict[str, Any], *, is_chat: bool) -> list[str]:
    if "error" in event:
        return _error_violations(event)
    return violations(ChatCompletionChunk, event) if is_chat else violations(Completion, with_finish_reasons(event))


def _error_violations(body: Any) -> list[str]:
    members = sorted(body.keys() - {"error_type"})
    return violations(ErrorObject, body["error"]) if members == ["error"] else [f"members {members}"]
