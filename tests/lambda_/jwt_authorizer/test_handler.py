"""The authorizer of tokens, whole: a real HTTPS provider, real keys, and every way in which a token can be wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt_authorizer
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt_authorizer.errors import IssuerError

from tests.lambda_.jwt_authorizer.identity_provider import (
    AUDIENCE,
    EC_KEY,
    RSA_KEY,
    Provider,
    claims,
    encoded,
    serving,
    signature,
    token,
)

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/POST/v1/chat/completions"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, Path]]:
    with serving(tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def provider(server: tuple[Provider, Path], monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider, whose certificate this machine trusts, as the authorizer of an audience sees it."""
    found, authority = server
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("ISSUER", found.issuer)
    monkeypatch.setenv("AUDIENCE", json.dumps([AUDIENCE, "app-client"]))
    monkeypatch.setattr(jwt_authorizer, "_key_sets", {})
    found.pages.clear()
    return found


def call(header: str) -> dict[str, Any]:
    return jwt_authorizer.handler({"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}, None)


def refusal(header: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        call(header)
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"]) == ("INFO", "token refused")
    return str(line["reason"])


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256"])
def test_a_valid_token_lets_its_subject_into_the_whole_stage(provider: Provider, algorithm: str) -> None:
    assert call(f"Bearer {token(claims(provider.issuer), algorithm)}") == {
        "principalId": "user-1",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*",
                }
            ],
        },
    }


def test_the_keys_are_fetched_once_for_many_tokens(provider: Provider) -> None:
    provider.asked.clear()
    for _ in range(3):
        call(f"Bearer {token(claims(provider.issuer))}")
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://other.example.com", AUDIENCE]},
        {"aud": None, "client_id": "app-client"},
        {"aud": "https://other.example.com", "client_id": "app-client"},
        {"exp": lambda now: now - 30},
        {"nbf": lambda now: now + 30},
        {"nbf": lambda now: now - 30.5},
    ],
    ids=["one audience of several", "client_id", "client_id beside aud", "leeway at the end", "at the start", "nbf"],
)
def test_a_token_for_this_api_that_is_valid_by_a_clock_a_minute_off_is_let_in(
    provider: Provider, changes: dict[str, Any]
) -> None:
    assert call(f"Bearer {token(claims(provider.issuer, **changes))}")["principalId"] == "user-1"


def test_a_client_that_acts_for_itself_is_named_by_its_id(provider: Provider) -> None:
    made = token(claims(provider.issuer, sub=None, client_id="app-client"))
    assert call(f"bearer {made}")["principalId"] == "app-client"


