"""What goes wrong between the hub and the copier, and what whoever deploys reads."""

import itertools
import json
import socket

import pytest
from weights_copier.patience import Patience
from weights_copier.upload import Flow

from local.hub import Answer, Cut, Drop, Fault, Gzip, IgnoreRange, Redirect, Slow, WrongBytes, WrongRange
from tests.lambda_.weights_copier.conftest import FILES, KIB, PART, STAGED, WEIGHTS, Cloud, Copier

FILE = "model.safetensors"


def assert_unpublished(copier: Copier, cloud: Cloud, file: str = FILE) -> None:
    assert copier.folder + file not in cloud.keys
    assert copier.manifest not in cloud.keys
    assert cloud.uploads == []


def assert_published(copier: Copier, cloud: Cloud) -> None:
    assert {path: cloud.read(copier.folder + path) for path in STAGED} == {path: FILES[path] for path in STAGED}
    assert copier.manifest in cloud.keys
    assert cloud.uploads == []


def test_the_right_number_of_wrong_bytes_is_never_published(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(WrongBytes(), on="cdn", path=FILE)
    promised = copier.repository.files[FILE].sha256
    words = copier.fail()
    assert words.startswith(f"{FILE}: SHA-256 is ")
    assert words.endswith(f"…, the hub promised {promised[:16]}…; nothing was published")
    assert_unpublished(copier, cloud)
    copier.run()
    assert_published(copier, cloud)


def test_wrong_bytes_of_a_file_in_git_are_never_published(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(WrongBytes(), on="hub", path=f"cache/models/team/llama/{copier.repository.commit}/tok")
    assert copier.fail() == (
        "tokenizer.json: git's SHA-1 is a3f2225d6c98a426…, the hub promised"
        f" {copier.repository.files['tokenizer.json'].oid[:16]}…; nothing was published"
    )
    assert_unpublished(copier, cloud, "tokenizer.json")


def test_after_a_cut_the_rest_alone_is_asked_for(copier: Copier, cloud: Cloud) -> None:
    for after in (100, 50 * KIB, 20 * KIB):
        copier.hub.faults.add(Cut(after), on="cdn", path=FILE)
    copier.run()
    assert_published(copier, cloud)
    ranges = [request.headers["range"] for request in copier.hub.received if request.on == "cdn"]
    assert len(ranges) == 3 + 3
    starts = sorted(int(asked.removeprefix("bytes=").split("-")[0]) for asked in ranges)
    assert {0, PART, 2 * PART} < set(starts)
    assert {start % KIB for start in starts} <= {0, 100}


def test_a_connection_that_ends_again_and_again_ends_the_copy(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Cut(after=100), on="cdn", path=FILE, times=None)
    words = copier.fail()
    assert words.startswith(f"{FILE}: {copier.hub.cdn_url[7:]} ended ")
    assert words.endswith(" bytes too early (tried 5 times)")
    assert_unpublished(copier, cloud)


def test_slow_progress_is_no_reason_to_give_up(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Cut(after=64 * KIB), on="cdn", path=FILE, times=10)
    copier.run()
    assert_published(copier, cloud)


FAULTS = [
    (IgnoreRange(), "cdn", f"{FILE}: CDN ignores ranges"),
    (WrongRange(), "cdn", None),
    (Gzip(), "cdn", "CDN compresses answers (gzip) although nobody asked it to"),
    (Answer(503), "cdn", f"CDN answers 503 for {FILE}"),
    (Answer(403), "cdn", f"CDN answers 403 for {FILE}"),
    (Answer(404), "cdn", f"CDN answers 404 for {FILE}"),
    (Answer(500), "hub", "HUB answers 500"),
    (Answer(418), "cdn", f"CDN answers 418 for {FILE}"),
    (Answer(200, {}, b"<html>"), "hub", "HUB answers with something that is not JSON"),
    (Drop(), "hub", "the hub cannot be reached: HUB: Remote end closed connection without response"),
    (Drop(), "cdn", "a host is blocked: CDN (redirect target): Remote end closed connection without response"),
]


@pytest.mark.parametrize(("fault", "on", "words"), FAULTS)
def test_a_fault_is_waited_for_and_then_named(copier: Copier, cloud: Cloud, fault: Fault, on, words) -> None:
    path = FILE if on == "cdn" else "/tree/"
    copier.hub.faults.add(fault, on=on, path=path, times=3)
    copier.run()
    assert_published(copier, cloud)
    cloud.client.delete_object(Bucket=cloud.name, Key=copier.folder + FILE)
    cloud.client.delete_object(Bucket=cloud.name, Key=copier.manifest)
    copier.hub.faults.clear()
    copier.hub.faults.add(fault, on=on, path=path, times=None)
    found = copier.fail().replace(copier.hub.cdn_url[7:], "CDN").replace(copier.hub.url[7:], "HUB")
    if words is None:
        assert found.startswith(f"{FILE}: CDN sent the range bytes ")
        assert found.endswith(" (tried 5 times)")
    else:
        assert found == f"{words} (tried 5 times)"
    assert_unpublished(copier, cloud)


def test_more_bytes_than_the_file_has_are_refused(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Answer(200, {}, FILES["config.json"] + b" "), on="hub", path="config.json", times=None)
    assert copier.fail() == f"config.json: {copier.hub.url[7:]} sent more than its 23 bytes (tried 5 times)"
    assert_unpublished(copier, cloud, "config.json")


def test_a_signed_url_that_has_expired_is_asked_for_again_at_once(copier: Copier, cloud: Cloud, monkeypatch) -> None:
    copier.hub.faults.add(Slow(1e12), on="cdn", path=FILE)  # the first part is as it should be
    copier.hub.faults.add(Answer(403), on="cdn", path=FILE)
    staging = copier.staging(flow=Flow(PART, reads=1))
    waited: list[float] = []
    monkeypatch.setattr(staging._hub.halt, "wait", waited.append)
    staging.run()
    assert_published(copier, cloud)
    assert waited == [0]
    asked = [request.on for request in copier.hub.received if f"/{FILE}" in request.target or request.on == "cdn"]
    assert asked == ["hub", "cdn", "cdn", "hub", "cdn", "cdn"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "7"}, 56),
        ({"RateLimit": '"api";r=0;t=2, "resolvers";r=9;t=300'}, 3),
        ({"RateLimit": '"api";r=12;t=300', "Retry-After": "7"}, 7),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}, 1),
        ({}, 1),
    ],
)
def test_the_hub_says_how_long_to_wait(copier: Copier, cloud: Cloud, headers, seconds, monkeypatch) -> None:
    waited: list[float] = []
    staging = copier.staging(patience=Patience())
    monkeypatch.setattr(staging._hub.halt, "wait", waited.append)
    copier.hub.faults.add(Answer(429, headers), on="hub", path="/tree/", times=2)
    staging.run()
    assert_published(copier, cloud)
    second = 2 if seconds == 1 else seconds
    assert waited == [seconds, second]
    assert copier.lines[:2] == [
        f"hub limits requests: waiting {seconds} s, 1 of 5",
        f"hub limits requests: waiting {second} s, 2 of 5",
    ]


