"""examples/agents_client against the emulated cloud, on TGI and on vLLM: calls, results, the answer, and no end.

The toy calls the tool that has a word of the prompt in its name, with words of the prompt, once; then it repeats the
result. So what is tested is the loop: what the model calls is run, and what comes of it reaches the model.
"""

from __future__ import annotations

import re

import pytest

from tests.e2e.deployed_cloud import Cloud
from tests.examples.catalogue import FOLDER, Example
from tests.examples.clients import Client, Outcome

pytestmark = [pytest.mark.xdist_group("example-agents_client"), pytest.mark.slow, pytest.mark.timeout(600)]

# Its model chat is on TGI and code on vLLM.
SERVE = ("--app", str(FOLDER / "existing_endpoints"))
# Slow enough that the pieces of an answer are seen one by one on a busy machine.
ENVIRONMENT = {"TOY_TOKENS_PER_SECOND": "40"}
STATUS = "What is the status of order 1042?"


@pytest.fixture(scope="module")
def client(example: Example, cloud: Cloud) -> Client:
    return Client(example, cloud)


@pytest.fixture(params=["chat", "code"], ids=["TGI", "vLLM"])
def model(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def run(client: Client, cloud: Cloud, *arguments: str) -> Outcome:
    return client.run(*arguments, key=cloud.api_keys["developers"])


def test_a_tool_is_called_and_the_model_answers_with_its_result_streamed(
    client: Client, cloud: Cloud, model: str
) -> None:
    outcome = run(client, cloud, "--model", model, STATUS)
    assert outcome.status == 0, outcome.err
    call, result = outcome.err.splitlines()
    assert call.replace("{ ", "{") == '→ order_status({"order": "1042"})'
    assert result == "← Order 1042: Halo to Norway, sent on 27 November, parcel 3SABCD1234567."
    assert "parcel 3SABCD1234567" in outcome.out
    assert len(outcome.times) > 3
    assert outcome.times[-1] > 0.3


def test_its_readme_shows_what_comes(client: Client, cloud: Cloud, example: Example) -> None:
    """What the toy says around the words that it repeats is drawn anew for each run."""
    outcome = run(client, cloud, STATUS)
    *calls, answer = example.output("Run it here").splitlines()
    assert outcome.err.splitlines() == calls
    (repeated,) = re.findall("«(.+)»", answer)
    assert repeated in outcome.out


def test_the_tool_is_chosen_by_the_question(client: Client, cloud: Cloud) -> None:
    outcome = run(client, cloud, "How many days does delivery take to Norway?")
    assert "← 8 days to Norway." in outcome.err


def test_a_question_without_a_tool_is_answered_at_once(client: Client, cloud: Cloud) -> None:
    outcome = run(client, cloud, "Good morning!")
    assert (outcome.status, outcome.err) == (0, "")
    assert "Good morning" in outcome.out


def test_a_call_with_arguments_that_make_no_sense_is_told_to_the_model(client: Client, cloud: Cloud) -> None:
    outcome = run(client, cloud, "What is the status of order 77?")
    assert outcome.status == 0
    assert "← There is no order '77'." in outcome.err


def test_it_ends_after_the_most_turns_without_an_answer(client: Client, cloud: Cloud, model: str) -> None:
    outcome = run(client, cloud, "--model", model, "--max-turns", "1", STATUS)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-1] == "The model still calls tools after --max-turns 1: no answer."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--key", "unknown"], "The API key is unknown"),
        (["--url", "http://127.0.0.1:9"], "http://127.0.0.1:9 does not answer: "),
        (["--max-turns", "0"], "--max-turns 0: must be at least 1"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    client: Client, cloud: Cloud, arguments: list[str], message: str
) -> None:
    outcome = run(client, cloud, *arguments, STATUS)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err