def test_a_single_key_for_the_algorithm_needs_no_name(provider: Provider) -> None:
    assert call(f"Bearer {token(claims(provider.issuer), 'ES256', kid=None)}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://localhost"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "https://other.example.com"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": {AUDIENCE: True}}, "audience"),
        ({"aud": f"{AUDIENCE}/"}, "audience"),
        ({"aud": "other", "azp": AUDIENCE}, "audience"),
        ({"exp": lambda now: now - 90}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": lambda now: str(now + 600)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"nbf": lambda now: now + 120}, "not valid yet"),
        ({"nbf": "now"}, "nbf"),
        ({"sub": None}, "subject"),
        ({"sub": "line\nbreak"}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": 7}, "subject"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], reason: str
) -> None:
    assert refusal(f"Bearer {token(claims(provider.issuer, **changes))}", capsys) == reason


def test_a_token_that_nobody_signed_is_refused(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        unsigned = f"{encoded({'alg': algorithm})}.{encoded(claims(provider.issuer))}.{encoded(b'x')}"
        assert refusal(f"Bearer {unsigned}", capsys) == "algorithm"
    empty = f"{encoded({'alg': 'none'})}.{encoded(claims(provider.issuer))}."
    assert refusal(f"Bearer {empty}", capsys) == "no token"


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", "PS256", "ES384", "EdDSA", "rs256", 256, None, ["RS256"]])
def test_algorithms_that_are_not_taken_are_refused_whatever_the_signature(
    provider: Provider, capsys: pytest.CaptureFixture[str], algorithm: object
) -> None:
    assert refusal(f"Bearer {token(claims(provider.issuer), alg=algorithm)}", capsys) == "algorithm"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_of_which_any_part_was_changed_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    header, claimed, signed = token(claims(provider.issuer), algorithm).split(".")
    forged = encoded(claims(provider.issuer, sub="admin"))
    assert refusal(f"Bearer {header}.{forged}.{signed}", capsys) == "signature"
    other = encoded({"alg": algorithm, "kid": "ec" if algorithm == "ES256" else "rsa"})
    assert refusal(f"Bearer {other}.{claimed}.{signed}", capsys) == "signature"
    for wrong in (b"", b"\x00" * 64, b"\x00" * 256, b"\xff" * 64, b"\xff" * 256):
        if wrong:
            assert refusal(f"Bearer {header}.{claimed}.{encoded(wrong)}", capsys) == "signature"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_that_somebody_else_signed_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    other: Any = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if algorithm == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    assert refusal(f"Bearer {token(claims(provider.issuer), algorithm, other)}", capsys) == "signature"


def test_a_token_of_one_kind_that_names_a_key_of_the_other_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(f"Bearer {token(claims(provider.issuer), 'RS256', kid='ec')}", capsys) == "unknown key"
    assert refusal(f"Bearer {token(claims(provider.issuer), 'ES256', kid='rsa')}", capsys) == "unknown key"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b", "Bearer a.b.c.d", "Bearer a.b.c d", "Bearer a b.c.d"],
)
def test_what_is_no_token_is_refused(provider: Provider, capsys: pytest.CaptureFixture[str], header: str) -> None:
    assert refusal(header, capsys) == "no token"


def test_a_token_longer_than_headers_may_be_is_not_read(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(f"Bearer {token(claims(provider.issuer, extra='x' * 10_240))}", capsys) == "no token"


def signed_by_hand(header: bytes, claimed: bytes) -> str:
    signed = f"{encoded(header)}.{encoded(claimed)}"
    return f"{signed}.{encoded(signature('RS256', signed.encode(), RSA_KEY))}"


@pytest.mark.parametrize(
    ("header", "claimed", "reason"),
    [
        (b'{"alg":"RS256","alg":"RS256"}', b"{}", "encoding"),
        (b'{"alg":"RS256","kid":"rsa"}', b'{"sub":"a","sub":"admin"}', "encoding"),
        (b'["alg"]', b"{}", "encoding"),
        (b'{"alg":"RS256"', b"{}", "encoding"),
        (b'{"alg":"RS256"}', b"null", "encoding"),
        (b'{"alg":"RS256"}', b"\xff", "encoding"),
        (b'{"alg":"RS256"}', b"[" * 3000, "encoding"),
        (b'{"alg":"RS256","kid":7}', b"{}", "header"),
        (b'{"alg":"RS256","crit":["b64"],"b64":false}', b"{}", "header"),
    ],
)
def test_a_token_that_could_be_read_in_two_ways_or_in_none_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str], header: bytes, claimed: bytes, reason: str
) -> None:
    assert refusal(f"Bearer {signed_by_hand(header, claimed)}", capsys) == reason


def test_a_part_that_is_not_written_in_the_one_way_of_base64url_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    header, claimed, signed = token(claims(provider.issuer), "ES256").split(".")
    assert len(signed) % 4 == 2  # so the last character has bits that mean nothing
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = signed[:-1] + alphabet[alphabet.index(signed[-1]) ^ 1]
    assert refusal(f"Bearer {header}.{claimed}.{twin}", capsys) == "encoding"


def test_neither_the_token_nor_its_claims_are_ever_written(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    made = token(claims(provider.issuer, sub="canary-subject", email="canary@example.com", aud="canary-audience"))
    with pytest.raises(PermissionError) as error:
        call(f"Bearer {made}")
    written = capsys.readouterr()
    for text in (written.out, written.err, str(error.value), repr(error.value.__context__)):
        assert "canary" not in text
        assert made[:20] not in text


def test_a_provider_whose_certificate_nobody_vouches_for_is_not_believed(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(IssuerError, match=r"^localhost: SSLCertVerificationError$"):
        call(f"Bearer {token(claims(provider.issuer))}")


def test_a_certificate_for_another_name_is_not_believed(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUER", provider.issuer.replace("localhost", "127.0.0.1"))
    with pytest.raises(IssuerError, match=r"^127\.0\.0\.1: SSLCertVerificationError$"):
        call(f"Bearer {token(claims(provider.issuer))}")


@pytest.mark.parametrize(
    ("path", "page", "words"),
    [
        ("/keys", (302, {"Location": "/elsewhere"}, b""), "localhost answered 302"),
        ("/keys", (500, {}, b"{}"), "localhost answered 500"),
        ("/keys", (200, {}, b"<html>"), "localhost: JSONDecodeError"),
        ("/keys", (200, {}, b"[]"), "localhost answered with something that is no JSON object"),
        ("/keys", (200, {}, b'{"keys":{}}'), "the key set has no keys"),
        ("/keys", (200, {}, b"[" * 100_000), "localhost: RecursionError"),
        (
            "/.well-known/openid-configuration",
            (200, {}, b'{"issuer":"https://evil.example.com"}'),
            "the configuration is of another issuer",
        ),
    ],
)
def test_a_provider_that_answers_otherwise_than_it_should_fails_the_request_and_not_the_bearer(
    provider: Provider, path: str, page: tuple[int, dict[str, str], bytes], words: str
) -> None:
    provider.pages[path] = page
    with pytest.raises(IssuerError, match=f"^{words}$"):
        call(f"Bearer {token(claims(provider.issuer))}")
    provider.pages.clear()
    assert call(f"Bearer {token(claims(provider.issuer))}")


@pytest.mark.parametrize(
    "uri", ["http://localhost/keys", "file:///etc/passwd", "", "//", "https://localhost:port/", None]
)
def test_keys_are_fetched_over_https_only(provider: Provider, uri: object) -> None:
    page = json.dumps({"issuer": provider.issuer, "jwks_uri": uri}).encode()
    provider.pages["/.well-known/openid-configuration"] = (200, {}, page)
    with pytest.raises(IssuerError, match=r"the issuer gave (a URL that is not https|no URL)"):
        call(f"Bearer {token(claims(provider.issuer))}")


def test_an_own_key_that_a_token_brings_along_is_not_looked_at(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    numbers = own.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encoded(numbers.x.to_bytes(32, "big")),
        "y": encoded(numbers.y.to_bytes(32, "big")),
    }
    made = token(claims(provider.issuer), "ES256", own, jwk=jwk, jku="https://evil.example.com/keys")
    assert refusal(f"Bearer {made}", capsys) == "signature"
    assert EC_KEY is not own