def test_a_limit_that_never_ends_says_how_long_it_was_waited_for(copier: Copier, monkeypatch) -> None:
    copier.hub.faults.add(Answer(429, {"Retry-After": "30"}), on="hub", path="/tree/", times=None)
    staging = copier.staging(patience=Patience())
    monkeypatch.setattr(staging._hub.halt, "wait", lambda seconds: None)
    with pytest.raises(Exception, match=r"^hub limits requests: waited 120 s, 5 of 5$"):
        staging.run()


REFUSED = {
    "gated, no token": ("meta/gated", None, None),
    "gated, a stranger's token": ("meta/gated", "hf_stranger", None),
    "wrong token": ("meta/gated", "hf_wrong", None),
    "no such repository": ("no/body", None, None),
    "no such repository, with a token": ("no/body", "hf_stranger", None),
    "private": ("team/private", "hf_stranger", None),
    "no such commit": ("team/llama", None, "f" * 40),
}
WORDS = {
    "gated, no token": "meta/gated is gated and no token was given",
    "gated, a stranger's token": (
        "meta/gated is gated: the account of secret hub-token is not on its list; ask at the model's page,"
        " HUB/meta/gated"
    ),
    "wrong token": (
        "the hub does not accept the token of secret hub-token: it has expired, was revoked, or is not whole"
    ),
    "no such repository": "no/body was not found, or is private or gated and no token was given",
    "no such repository, with a token": "no/body was not found, or the token of secret hub-token cannot see it",
    "private": "team/private was not found, or the token of secret hub-token cannot see it",
    "no such commit": f"commit {'f' * 40} is not in team/llama",
}
WORDS_WITHOUT_CODE = {
    **WORDS,
    "gated, no token": "meta/gated was not found, or is private or gated and no token was given",
    "gated, a stranger's token": (
        "the hub refuses config.json with status 403: Access to model meta/gated is restricted and you are not in the"
        " authorized list."
    ),
    "no such commit": "team/llama was not found, or is private or gated and no token was given",
}


