"""SGLang's answers: chats alone, its errors, its queue."""

from __future__ import annotations

import threading
from typing import Any

from local.model_container.openai.engines import ENGINES, Image
from tests.local.model_container.servers import Response, Servers, call, post

CHAT = {"messages": [{"role": "user", "content": "What is the weather in Oslo?"}], "temperature": 0}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}


def serve(servers: Servers, **environment: str) -> str:
    variables = {"SM_SGLANG_MODEL_PATH": "a/b", "TOY_TOKENS_PER_SECOND": "0", **environment}
    return servers.serve(ENGINES["sglang"](variables, Image("sglang", "0.5.20-gpu")))


def invoke(url: str, **body: Any) -> Response:
    return post(f"{url}/invocations", {**CHAT, **body})


def test_a_chat_has_sglang_s_members(servers: Servers) -> None:
    answer = invoke(serve(servers), model="llama", max_tokens=3).json
    assert list(answer) == ["id", "object", "created", "model", "choices", "usage", "metadata"]
    assert answer["model"] == "llama"
    (choice,) = answer["choices"]
    assert list(choice) == ["index", "message", "logprobs", "finish_reason", "matched_stop"]
    assert list(choice["message"]) == ["role", "content", "reasoning_content", "tool_calls"]
    assert choice["finish_reason"] == "length"
    assert list(answer["usage"]) == [
        "prompt_tokens", "total_tokens", "completion_tokens", "prompt_tokens_details", "reasoning_tokens",
    ]  # fmt: skip
    assert invoke(serve(servers)).json["choices"][0]["matched_stop"] == 128009


def test_a_stream_has_a_role_texts_an_end_and_the_usage_if_requested(servers: Servers) -> None:
    response = invoke(serve(servers), stream=True, max_tokens=2, stream_options={"include_usage": True})
    role, first, second, end, usage, done = response.events
    assert role["choices"][0]["delta"] == {"reasoning_content": None, "role": "assistant", "content": ""}
    assert [each["choices"][0]["delta"]["content"] for each in (first, second)] == ["No", " language"]
    assert end["choices"][0]["finish_reason"] == "length"
    assert (usage["choices"], usage["usage"]["completion_tokens"], done) == ([], 2, "[DONE]")


def test_anything_but_a_chat_is_an_error_in_sglang_s_words(servers: Servers) -> None:
    url = serve(servers)
    response = post(f"{url}/invocations", {"prompt": "Hi"})
    assert response.status == 400
    assert list(response.json) == ["object", "message", "type", "param", "code"]
    assert (response.json["object"], response.json["type"]) == ("error", "Bad Request")
    assert "body.messages" in response.json["message"]
    assert invoke(url, messages=[]).json["message"] == "Messages cannot be empty."
    assert call("POST", f"{url}/ping").status == 405
    assert call("GET", f"{url}/ping").status == 200


def test_an_adapter_is_behind_the_colon_of_the_model(servers: Servers) -> None:
    url = serve(servers, SM_SGLANG_LORA_PATHS="sql=a/sql")
    answer = invoke(url, model="llama:sql").json
    assert answer["model"] == "llama:sql"
    assert answer["choices"][0]["message"]["content"].startswith(" Adapter sql:")
    unknown = invoke(url, model="llama:nope")
    assert unknown.status == 400
    assert unknown.json["message"].startswith("The following requested LoRA adapters are not loaded: nope\n")


def test_a_full_queue_is_503_and_in_a_stream_an_event_behind_200(servers: Servers) -> None:
    url = serve(
        servers,
        SM_SGLANG_MAX_QUEUED_REQUESTS="0",
        SM_SGLANG_MAX_RUNNING_REQUESTS="1",
        TOY_FIRST_TOKEN_SECONDS="1",
    )
    answers: list[Response] = []
    running = threading.Thread(target=lambda: answers.append(invoke(url, max_tokens=1)))
    running.start()
    while (refused := invoke(url, max_tokens=1)).status == 200:
        running = threading.Thread(target=lambda: answers.append(invoke(url, max_tokens=1)))
        running.start()
    stream = invoke(url, max_tokens=1, stream=True)
    running.join()
    error = {"object": "error", "message": "The request queue is full.", "type": "503", "param": None, "code": 503}
    assert (refused.status, refused.json) == (503, error)
    assert stream.status == 200
    assert stream.events == [{"error": {**error, "type": "SERVICE_UNAVAILABLE"}}, "[DONE]"]


def test_a_call_of_a_tool_has_sglang_s_ids(servers: Servers) -> None:
    url = serve(servers, SM_SGLANG_TOOL_CALL_PARSER="qwen25")
    (choice,) = invoke(url, tools=[TOOL]).json["choices"]
    (found,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert found["id"].startswith("call_")
    assert found["function"] == {"name": "get_weather", "arguments": "{}"}
    events = invoke(url, tools=[TOOL], stream=True).events
    calls = [call["tool_calls"][0] for each in events[1:-2] if (call := each["choices"][0]["delta"])]
    assert "".join(each["function"]["arguments"] for each in calls) == "{}"


def test_a_regular_expression_is_sglang_s_and_vllm_s_constraints_are_nothing_to_it(servers: Servers) -> None:
    url = serve(servers)
    assert invoke(url, regex="[0-9]{3}").json["choices"][0]["message"]["content"].isdigit()
    plain = invoke(url).json["choices"][0]["message"]
    assert invoke(url, structured_outputs={"regex": "[0-9]{3}"}).json["choices"][0]["message"] == plain
