"""Every route of the deployed API, as curl would call it."""

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
    answer = cloud.ask("GET", "/v1/models")
    assert answer.status == 200
    assert [entry["id"] for entry in answer.json()["data"]] == cloud.models == ["llama"]
    assert answer.headers["content-type"] == "application/json"


def test_the_endpoint_is_healthy(cloud: Cloud) -> None:
    assert cloud.ask("GET", "/health").status == 200


def test_generate_answers_in_one_piece(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/generate", GENERATE)
    assert answer.status == 200
    assert isinstance(answer.json()["generated_text"], str)
    assert answer.json()["generated_text"]
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert answer.headers["x-amzn-trace-id"].startswith("Root=1-")


def test_the_details_are_those_of_tgi(cloud: Cloud) -> None:
    body = {**GENERATE, "parameters": {"max_new_tokens": 5, "details": True}}
    details = cloud.ask("POST", "/generate", body).json()["details"]
    assert (details["finish_reason"], details["generated_tokens"], len(details["tokens"])) == ("length", 5, 5)


def test_the_root_answers_like_tgi_with_an_array(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/", GENERATE)
    assert answer.status == 200
    assert list(answer.json()[0]) == ["generated_text"]


def test_the_root_streams_when_it_is_asked_to(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/", {**GENERATE, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.events()[-1]["generated_text"]


def test_tokens_arrive_one_by_one(cloud: Cloud) -> None:
    body = {"inputs": PROMPT, "parameters": {"max_new_tokens": 40}}
    answer = cloud.ask("POST", "/generate_stream", body)
    events = answer.events()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert [event["index"] for event in events] == list(range(1, 41))
    assert (
        "".join(event["token"]["text"] for event in events if not event["token"]["special"])
        in (events[-1]["generated_text"])
    )
    # 40 tokens at 250 a second take 160 ms; if anything had waited for the whole, all would come at once.
    assert answer.times[-1] - answer.times[0] > 0.08
    assert len({round(moment, 3) for moment in answer.times}) > 10


def test_the_streamed_text_is_the_buffered_text(cloud: Cloud) -> None:
    streamed = cloud.ask("POST", "/generate_stream", GENERATE).events()[-1]["generated_text"]
    assert streamed == cloud.ask("POST", "/generate", GENERATE).json()["generated_text"]


def test_chat_answers_in_one_piece(cloud: Cloud) -> None:
    told = cloud.ask("POST", "/v1/chat/completions", CHAT).json()
    assert told["object"] == "chat.completion"
    assert told["choices"][0]["message"]["role"] == "assistant"
    assert told["choices"][0]["message"]["content"]
    usage = told["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_chat_streams_chunks_and_done(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/v1/chat/completions", {**CHAT, "stream": True})
    assert answer.body.rstrip().endswith(b"data: [DONE]")
    events = answer.events()
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])
    assert len(answer.times) > 1


def test_the_hub_id_names_the_model_too(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/v1/chat/completions", {**CHAT, "model": "meta-llama/Llama-3.1-8B-Instruct"})
    assert answer.status == 200


def test_a_model_that_is_not_there_is_a_404(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/v1/chat/completions", {**CHAT, "model": "gpt-4"})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "`gpt-4` does not exist" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere", "/generate/more"])
def test_an_unknown_route_is_a_404_that_names_the_routes(cloud: Cloud, path: str) -> None:
    answer = cloud.ask("GET", path)
    assert answer.status == 404
    assert f"There is no {path} here" in answer.body.decode()


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [("GET", "/generate", "POST"), ("DELETE", "/v1/models", "GET"), ("PUT", "/v1/chat/completions", "POST")],
)
def test_a_wrong_method_is_a_405_that_names_the_right_one(cloud: Cloud, verb: str, path: str, allowed: str) -> None:
    answer = cloud.ask(verb, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert f"{path} takes {allowed}, not {verb}." in answer.body.decode()


def test_a_content_type_that_is_not_json_is_a_415(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/generate", GENERATE, headers={"Content-Type": "text/plain"})
    assert answer.status == 415
    assert "application/json" in answer.body.decode()


@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/", "/v1/chat/completions"])
@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
def test_a_body_that_is_not_what_the_route_needs_is_a_400(cloud: Cloud, path: str, body: bytes) -> None:
    answer = cloud.ask("POST", path, body)
    assert (answer.status, answer.json()["error_type"]) == (400, "invalid_request_body")
    assert "must be a JSON object" in answer.json()["error"]["message"]


def test_a_body_over_the_limit_is_a_413(cloud: Cloud) -> None:
    for size in (6_400_000, 11_000_000):
        answer = cloud.ask("POST", "/generate", json.dumps({"inputs": "x" * size}).encode())
        assert answer.status == 413, size
        assert "error" in answer.json()


def test_what_tgi_refuses_keeps_its_status_and_words(cloud: Cloud) -> None:
    answer = cloud.ask("POST", "/generate", {"inputs": "word " * 20_000})
    assert (answer.status, answer.json()["error_type"]) == (422, "validation")
    assert "must be <= 16384. Given: 20002 `inputs` tokens" in answer.json()["error"]


def test_one_connection_serves_many_requests(cloud: Cloud) -> None:
    connection = cloud.connect()
    try:
        local_ports = set()
        for path in ("/generate", "/generate_stream", "/generate"):
            cloud.pace.take()
            headers = {"Authorization": f"Bearer {cloud.api_key}", "Content-Type": "application/json"}
            connection.request("POST", f"/prod{path}", json.dumps(GENERATE), headers)
            response = connection.getresponse()
            assert response.status == 200
            response.read()
            local_ports.add(connection.sock.getsockname())
        assert len(local_ports) == 1
    finally:
        connection.close()


def test_a_slow_request_holds_up_nobody(cloud: Cloud) -> None:
    ended: list[tuple[str, int]] = []

    def slow() -> None:
        ended.append(("slow", cloud.ask("POST", "/generate_stream", GENERATE).status))

    cloud.inject("slow-first-token", seconds=3)
    thread = threading.Thread(target=slow)
    thread.start()
    while cloud.pending_faults():
        time.sleep(0.01)
    for path in ("/generate", "/generate_stream", "/v1/models"):
        answer = cloud.ask("GET" if path == "/v1/models" else "POST", path, None if "models" in path else GENERATE)
        ended.append((path, answer.status))
    thread.join(60)
    assert ended == [("/generate", 200), ("/generate_stream", 200), ("/v1/models", 200), ("slow", 200)]


def test_many_requests_at_the_same_time_are_all_answered_whole(cloud: Cloud) -> None:
    body = {"inputs": PROMPT, "parameters": {"max_new_tokens": 20}}
    texts: list[str] = []
    cloud.pace.take(8)

    def ask() -> None:
        texts.append(cloud.ask("POST", "/generate_stream", body, paced=False).events()[-1]["generated_text"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 8
    assert len(set(texts)) == 1


def test_a_client_that_goes_away_does_not_disturb_the_next(cloud: Cloud) -> None:
    for _ in range(3):
        cloud.pace.take()
        connection = cloud.connect()
        headers = {"Authorization": f"Bearer {cloud.api_key}", "Content-Type": "application/json"}
        body = json.dumps({"inputs": PROMPT, "parameters": {"max_new_tokens": 400}})
        connection.request("POST", "/prod/generate_stream", body, headers)
        response = connection.getresponse()
        assert response.read1(1)
        response.close()
        connection.close()
    assert cloud.ask("POST", "/generate", GENERATE).status == 200