@pytest.mark.parametrize("has_codes", [True, False])
@pytest.mark.parametrize("case", REFUSED)
def test_each_refusal_has_its_words(copier: Copier, cloud: Cloud, case: str, has_codes: bool) -> None:
    name, token, revision = REFUSED[case]
    answers = copier.hub._answers
    answers._has_error_codes = has_codes
    found = answers.repositories.get(name)
    revision = revision or (found.commit if found else "0" * 40)
    words = copier.fail(repository=name, revision=revision, token=token).replace(copier.hub.url, "HUB")
    assert words == (WORDS if has_codes else WORDS_WITHOUT_CODE)[case]
    assert not [key for key in cloud.keys if not key.startswith("locks/")]


@pytest.mark.parametrize("code", [{"X-Error-Code": "EntryNotFound"}, {}])
def test_a_file_that_the_hub_lists_and_does_not_have_is_named(copier: Copier, code: dict[str, str]) -> None:
    copier.hub.faults.add(Answer(404, code), on="hub", path="tokenizer.json")
    assert copier.fail() == f"tokenizer.json is not in commit {copier.repository.commit} of team/llama"


def test_a_refusal_does_not_repeat_the_token(copier: Copier) -> None:
    said = {"X-Error-Message": "The token hf_member lacks the right to read gated repositories."}
    copier.hub.faults.add(Answer(403, said), on="hub", path="/tree/")
    assert copier.fail(token="hf_member") == (
        "the hub refuses team/llama with status 403: The token (token) lacks the right to read gated repositories."
    )


def test_words_of_the_hub_are_one_line_of_300_characters(copier: Copier) -> None:
    copier.hub.faults.add(Answer(403, {"X-Error-Message": "no " * 200}), on="hub", path="/tree/")
    words = copier.fail()
    assert len(words) == 300
    assert words.endswith("…")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_host_behind_a_redirect_that_does_not_answer_is_named(copier: Copier, cloud: Cloud) -> None:
    host = f"127.0.0.1:{free_port()}"
    copier.hub.faults.add(Redirect(f"http://{host}/x"), on="hub", path=FILE, times=None)
    assert copier.fail() == f"a host is blocked: {host} (redirect target): Connection refused (tried 5 times)"
    assert_unpublished(copier, cloud)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://cdn.example/x", "http://cdn.example, which is not HTTPS"),
        ("ftp://127.0.0.1/x", "ftp://127.0.0.1, which is not HTTPS"),
        ("file:///etc/passwd", "file://, which is not HTTPS"),
        ("", "nowhere"),
        ("https://127.0.0.1:port/x", "what is no URL"),
        ("https://[127.0.0.1/x", "what is no URL"),
    ],
)
def test_a_redirect_that_leaves_https_is_not_followed(copier: Copier, cloud: Cloud, location: str, words: str) -> None:
    copier.hub.faults.add(Redirect(location), on="hub", path=f"resolve/{copier.repository.commit}/{FILE}")
    assert copier.fail() == f"{copier.hub.url[7:]} redirects to {words}"
    assert_unpublished(copier, cloud)


