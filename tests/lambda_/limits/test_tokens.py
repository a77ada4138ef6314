"""Tokens that requests take before they run and give back afterwards, on every route."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.lambda_.conftest import LLAMA
from tests.lambda_.limits.conftest import NOON, Doors, team
from tests.lambda_.limits.table import Table
from tests.lambda_.protocols.conversations import CONVERSATIONS
from tests.lambda_.protocols.openai.events import ANSWER, COMPLETION, DONE, sse, text, used
from tests.lambda_.protocols.openai.natives import ANSWER as VLLM_ANSWER
from tests.lambda_.protocols.tgi import vllm_completions
from tests.lambda_.protocols.tgi.test_routes import generation
from tests.lambda_.routing.answers import completion as vllm_completion
from tests.lambda_.sagemaker_double import (
    HEAD,
    Reply,
    SageMakerDouble,
    chunk,
    error,
    part,
    parts,
    plain_response,
    stream,
)

VLLM = {"llama": replace(LLAMA, engine="vllm")}
TGI = {"llama": LLAMA}
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100}
PROMPT = {"model": "llama", "prompt": "Hi there", "max_tokens": 100}
INPUTS = {"inputs": "Hi there", "parameters": {"max_new_tokens": 100}}

# Each route with a body, what the container answers, how many tokens it takes before, and how many it has used.
ROUTES: dict[str, tuple[Any, str, dict[str, Any], Callable[[], Reply], int, int]] = {
    "TGI": (TGI, "/generate", INPUTS, lambda: parts(*generation()), 103, 8),
    "TGI streamed": (TGI, "/generate_stream", INPUTS, lambda: parts(*generation()), 103, 8),
    "TGI's root": (TGI, "/", INPUTS, lambda: parts(*generation()), 103, 8),
    "TGI of a model": (TGI, "/models/llama/generate", INPUTS, lambda: parts(*generation()), 103, 8),
    "TGI on vLLM": (VLLM, "/generate", INPUTS, vllm_completion, 103, 3),
    "TGI on vLLM streamed": (
        VLLM,
        "/generate_stream",
        INPUTS,
        lambda: parts(*vllm_completions.stream(vllm_completions.plain("Un", " été"))),
        103,
        5,
    ),
    "chat": (TGI, "/v1/chat/completions", CHAT, lambda: parts(*ANSWER), 106, 11),
    "chat streamed": (TGI, "/v1/chat/completions", {**CHAT, "stream": True}, lambda: parts(*ANSWER), 106, 11),
    "chat as invocation": (TGI, "/invocations", CHAT, lambda: parts(*ANSWER), 106, 11),
    "completion": (TGI, "/v1/completions", PROMPT, lambda: parts(*COMPLETION), 103, 11),
    "completion on vLLM": (VLLM, "/v1/completions", PROMPT, vllm_completion, 103, 3),
    "chat on vLLM": (VLLM, "/v1/chat/completions", CHAT, lambda: parts(*VLLM_ANSWER), 106, 11),
    "chat on vLLM streamed": (
        VLLM,
        "/models/llama/v1/chat/completions",
        {**CHAT, "stream": True},
        lambda: parts(*VLLM_ANSWER),
        106,
        11,
    ),
    **{name: (TGI, asked.path, asked.body, lambda: parts(*ANSWER), 106, 11) for name, asked in CONVERSATIONS.items()},
    **{
        f"{name} on vLLM": (VLLM, asked.path, asked.body, lambda: parts(*VLLM_ANSWER), 106, 11)
        for name, asked in CONVERSATIONS.items()
    },
}


@pytest.mark.parametrize("route", ROUTES)
def test_a_request_takes_what_it_may_need_and_gives_back_what_it_has_not_used(
    route: str, door_for: Doors, sagemaker: SageMakerDouble, table: Table
) -> None:
    models, path, body, answer, taken, used = ROUTES[route]
    door = door_for(team(tokens_per_minute=1000, tokens_per_day=5000, tokens_per_month=9000), models)
    door.set_clock(NOON)
    seen: list[dict[str, Any]] = []
    reply = answer()
    reply.pieces.insert(0, lambda: seen.append(table.item("team-a")))
    sagemaker.replies.append(reply)
    assert door.read(path, body).status == 200
    line = door.line()
    assert (line["consumer"], line["reserved_tokens"], line["used_tokens"]) == ("team-a", taken, used)
    (during,), after = seen, table.item("team-a")
    assert [during[f"{unit}_tokens"] for unit in ("minute", "day", "month")] == [taken] * 3
    assert [after[f"{unit}_tokens"] for unit in ("minute", "day", "month")] == [used] * 3
    assert (len(during["in_flight"]), after["in_flight"]) == (1, {})
    assert table.updates == 2


def test_only_what_has_a_limit_is_counted(door_for: Doors, sagemaker: SageMakerDouble, table: Table) -> None:
    door = door_for(team(tokens_per_day=5000))
    door.set_clock(NOON)
    sagemaker.replies.append(parts(*ANSWER))
    door.read("/v1/chat/completions", CHAT)
    item = table.item("team-a")
    expires = item.pop("expires")
    midnight = NOON + 12 * 3600
    assert item == {
        "consumer": "team-a",
        "period": "current",
        "day_start": NOON - 12 * 3600,
        "day_tokens": 11,
        "in_flight": {},
    }
    assert expires >= midnight + 86400


def test_waking_a_model_that_runs_takes_the_token_that_it_is_asked_for(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table
) -> None:
    door = door_for(team(tokens_per_day=3), has_wake_route=True)
    for _ in range(2):
        sagemaker.replies.append(parts(COMPLETION[0]))
        response = door.read("/models/llama/wake", {})
    assert (response.status, response.json()["error_type"]) == (429, "insufficient_quota")
    assert table.item("team-a")["day_tokens"] == 2
    assert len(sagemaker.received) == 1


def test_a_caller_without_limits_asks_no_table(door_for: Doors, sagemaker: SageMakerDouble, table: Table) -> None:
    door = door_for(team(models=["llama"]))
    sagemaker.replies.append(parts(*ANSWER))
    assert door.read("/v1/chat/completions", CHAT).status == 200
    line = door.line()
    assert (table.updates, line["consumer"], "reserved_tokens" in line) == (0, "team-a", False)


@pytest.mark.parametrize(
    ("path", "body", "taken"),
    [
        ("/generate", {"inputs": "Hi there"}, 3 + 1024),
        ("/generate", {"inputs": "Hi there", "parameters": {"max_new_tokens": 10, "best_of": 2}}, 3 + 20),
        ("/v1/completions", {"model": "llama", "prompt": "Hi there"}, 3 + 1024),
        ("/v1/completions", {**PROMPT, "n": 3, "max_tokens": 10}, 3 + 30),
        ("/v1/completions", {**PROMPT, "best_of": 4, "n": 2, "max_tokens": 10}, 3 + 40),
        ("/v1/completions", {**PROMPT, "prompt": ["Hi there", "été"], "n": 2, "max_tokens": 10}, 5 + 40),
        ("/v1/chat/completions", {**CHAT, "max_tokens": None, "max_completion_tokens": 7}, 6 + 7),
    ],
)
def test_each_text_takes_its_tokens_and_the_prompt_those_of_its_bytes(
    door_for: Doors, sagemaker: SageMakerDouble, path: str, body: dict[str, Any], taken: int
) -> None:
    door = door_for(team(tokens_per_month=100_000), TGI)
    sagemaker.replies += [error(400, "ValidationError", Message="not found")] * 8
    door.read(path, body)
    assert door.line()["reserved_tokens"] == taken


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ({"prompt": [1, 2, 3, 4]}, 4 + 1024),
        ({"prompt": [[1, 2], [3]], "n": 2, "max_tokens": 5}, 3 + 20),
        ({"prompt": "Hi there", "max_tokens": 0, "echo": True}, 3),
        ({"prompt": "Hi there", "max_tokens": 10**6}, 3 + 4096),
    ],
)
def test_vllm_is_asked_for_as_many_tokens_as_are_taken(
    door_for: Doors, sagemaker: SageMakerDouble, body: dict[str, Any], taken: int
) -> None:
    model = replace(LLAMA, engine="vllm", facts={"max_total_tokens": 4096})
    door = door_for(team(tokens_per_month=100_000), {"llama": model})
    sagemaker.replies += [error(400, "ValidationError", Message="not found")]
    door.read("/v1/completions", {"model": "llama", **body})
    assert door.line()["reserved_tokens"] == taken


class TestWhatIsUsed:
    def test_a_request_that_is_refused_before_anything_ran_uses_nothing(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000))
        sagemaker.replies += [error(400, "ValidationError", Message="Endpoint x not found.")]
        assert door.read("/v1/chat/completions", CHAT).status == 503
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (0, 0)

    @pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
    def test_so_does_one_that_the_container_refuses_in_its_stream(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table, path: str
    ) -> None:
        door = door_for(team(tokens_per_minute=1000), TGI)
        refusal = sse({"error": "Input validation error: `inputs` must have less", "error_type": "validation"})
        sagemaker.replies += [parts(b":\n\n", refusal)]
        door.read(path, INPUTS)
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (0, 0)

    def test_a_client_that_goes_away_has_used_its_prompt_and_what_has_arrived(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000), TGI)
        sagemaker.replies += [Reply([HEAD, *(chunk(part(text(word))) for word in ("Un", " été", " 🧸"))])]
        response = door.begin("/v1/chat/completions", {**CHAT, "stream": True})
        received = b""
        for events in response.body:
            received += events
            if received.count(b"\n\n") == 3:
                break
        response.body.close()  # type: ignore[attr-defined]
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (6 + 3, 6 + 3)

    def test_so_has_one_whose_stream_breaks(self, door_for: Doors, sagemaker: SageMakerDouble, table: Table) -> None:
        door = door_for(team(tokens_per_minute=1000), VLLM)
        sagemaker.replies += [stream([part(VLLM_ANSWER[0]), part(VLLM_ANSWER[1])], ends=False, then="reset")]
        response = door.read("/v1/chat/completions", {**CHAT, "stream": True})
        assert b"error" in response.body
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (6 + 2, 6 + 2)

    def test_a_time_limit_before_the_first_token_uses_all(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000), TGI)
        sagemaker.replies += [error(424, "ModelError", OriginalStatusCode=0, Message="timed out")]
        assert door.read("/generate", INPUTS).status == 504
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (103, 103)

    def test_the_best_of_several_texts_has_used_all_of_them(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000), TGI)
        details = {"generated_tokens": 5, "best_of_sequences": [{"generated_tokens": 7}], "prefill": []}
        sagemaker.replies += [plain_response(json.dumps({"generated_text": "Un", "details": details}).encode())]
        body = {"inputs": "Hi there", "parameters": {"max_new_tokens": 100, "best_of": 2}}
        assert door.read("/generate", body).status == 200
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (3 + 12, 3 + 12)

    def test_so_does_an_answer_whose_tokens_nobody_counts(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000), TGI)
        sagemaker.replies += [plain_response(b'{"generated_text": "Un"}')]
        body = {"inputs": "Hi there", "parameters": {"max_new_tokens": 100, "best_of": 2}}
        assert door.read("/generate", body).status == 200
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (203, 203)

    def test_an_answer_without_a_token_uses_its_prompt(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000), VLLM)
        choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
        answer = {"id": "1", "model": "/opt/ml/model", "choices": [choice]}
        usage = {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}
        content = json.dumps({**answer, "usage": usage}).encode()
        sagemaker.replies += [stream([part(content)])]
        sagemaker.replies[0].pieces[0] = HEAD.replace(b"text/event-stream", b"application/json")
        assert door.read("/v1/chat/completions", CHAT).status == 200
        assert (door.line()["used_tokens"], table.item("team-a")["minute_tokens"]) == (9, 9)

    def test_more_than_was_taken_counts_too(self, door_for: Doors, sagemaker: SageMakerDouble, table: Table) -> None:
        door = door_for(team(tokens_per_minute=1000), TGI)
        sagemaker.replies += [parts(*ANSWER[:-2], used(prompt=990, generated=50), DONE), parts(*ANSWER)]
        assert door.read("/v1/chat/completions", CHAT).status == 200
        assert table.item("team-a")["minute_tokens"] == 1040
        assert door.read("/v1/chat/completions", CHAT).status == 429

    def test_a_minute_that_is_over_is_not_corrected(
        self, door_for: Doors, sagemaker: SageMakerDouble, table: Table
    ) -> None:
        door = door_for(team(tokens_per_minute=1000, tokens_per_day=1000), TGI)
        door.set_clock(NOON)
        other = door_for(team(tokens_per_minute=1000, tokens_per_day=1000), TGI)
        other.set_clock(NOON + 60)
        sagemaker.replies += [parts(*ANSWER), parts(*ANSWER)]
        response = door.begin("/v1/chat/completions", CHAT)
        assert other.read("/v1/chat/completions", CHAT).status == 200
        before = table.updates
        door.set_clock(NOON + 61)
        b"".join(response.body)
        response.body.close()  # type: ignore[attr-defined]
        assert table.updates == before + 1
        item = table.item("team-a")
        assert (item["minute_start"], item["minute_tokens"], item["day_tokens"]) == (NOON + 60, 11, 22)
