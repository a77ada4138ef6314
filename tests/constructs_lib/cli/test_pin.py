"""The command models pin, against a small hub."""

import json
from datetime import UTC, datetime

import pytest

from local.hub import Answer, Hub, Repository

REPOSITORY = Repository("team/llama", {"config.json": b"{}"}, refs=("main", "v2", "feature/x"))


@pytest.fixture
def hub(monkeypatch):
    with Hub([REPOSITORY, Repository("team/private", {}, private=True)], tokens={"hf_me": {"team/private"}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield hub


def test_the_argument_to_write_is_printed(hub, run):
    outcome = run("models", "pin", "team/llama")
    today = datetime.now(UTC).date().isoformat()
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f'revision="{REPOSITORY.commit}",  # main of team/llama on {today}\n'


def test_a_tag_and_a_branch_with_a_slash_are_found(hub, run):
    for revision in ("v2", "feature/x", REPOSITORY.commit):
        outcome = run("models", "pin", "team/llama", "--revision", revision, "--json")
        assert json.loads(outcome.out) == {"model": "team/llama", "revision": revision, "commit": REPOSITORY.commit}


def test_what_is_not_there_is_named(hub, run):
    outcome = run("models", "pin", "team/llama", "--revision", "v3")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"error: model 'team/llama': has no revision 'v3' on {hub.url}, or is not there. Check the id and the names of"
        " its branches and tags on its hub page.\n"
    )


def test_a_private_repository_needs_the_token(hub, run, monkeypatch):
    assert run("models", "pin", "team/private").err.startswith(
        f"error: model 'team/private': is not served by {hub.url} without a token (401)."
    )
    monkeypatch.setenv("HF_TOKEN", "hf_me")
    assert run("models", "pin", "team/private").status == 0


def test_an_answer_without_a_commit_is_refused(hub, run):
    hub.faults.add(Answer(200, {}, b'{"sha": "main"}'), on="hub")
    assert run("models", "pin", "team/llama").err == (
        f"error: model 'team/llama': {hub.url} does not say which commit it is at.\n"
    )


def test_everything_that_is_wrong_is_said_at_once(run):
    outcome = run("models", "pin", "a/b/c", "--revision", "", "--jsn")
    assert outcome.status == 2
    assert outcome.err.splitlines()[:3] == [
        "error: --jsn: is not known. Did you mean --json?",
        "error: model 'a/b/c': is not a hub id. Write owner/name, as on its hub page.",
        "error: --revision '': is empty. Name a branch or a tag, or leave it out.",
    ]
    assert run("models", "pin").err.startswith("error: model: is missing. Give a hub id.\n")


def test_without_a_network_it_names_only_what_helps_here(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    outcome = run("models", "pin", "team/llama")
    assert (outcome.status, outcome.err) == (
        1,
        "error: hub 'http://127.0.0.1:1': cannot be reached: Connection refused. Check the network and HF_ENDPOINT.\n",
    )