@pytest.mark.parametrize("query", ["a=b c", "a=\xfc", "a=%20|%7C"])
def test_a_redirect_with_characters_that_no_url_has_is_followed_as_browsers_do(
    copier: Copier, cloud: Cloud, query: str
) -> None:
    elsewhere = f"{copier.hub.cdn_url}/{copier.repository.files[FILE].sha256}?Signature=other&{query}"
    copier.hub.faults.add(Redirect(elsewhere), on="hub", path=FILE)
    copier.run()
    assert_published(copier, cloud)


def test_redirects_in_a_circle_end(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Redirect(f"/elsewhere/{FILE}", 307), on="hub", path=FILE, times=None)
    assert copier.fail() == f"{copier.hub.url[7:]} redirects in a circle"
    assert_unpublished(copier, cloud)


def test_a_redirect_to_another_host_is_followed_without_the_token(copier: Copier, cloud: Cloud) -> None:
    elsewhere = f"{copier.hub.cdn_url}/{copier.repository.files[FILE].sha256}?Signature=other"
    copier.hub.faults.add(Redirect(elsewhere, 307), on="hub", path=FILE)
    copier.run(token="hf_member")
    assert_published(copier, cloud)
    assert {request.token for request in copier.hub.received if request.on == "cdn"} == {None}


def test_a_list_of_files_at_another_host_is_not_believed(copier: Copier) -> None:
    link = {"Link": f'<{copier.hub.cdn_url}/tree>; rel="next"'}
    copier.hub.faults.add(Answer(200, link, b"[]"), on="hub", path="/tree/")
    assert copier.fail() == "the hub's list of files goes on at another host"
    copier.hub.faults.add(Answer(200, {"Link": '<//host:port/>; rel="next"'}, b"[]"), on="hub", path="/tree/")
    assert copier.fail() == "the hub's list of files goes on at another host"


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "file", "path": "a.json", "size": 1},
        {"type": "file", "path": "a.json", "size": "1", "oid": "0" * 40},
        {"type": "file", "path": "a.json", "size": 1, "oid": "0" * 39},
        {"type": "file", "path": "a.json", "size": 1, "oid": "0" * 40, "lfs": {"oid": "0" * 40, "size": 1}},
        {"type": "file", "path": 1, "size": 1, "oid": "0" * 40},
        {"type": "file", "path": "\ud800.json", "size": 1, "oid": "0" * 40},
        "a.json",
    ],
)
def test_a_file_without_size_or_digest_is_refused(copier: Copier, entry: object) -> None:
    copier.hub.faults.add(Answer(200, {}, json.dumps([entry]).encode()), on="hub", path="/tree/")
    assert copier.fail().startswith("the hub's list of files has an entry without size or digest: ")


def test_a_hub_that_is_not_there_is_named(copier: Copier) -> None:
    host = f"127.0.0.1:{free_port()}"
    assert copier.fail(hub=f"http://{host}") == (
        f"the hub cannot be reached: {host}: Connection refused (tried 5 times)"
    )


def test_every_mixture_of_faults_heals(copier: Copier, cloud: Cloud) -> None:
    faults = [Cut(after=64 * KIB), Answer(403), Answer(503), IgnoreRange(), WrongRange(), Gzip(), Drop()]
    for fault in itertools.chain(faults, reversed(faults)):
        copier.hub.faults.add(fault, on="cdn", path=FILE)
    copier.run(patience=Patience(tries=20, first_wait=0.001, max_wait=0.01))
    assert_published(copier, cloud)
    assert len(cloud.read(copier.folder + FILE)) == len(WEIGHTS)
