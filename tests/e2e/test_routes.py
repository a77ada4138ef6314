"""Every route of the deployed API, with plain HTTP requests."""

import json
import threading
import time

import pytest

from tests.e2e.deployed_cloud import Cloud

pytestmark = pytest.mark.xdist_group("e2e")

PROMPT = "What is deep learning? Ünï¢ödé 🦙"
GENERATE = {"inputs": PROMPT, "parameters": {"max_new_tokens": 12}}
CHAT = {"model": "llama", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 12}


def test_the_models_are_listed(cloud: Cloud) -> None:
    response = cloud.request("GET", "/v1/models")
    assert response.status == 200
    assert [entry["id"] for entry in response.json()["data"]] == cloud.models == ["llama"]
    assert response.headers["content-type"] == "application/json"


def test_the_endpoint_is_healthy(cloud: Cloud) -> None:
    assert cloud.request("GET", "/health").status == 200


def test_generate_returns_json(cloud: Cloud) -> None:
    response = cloud.request("POST", "/generate", GENERATE)
    assert response.status == 200
    assert isinstance(response.json()["generated_text"], str)
    assert response.json()["generated_text"]
    assert len(response.headers["x-amzn-requestid"]) == 36
    assert response.headers["x-amzn-trace-id"].startswith("Root=1-")


def test_the_details_are_those_of_tgi(cloud: Cloud) -> None:
    body = {**GENERATE, "parameters": {"max_new_tokens": 5, "details": True}}
    details = cloud.request("POST", "/generate", body).json()["details"]
    assert (details["finish_reason"], details["generated_tokens"], len(details["tokens"])) == ("length", 5, 5)


def test_the_root_returns_an_array_like_tgi(cloud: Cloud) -> None:
    response = cloud.request("POST", "/", GENERATE)
    assert response.status == 200
    assert list(response.json()[0]) == ["generated_text"]


def test_the_root_streams_if_requested(cloud: Cloud) -> None:
    response = cloud.request("POST", "/", {**GENERATE, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.events()[-1]["generated_text"]


def test_tokens_arrive_one_by_one(cloud: Cloud) -> None:
    body = {"inputs": PROMPT, "parameters": {"max_new_tokens": 40}}
    response = cloud.request("POST", "/generate_stream", body)
    events = response.events()
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["transfer-encoding"] == "chunked"
    assert [event["index"] for event in events] == list(range(1, 41))
    assert (
        "".join(event["token"]["text"] for event in events if not event["token"]["special"])
        in (events[-1]["generated_text"])
    )
    # 40 tokens at 250 a second take 160 ms. If anything buffered the stream, they would all arrive at once, each time;
    # on a busy machine this reader may wake late.
    moments = [response.times, *(cloud.request("POST", "/generate_stream", body).times for _ in range(4))]
    assert max(times[-1] - times[0] for times in moments) > 0.08
    assert max(len({round(moment, 3) for moment in times}) for times in moments) > 10


def test_streaming_and_non_streaming_texts_are_equal(cloud: Cloud) -> None:
    streamed = cloud.request("POST", "/generate_stream", GENERATE).events()[-1]["generated_text"]
    assert streamed == cloud.request("POST", "/generate", GENERATE).json()["generated_text"]


def test_chat_returns_json(cloud: Cloud) -> None:
    body = cloud.request("POST", "/v1/chat/completions", CHAT).json()
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["role"] == "assistant"
    assert body["choices"][0]["message"]["content"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_chat_streams_chunks_and_done(cloud: Cloud) -> None:
    response = cloud.request("POST", "/v1/chat/completions", {**CHAT, "stream": True})
    assert response.body.rstrip().endswith(b"data: [DONE]")
    events = response.events()
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])
    assert len(response.times) > 1


def test_the_hub_id_is_an_alias_of_the_model(cloud: Cloud) -> None:
    response = cloud.request("POST", "/v1/chat/completions", {**CHAT, "model": "meta-llama/Llama-3.1-8B-Instruct"})
    assert response.status == 200


def test_an_unknown_model_is_a_404(cloud: Cloud) -> None:
    response = cloud.request("POST", "/v1/chat/completions", {**CHAT, "model": "gpt-4"})
    assert (response.status, response.json()["error"]["code"]) == (404, "model_not_found")
    assert "`gpt-4` does not exist" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere", "/generate/more"])
def test_an_unknown_route_is_a_404_that_lists_the_routes(cloud: Cloud, path: str) -> None:
    response = cloud.request("GET", path)
    assert response.status == 404
    assert f"There is no {path} here" in response.body.decode()


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [("GET", "/generate", "POST"), ("DELETE", "/v1/models", "GET, HEAD"), ("PUT", "/v1/chat/completions", "POST")],
)
def test_a_wrong_method_is_a_405_with_the_allowed_methods(cloud: Cloud, verb: str, path: str, allowed: str) -> None:
    response = cloud.request(verb, path)
    assert (response.status, response.headers["allow"]) == (405, allowed)
    assert f"{path} accepts {allowed}, not {verb}." in response.body.decode()


