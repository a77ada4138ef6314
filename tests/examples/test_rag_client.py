"""examples/rag_client against the emulated cloud: what it finds, what the model is given, how the answer comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.deployed_cloud import Cloud
from tests.examples.catalogue import Example
from tests.examples.clients import Client

pytestmark = [pytest.mark.xdist_group("example-rag_client"), pytest.mark.slow, pytest.mark.timeout(600)]

# Slow enough that the pieces of an answer are seen one by one on a busy machine.
ENVIRONMENT = {"TOY_TOKENS_PER_SECOND": "40"}


@pytest.fixture(scope="module")
def client(example: Example, cloud: Cloud) -> Client:
    return Client(example, cloud)


def sources(out: str) -> list[str]:
    return re.findall(r"^  \[\d+\] (.+)$", out.partition("\nSources:")[2], re.MULTILINE)


def test_the_model_is_given_the_sections_and_the_question_and_its_answer_is_streamed(
    client: Client, example: Example
) -> None:
    outcome = client.run("How long do I have to return a lamp?")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == example.output("Run it here")
    answer = outcome.out.partition("\n\nSources:")[0]
    # The toy repeats the last words of its prompt, and says how many there were: the question alone has nine.
    assert "Question How long do I have to return a lamp" in answer
    (words,) = re.findall(r"(\d+) words", answer)
    assert int(words) > 60
    assert len(outcome.times) > 3
    assert outcome.times[-1] > 0.3
    assert sources(outcome.out)[0] == "returns.md, Returns > How long"


def test_the_section_with_the_answer_is_the_first_source_of_each_question(client: Client) -> None:
    sections = {
        "Does rain harm the Ember?": "lamps.md, Lamps > Ember",
        "How many days until my order is in Norway?": "shipping.md, Shipping > Delivery times",
        "Is a scratch covered by the warranty?": "warranty.md, Warranty > What is covered",
        "When is my money refunded?": "returns.md, Returns > Refunds",
    }
    outcome = client.run("--max-tokens", "3", *sections)
    assert (outcome.status, re.findall(r"^  \[1\] (.+)$", outcome.out, re.MULTILINE)) == (0, list(sections.values()))
    assert outcome.out.count("(cut off at --max-tokens)") == len(sections)


def test_the_number_of_sections_is_limited(client: Client) -> None:
    outcome = client.run("--sections", "1", "--max-tokens", "3", "When is my money refunded?")
    assert sources(outcome.out) == ["returns.md, Returns > Refunds"]


def test_documents_of_ones_own_are_found_whatever_their_language_and_headings(client: Client, tmp_path: Path) -> None:
    (tmp_path / "übersicht.md").write_text("Die Straße nach Köln ist gesperrt.\n", encoding="utf-8")
    (tmp_path / "empty.md").write_text("")
    outcome = client.run("--documents", str(tmp_path), "--max-tokens", "3", "Welche Straße?")
    assert (outcome.status, sources(outcome.out)) == (0, ["übersicht.md"])


def test_a_question_that_no_section_has_a_word_of_is_not_sent(client: Client, cloud: Cloud) -> None:
    before = cloud.log().count("/v1/chat/completions")
    outcome = client.run("Zebras crossing Nebraska?")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "No section has a word of the question: Zebras crossing Nebraska?\n"
    assert cloud.log().count("/v1/chat/completions") == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--key", "unknown"], "The API key is unknown"),
        (["--model", "unknown"], "The model `unknown` does not exist"),
        (["--url", "http://127.0.0.1:9"], "http://127.0.0.1:9 does not answer: "),
        (["--documents", "/nowhere"], "/nowhere has no Markdown file with text"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(client: Client, arguments: list[str], message: str) -> None:
    outcome = client.run(*arguments, "How long do I have to return a lamp?")
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_an_error_of_the_model_is_said(client: Client, cloud: Cloud) -> None:
    cloud.inject("model-error")
    outcome = client.run("--model", "llama", "How long do I have to return a lamp?")
    assert outcome.status == 2
    assert "Traceback" not in outcome.err
