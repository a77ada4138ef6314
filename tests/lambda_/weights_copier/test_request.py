"""The staging request, and where the files go."""

import json

import pytest
from weights_copier.patterns import DEFAULT_EXCLUDE, DEFAULT_INCLUDE, matches
from weights_copier.places import Places, places_of
from weights_copier.request import RequestError, StagingRequest, read_request

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LEAST = {"repository": "team/llama", "revision": COMMIT, "bucket": "weights"}


def read(**fields: object) -> StagingRequest:
    return read_request(json.dumps({**LEAST, **fields}))


def test_a_request_has_defaults() -> None:
    assert read() == StagingRequest("team/llama", COMMIT, "weights", DEFAULT_INCLUDE, DEFAULT_EXCLUDE)
    assert read().hub == "https://huggingface.co"


def test_a_request_survives_json() -> None:
    request = StagingRequest(
        "gpt2", COMMIT, "weights", ("*.bin",), ("a/",), "team-a/", "secret", "http://127.0.0.1:1", "key", "eu-west-1"
    )
    assert read_request(json.dumps(request.to_json())) == request


def test_everything_that_is_wrong_with_a_request_is_said_at_once() -> None:
    with pytest.raises(RequestError) as raised:
        read(repository="team/llama/", revision="main", bucket="", include=[], prefix="/a", hub="http://hub.example")
    assert str(raised.value) == (
        "staging request: repository 'team/llama/' is not a repository of the hub: write owner/name;"
        " revision 'main' is not a commit: it has 40 hexadecimal digits in lower case; bucket is empty;"
        " include has no pattern; prefix '/a' must be empty, or names and slashes that end in a slash, up to"
        " 512 in all; hub 'http://hub.example' must be an https:// URL without user, query and fragment"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the staging request is not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "the staging request is not a JSON object"),
        (
            '{"revision": 1, "bukket": 1, "include": "*"}',
            (
                "staging request: repository is missing; bucket is missing; bukket is not known;"
                " revision must be text; bukket must be text; include must be a list of patterns"
            ),
        ),
        (
            json.dumps({**LEAST, "token_secret": ""}),
            "staging request: token_secret must be text or null",
        ),
    ],
)
def test_what_is_no_request_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError) as raised:
        read_request(text)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "name",
    ["", "/", "a//b", "../b", "a/..", "a/b/c", "-a/b", "a/b.", "a/b.git", "a/b--c", "a b", "a/b\n", "é/b", "a" * 97],
)
def test_what_the_hub_cannot_have_is_no_repository(name: str) -> None:
    with pytest.raises(RequestError, match="is not a repository of the hub"):
        read(repository=name)


@pytest.mark.parametrize("prefix", ["a", "/", "a//", "../", "a/./", "a b/", "a/b", "a*/", f"{'a' * 512}/"])
def test_a_prefix_is_a_short_path_that_ends_in_a_slash(prefix: str) -> None:
    with pytest.raises(RequestError, match="prefix"):
        read(prefix=prefix)


@pytest.mark.parametrize(
    "hub",
    [
        "https://",
        "ftp://a",
        "https://u:p@a",
        "https://a?x",
        "http://127.0.0.1.evil.example",
        "https://a/ü",
        "https://a/b c",
    ],
)
def test_a_hub_speaks_https_unless_it_is_on_this_machine(hub: str) -> None:
    with pytest.raises(RequestError, match="hub"):
        read(hub=hub)
    assert read(hub="http://localhost:8080/mirror").hub == "http://localhost:8080/mirror"


def test_the_keys_carry_repository_and_commit() -> None:
    assert read(prefix="team-a/").places == Places(
        folder=f"team-a/models/team/llama/{COMMIT}/",
        manifest=f"team-a/manifests/team/llama/{COMMIT}.json",
        lock=f"team-a/locks/team/llama/{COMMIT}.json",
    )


def test_other_patterns_have_other_keys_in_whatever_order_they_are_given() -> None:
    places = places_of("team/llama", COMMIT, ("*.json", "*.bin"), ())
    assert places == places_of("team/llama", COMMIT, ("*.bin", "*.json", "*.bin"), ())
    assert places.folder == f"models/team/llama/{COMMIT}-9a762c44/"
    assert places.manifest == f"manifests/team/llama/{COMMIT}-9a762c44.json"
    assert places_of("team/llama", COMMIT, DEFAULT_INCLUDE[::-1], DEFAULT_EXCLUDE).folder == (
        f"models/team/llama/{COMMIT}/"
    )


def test_a_pattern_is_about_the_whole_path() -> None:
    assert matches("a/b/c.json", ["*.json"])
    assert matches("original/params.json", ["original/"])
    assert not matches("a/tokenizer.json", ["tokenizer*"])
    assert not matches("A.JSON", ["*.json"])
