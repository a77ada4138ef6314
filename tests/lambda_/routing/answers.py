"""What the containers of endpoints answer, and how they and SageMaker refuse."""

from __future__ import annotations

from typing import Any

from tests.lambda_.protocols.openai.events import DONE, sse
from tests.lambda_.protocols.openai.natives import ANSWER, refused
from tests.lambda_.protocols.tgi.test_routes import generation
from tests.lambda_.sagemaker_double import Reply, error, part, parts, stream
from tests.lambda_.test_waking import NO_CAPACITY

CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}]}
COMPLETION = {"model": "llama", "prompt": "Hi", "max_tokens": 2}
GENERATE = {"inputs": "Hi", "parameters": {"max_new_tokens": 2}}
VLLM_TEXT = "Un été 🧸"


def chat() -> Reply:
    """A chat's answer from vLLM."""
    return parts(*ANSWER)


def completion(text: str = "Un été") -> Reply:
    """A completion's answer from vLLM."""
    head = {"id": "cmpl-1", "object": "text_completion", "created": 17, "model": "/opt/ml/model"}
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "length", "stop_reason": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return parts(sse({**head, "choices": [choice]}), sse({**head, "choices": [], "usage": usage}), DONE)


def tgi() -> Reply:
    """A generation of TGI."""
    return parts(*generation())


def tgi_completion() -> Reply:
    """A completion's answer from TGI."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choice = {"index": 0, "text": "Un été", "logprobs": None, "finish_reason": "length"}
    return parts(sse({"choices": [choice]}), sse({"choices": [], "usage": usage}), DONE)


THROTTLED = error(429, "ThrottlingException", Message="Rate exceeded")
NO_ENDPOINT = error(400, "ValidationError", Message="Endpoint vllm of account 111122223333 not found.")
NOT_READY = error(429, "ModelNotReadyException", Message="The model is being loaded.")
QUEUE_FULL: dict[str, Any] = {"error": {"message": "queue", "type": "ServiceUnavailable", "code": 503}}
VLLM_FULL = refused(503, QUEUE_FULL)
TGI_FULL = refused(429, {"error": "Model is overloaded", "error_type": "overloaded"})
TGI_FULL_IN_BAND = stream([part(sse({"error": "Model is overloaded", "error_type": "overloaded"}))])

REFUSALS = {
    "no copy": NO_CAPACITY,
    "throttled": THROTTLED,
    "no endpoint": NO_ENDPOINT,
    "not ready": NOT_READY,
    "TGI is overloaded": TGI_FULL,
}
