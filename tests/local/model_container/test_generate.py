"""TGI's own routes."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from tests.local.model_container.servers import post


@pytest.fixture(scope="module")
def container(servers):
    return servers.container(max_input_tokens=100, max_total_tokens=200, enable_prefill_logprobs=True)


def generate(container, inputs="What is deep learning?", route="/generate", **parameters):
    return post(container + route, {"inputs": inputs, "parameters": parameters})


def test_the_toy_says_what_it_is_and_repeats_words_of_the_prompt(container):
    text = generate(container, "Why do zebras have stripes?").json["generated_text"]
    assert "no language model" in text.lower()
    assert "Why do zebras have stripes" in text


def test_the_compatible_routes_return_an_array_and_repeat_the_prompt(container):
    for route in ("/", "/invocations"):
        [response] = post(container + route, {"inputs": "Zebras"}).json
        assert response["generated_text"].startswith("Zebras ")
        [response] = generate(container, "Zebras", route, return_full_text=False).json
        assert not response["generated_text"].startswith("Zebras")
    assert not generate(container, "Zebras").json["generated_text"].startswith("Zebras")
    assert generate(container, "Zebras", return_full_text=True).json["generated_text"].startswith("Zebras")


def test_a_model_that_is_not_for_text_generation_does_not_repeat_the_prompt(servers):
    container = servers.container(pipeline_tag="image-text-to-text")
    assert not post(f"{container}/", {"inputs": "Zebras"}).json[0]["generated_text"].startswith("Zebras")


def test_greedy_texts_are_deterministic_and_sampled_texts_depend_on_the_seed(container):
    assert generate(container).body == generate(container).body
    sampled = {generate(container, do_sample=True, seed=seed).body for seed in range(8)}
    assert len(sampled) > 1
    assert generate(container, do_sample=True, seed=1).body == generate(container, do_sample=True, seed=1).body


def test_details_have_tgis_keys_in_order(container):
    body = generate(container, max_new_tokens=2, details=True, decoder_input_details=True, top_n_tokens=2).text
    response = json.loads(body)
    assert list(response) == ["generated_text", "details"]
    details = response["details"]
    assert list(details) == ["finish_reason", "generated_tokens", "seed", "prefill", "tokens", "top_tokens"]
    assert (details["finish_reason"], details["generated_tokens"], details["seed"]) == ("length", 2, None)
    assert list(details["tokens"][0]) == ["id", "text", "logprob", "special"]
    assert [len(top) for top in details["top_tokens"]] == [2, 2]
    assert details["prefill"][0]["logprob"] is None
    assert details["prefill"][1]["logprob"] < 0
    assert ": " not in body.replace("stand-in: ", "")


def test_each_token_of_the_prefill_is_decoded_by_itself(container):
    body = {"inputs": "Hi 🧸🧸!", "parameters": {"max_new_tokens": 1, "decoder_input_details": True}}
    prefill = post(f"{container}/generate", body).json["details"]["prefill"]
    parts = [" \ufffd", "\ufffd", "\ufffd", "\ufffd", "\ufffd", "\ufffd"]
    assert [each["text"] for each in prefill] == ["<|begin_of_text|>", "Hi", *parts, "!"]


def test_prefill_is_empty_unless_the_launcher_enables_it(servers):
    response = generate(servers.container(), decoder_input_details=True)
    assert response.json["details"]["prefill"] == []


def test_the_seed_is_reported_if_tokens_were_sampled(container):
    assert generate(container, details=True, do_sample=True, seed=7).json["details"]["seed"] == 7
    assert generate(container, details=True, temperature=0.5, seed=7).json["details"]["seed"] == 7
    assert generate(container, details=True, temperature=1.0, seed=7).json["details"]["seed"] is None


def test_without_the_key_parameters_tokens_are_sampled(container):
    answers = {post(f"{container}/generate", {"inputs": "Hello"}).body for _ in range(20)}
    assert len(answers) > 1


def test_best_of_also_returns_the_other_sequences(container):
    response = generate(container, best_of=2, do_sample=True, details=True).json
    [other] = response["details"]["best_of_sequences"]
    assert list(other) == ["generated_text", "finish_reason", "generated_tokens", "seed", "prefill", "tokens"]

    def mean(sequence):
        return sum(token["logprob"] for token in sequence["tokens"]) / len(sequence["tokens"])

    assert mean(response["details"]) >= mean(other)


def test_the_finish_reason_is_length_eos_token_or_stop_sequence(container):
    assert generate(container, max_new_tokens=3, details=True).json["details"]["finish_reason"] == "length"
    unlimited = generate(container, details=True).json
    assert unlimited["details"]["finish_reason"] == "eos_token"
    assert unlimited["details"]["tokens"][-1]["special"] is True
    assert "<|eot_id|>" not in unlimited["generated_text"]
    stopped = generate(container, stop=["language"], details=True).json
    assert stopped["details"]["finish_reason"] == "stop_sequence"
    assert stopped["generated_text"].endswith("language")


def test_a_text_truncated_inside_a_character_is_empty_like_tgis(container):
    tokens = generate(container, details=True).json["details"]["tokens"]
    inside = next(at for at, token in enumerate(tokens) if token["text"] == "") + 1
    cut = generate(container, max_new_tokens=inside, details=True).json
    assert cut["generated_text"] == ""
    assert cut["details"]["generated_tokens"] == inside


def test_headers_report_times_and_tokens(container):
    headers = generate(container, "one two", max_new_tokens=4).headers
    assert headers["x-compute-type"] == "gpu+optimized"
    assert headers["x-compute-characters"] == "7"
    assert headers["x-prompt-tokens"] == "3"
    assert headers["x-generated-tokens"] == "4"
    for name in ("total", "validation", "queue", "inference"):
        assert int(headers[f"x-{name}-time"]) >= 0
    assert float(headers["x-compute-time"]) > 0
    assert headers["access-control-allow-origin"] == "*"
    assert "server" not in headers


TOO_LONG = "`inputs` tokens + `max_new_tokens` must be <= 200. Given: 6 `inputs` tokens and {} `max_new_tokens`"
VALIDATION = [
    ({"best_of": 2}, "you must use sampling when `best_of` is > 1"),
    ({"best_of": 3, "do_sample": True}, "`best_of` must be > 0 and <= 2. Given: 3"),
    ({"best_of": 2, "do_sample": True, "seed": 1}, "`seed` must not be set when `best_of` > 1"),
    ({"temperature": 0}, "`temperature` must be strictly positive"),
    ({"temperature": -1e300}, "`temperature` must be strictly positive"),
    ({"repetition_penalty": 0}, "`repetition_penalty` must be strictly positive"),
    ({"frequency_penalty": 2.5}, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
    ({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0"),
    ({"typical_p": 0}, "`typical_p` must be > 0.0 and < 1.0"),
    ({"top_k": 0}, "`top_k` must be strictly positive"),
    ({"max_new_tokens": 0}, "`max_new_tokens` must be strictly positive"),
    ({"stop": list("abcde")}, "`stop` supports up to 4 stop sequences. Given: 5"),
    ({"top_n_tokens": 6}, "`top_n_tokens` must be >= 0 and <= 5. Given: 6"),
    ({"truncate": 101}, "`truncate` must be strictly positive and less than 100. Given: 101"),
    ({"inputs": ""}, "`inputs` cannot be empty"),
    ({"inputs": "x " * 150}, "`inputs` must have less than 100 tokens. Given: 152"),
    ({"max_new_tokens": 199}, TOO_LONG.format(199)),
    ({"max_new_tokens": 5000}, TOO_LONG.format(1024)),
    ({"grammar": {"type": "json", "value": {}}}, "grammar is not valid: Grammar must have a 'properties' field"),
    ({"grammar": {"type": "json", "value": 5}}, "grammar is not supported"),
    ({"temperature": 0, "top_p": 1.0}, "`temperature` must be strictly positive"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "message"), VALIDATION)
def test_a_parameter_out_of_range_is_rejected_with_tgis_message(container, parameters, message):
    response = generate(container, **parameters)
    assert response.status == 422
    assert response.json == {"error": f"Input validation error: {message}", "error_type": "validation"}


def test_a_stream_sends_an_event_per_token_and_the_text_with_the_last(container):
    response = generate(container, route="/generate_stream", details=True)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    events = response.events
    assert [event["index"] for event in events] == list(range(1, len(events) + 1))
    assert list(events[0]) == ["index", "token", "generated_text", "details"]
    assert all(event["generated_text"] is None and event["details"] is None for event in events[:-1])
    text = "".join(event["token"]["text"] for event in events if not event["token"]["special"])
    assert events[-1]["generated_text"] == text
    assert events[-1]["details"] == {
        "finish_reason": "eos_token",
        "generated_tokens": len(events),
        "seed": None,
        "input_length": 6,
    }


def test_events_have_the_byte_format_of_serde_json(container):
    body = generate(container, route="/generate_stream", max_new_tokens=1, top_n_tokens=1).text
    event = json.loads(body.removeprefix("data: "))
    token = f'{{"id":{event["token"]["id"]},"text":" No","logprob":{event["token"]["logprob"]},"special":false}}'
    assert (
        body == f'data: {{"index":1,"token":{token},"top_tokens":[{token}],"generated_text":" No","details":null}}\n\n'
    )


def test_a_character_of_several_tokens_is_sent_with_the_last_of_them(container):
    texts = [event["token"]["text"] for event in generate(container, route="/generate_stream").events]
    at = texts.index("")
    assert texts[at : at + 2] == ["", ""]
    assert ord(texts[at + 2][-1]) > 0xFFFF


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        *VALIDATION[3:],
        ({"best_of": 2, "do_sample": True}, "`best_of` != 1 is not supported when streaming tokens"),
        ({"decoder_input_details": True}, "`decoder_input_details` == true is not supported when streaming tokens"),
    ],
)
def test_every_error_of_a_stream_is_an_event(container, parameters, message):
    response = generate(container, route="/generate_stream", **parameters)
    assert response.status == 200
    assert response.events == [{"error": f"Input validation error: {message}", "error_type": "validation"}]


def test_a_failing_generation_is_a_424_or_an_event_after_the_tokens(servers):
    container = servers.container(fail_after_tokens=2)
    error = {
        "error": "Request failed during generation: Server error: CUDA out of memory. Tried to allocate 2.00 GiB",
        "error_type": "generation",
    }
    response = generate(container)
    assert (response.status, response.json) == (424, error)
    events = generate(container, route="/generate_stream").events
    assert [event.get("index") for event in events] == [1, 2, None]
    assert events[-1] == error


def test_requests_over_max_concurrent_requests_are_rejected(servers):
    container = servers.container(max_concurrent_requests=1, tokens_per_second=20)
    parts = urlsplit(container)
    busy = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    body = json.dumps({"inputs": "Hello"})
    busy.request("POST", "/generate_stream", body, {"content-type": "application/json"})
    stream = busy.getresponse()
    assert stream.readline().startswith(b"data: ")
    error = {"error": "Model is overloaded", "error_type": "overloaded"}
    response = generate(container)
    assert (response.status, response.json) == (429, error)
    assert generate(container, route="/generate_stream").events == [error]
    stream.close()
    busy.close()
    deadline = time.monotonic() + 5
    while generate(container, max_new_tokens=1).status == 429:
        assert time.monotonic() < deadline, "a disconnected client still holds its permit"
        time.sleep(0.02)


def test_best_of_needs_a_permit_per_sequence(servers):
    container = servers.container(max_concurrent_requests=1)
    assert generate(container, best_of=2, do_sample=True).status == 429


def test_comments_are_sent_while_there_are_no_tokens(servers):
    container = servers.container(first_token_seconds=0.35, keep_alive_seconds=0.1)
    body = generate(container, route="/generate_stream", max_new_tokens=1).text
    comments, _, rest = body.partition("data: ")
    assert comments in (":\n\n", ":\n\n" * 2, ":\n\n" * 3)
    assert rest.startswith('{"index":1,')


def test_tokens_arrive_at_the_configured_rate(servers):
    container = servers.container(tokens_per_second=50)
    started = time.monotonic()
    generate(container, max_new_tokens=11)
    assert time.monotonic() - started > 0.19


def test_a_long_generation_continues_in_chunks_of_1024_tokens(servers):
    container = servers.container(min_words=5000, max_input_tokens=4095, max_total_tokens=4096)
    tokens = {n: generate(container, "a", max_new_tokens=n, details=True).json for n in (1000, 1500, 4000)}
    assert [each["details"]["generated_tokens"] for each in tokens.values()] == [1000, 2048, 3072]
    unlimited = generate(container, "a", details=True).json["details"]
    assert (unlimited["generated_tokens"], unlimited["finish_reason"]) == (4094, "length")


def test_truncate_keeps_the_end_of_the_prompt(container):
    response = generate(container, "alpha beta gamma", truncate=3, details=True)
    assert response.headers["x-prompt-tokens"] == "3"
    assert "«beta gamma»" in response.json["generated_text"]
    assert "alpha" not in response.json["generated_text"]