def test_a_content_type_that_is_not_json_is_a_415(cloud: Cloud) -> None:
    response = cloud.request("POST", "/generate", GENERATE, headers={"Content-Type": "text/plain"})
    assert response.status == 415
    assert "application/json" in response.body.decode()


JSON_ERROR = (
    "Failed to parse the request body as JSON: Expecting property name enclosed in double quotes at line 1 column 2"
)
BODIES = [
    (b"{", 400, 400, JSON_ERROR),
    (b"[]", 400, 400, "The request body must be a JSON object, not sequence."),
    (b"{}", 422, 400, "missing field `"),
]


@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/", "/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize(("body", "tgis", "openais", "message"), BODIES)
def test_an_invalid_body_is_an_error_in_the_protocol_of_the_route(
    cloud: Cloud, path: str, body: bytes, tgis: int, openais: int, message: str
) -> None:
    response = cloud.request("POST", path, body)
    error = response.json()["error"]
    if path.startswith("/v1/"):
        assert (response.status, error["type"]) == (openais, "invalid_request_error")
        error = error["message"]
    else:
        assert response.status == tgis
    assert message in error


@pytest.mark.parametrize("path", ["/health", "/info", "/v1/models", "/v1/models/llama", "/openapi.json"])
def test_head_gets_the_head_of_the_response_to_get(cloud: Cloud, path: str) -> None:
    get, head = (cloud.request(verb, path) for verb in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert cloud.request("HEAD", path, key=None).status == 401


def test_head_gets_the_head_of_the_playground_and_no_other_page(cloud: Cloud) -> None:
    page = cloud.request("HEAD", "/", headers={"Accept": "text/html"}, key=None)
    assert (page.status, page.headers["content-type"], page.body) == (200, "text/html; charset=utf-8", b"")
    assert cloud.request("HEAD", "/generate").status == 405


def test_a_body_over_the_limit_is_a_413(cloud: Cloud) -> None:
    for size in (6_400_000, 11_000_000):
        response = cloud.request("POST", "/generate", json.dumps({"inputs": "x" * size}).encode())
        assert response.status == 413, size
        assert "error" in response.json()


def test_a_validation_error_of_tgi_keeps_its_status_and_message(cloud: Cloud) -> None:
    response = cloud.request("POST", "/generate", {"inputs": "word " * 20_000})
    assert (response.status, response.json()["error_type"]) == (422, "validation")
    assert "must be <= 16384. Given: 20002 `inputs` tokens" in response.json()["error"]


def test_one_connection_serves_many_requests(cloud: Cloud) -> None:
    connection = cloud.connect()
    try:
        local_ports = set()
        for path in ("/generate", "/generate_stream", "/generate"):
            cloud.limiter.take()
            headers = {"Authorization": f"Bearer {cloud.api_key}", "Content-Type": "application/json"}
            connection.request("POST", f"/prod{path}", json.dumps(GENERATE), headers)
            response = connection.getresponse()
            assert response.status == 200
            response.read()
            local_ports.add(connection.sock.getsockname())
        assert len(local_ports) == 1
    finally:
        connection.close()


def test_a_slow_request_does_not_block_others(cloud: Cloud) -> None:
    finished: list[tuple[str, int]] = []

    def slow() -> None:
        finished.append(("slow", cloud.request("POST", "/generate_stream", GENERATE).status))

    cloud.inject("slow-first-token", seconds=3)
    thread = threading.Thread(target=slow)
    thread.start()
    while cloud.pending_faults():
        time.sleep(0.01)
    for path in ("/generate", "/generate_stream", "/v1/models"):
        response = cloud.request(
            "GET" if path == "/v1/models" else "POST", path, None if "models" in path else GENERATE
        )
        finished.append((path, response.status))
    thread.join(60)
    assert finished == [("/generate", 200), ("/generate_stream", 200), ("/v1/models", 200), ("slow", 200)]


def test_concurrent_streams_are_complete(cloud: Cloud) -> None:
    body = {"inputs": PROMPT, "parameters": {"max_new_tokens": 20}}
    texts: list[str] = []
    cloud.limiter.take(8)

    def ask() -> None:
        texts.append(cloud.request("POST", "/generate_stream", body, limited=False).events()[-1]["generated_text"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 8
    assert len(set(texts)) == 1


def test_a_disconnected_client_does_not_affect_the_next(cloud: Cloud) -> None:
    for _ in range(3):
        cloud.limiter.take()
        connection = cloud.connect()
        headers = {"Authorization": f"Bearer {cloud.api_key}", "Content-Type": "application/json"}
        body = json.dumps({"inputs": PROMPT, "parameters": {"max_new_tokens": 400}})
        connection.request("POST", "/prod/generate_stream", body, headers)
        response = connection.getresponse()
        assert response.read1(1)
        response.close()
        connection.close()
    assert cloud.request("POST", "/generate", GENERATE).status == 200
