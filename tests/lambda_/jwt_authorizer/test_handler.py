"""The JWT authorizer against a real HTTPS provider and real keys, with every kind of invalid token."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt_authorizer import handler
from jwt_authorizer.claims import MAX_SCOPES_LENGTH, scopes_of
from jwt_authorizer.https import IssuerError

from tests.lambda_.jwt_authorizer.identity_provider import (
    AUDIENCE,
    EC_KEY,
    RSA_KEY,
    Provider,
    claims,
    ec_jwk,
    encode,
    rsa_jwk,
    serve_provider,
    sign,
    token,
)

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/POST/v1/chat/completions"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, Path]]:
    with serve_provider(tmp_path_factory.mktemp("provider")) as served:
        yield served


@pytest.fixture
def provider(server: tuple[Provider, Path], monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider that the authorizer is configured for and whose certificate it trusts."""
    served, authority = server
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("ISSUER", served.issuer)
    monkeypatch.setenv("AUDIENCE", json.dumps([AUDIENCE, "app-client"]))
    monkeypatch.setattr(handler, "key_sets", {})
    served.pages.clear()
    return served


def call(header: str) -> dict[str, Any]:
    return handler.handler({"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}, None)


def rejection_reason(header: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        call(header)
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"]) == ("INFO", "token rejected")
    return str(line["reason"])


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256"])
def test_a_valid_token_allows_its_subject_on_the_entire_stage(provider: Provider, algorithm: str) -> None:
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


def test_keys_in_a_file_verify_tokens_and_nothing_is_fetched(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [rsa_jwk(), ec_jwk()]}))
    monkeypatch.setenv("JWKS_FILE", str(file))
    provider.requested.clear()
    for algorithm in ("RS256", "ES256"):
        assert call(f"Bearer {token(claims(provider.issuer), algorithm)}")["principalId"] == "user-1"
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert rejection_reason(f"Bearer {token(claims(provider.issuer), key=other)}", capsys) == "signature"
    assert rejection_reason(f"Bearer {token(claims(provider.issuer), kid='new')}", capsys) == "unknown key"
    assert provider.requested == []


def test_the_keys_are_fetched_once_for_many_tokens(provider: Provider) -> None:
    provider.requested.clear()
    for _ in range(3):
        call(f"Bearer {token(claims(provider.issuer))}")
    assert provider.requested == ["/.well-known/openid-configuration", "/keys"]


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
    ids=[
        "one of two audiences",
        "client_id",
        "client_id and another aud",
        "leeway of exp",
        "leeway of nbf",
        "past nbf",
    ],
)
def test_a_token_for_this_api_is_valid_within_a_minute_of_leeway(provider: Provider, changes: dict[str, Any]) -> None:
    assert call(f"Bearer {token(claims(provider.issuer, **changes))}")["principalId"] == "user-1"


def test_a_client_that_acts_for_itself_is_identified_by_its_client_id(provider: Provider) -> None:
    jwt = token(claims(provider.issuer, sub=None, client_id="app-client"))
    assert call(f"bearer {jwt}")["principalId"] == "app-client"


def test_a_token_without_kid_uses_the_only_key_for_its_algorithm(provider: Provider) -> None:
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
def test_a_token_with_a_wrong_claim_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], reason: str
) -> None:
    assert rejection_reason(f"Bearer {token(claims(provider.issuer, **changes))}", capsys) == reason


def test_an_unsigned_token_is_rejected(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        unsigned = f"{encode({'alg': algorithm})}.{encode(claims(provider.issuer))}.{encode(b'x')}"
        assert rejection_reason(f"Bearer {unsigned}", capsys) == "algorithm"
    empty = f"{encode({'alg': 'none'})}.{encode(claims(provider.issuer))}."
    assert rejection_reason(f"Bearer {empty}", capsys) == "no token"


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", "PS256", "ES384", "EdDSA", "rs256", 256, None, ["RS256"]])
def test_an_unsupported_algorithm_is_rejected_whatever_the_signature(
    provider: Provider, capsys: pytest.CaptureFixture[str], algorithm: object
) -> None:
    assert rejection_reason(f"Bearer {token(claims(provider.issuer), alg=algorithm)}", capsys) == "algorithm"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_with_any_changed_part_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    header, payload, signed = token(claims(provider.issuer), algorithm).split(".")
    forged = encode(claims(provider.issuer, sub="admin"))
    assert rejection_reason(f"Bearer {header}.{forged}.{signed}", capsys) == "signature"
    other = encode({"alg": algorithm, "kid": "ec" if algorithm == "ES256" else "rsa"})
    assert rejection_reason(f"Bearer {other}.{payload}.{signed}", capsys) == "signature"
    for wrong in (b"", b"\x00" * 64, b"\x00" * 256, b"\xff" * 64, b"\xff" * 256):
        if wrong:
            assert rejection_reason(f"Bearer {header}.{payload}.{encode(wrong)}", capsys) == "signature"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_signed_with_another_key_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    other: Any = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if algorithm == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    assert rejection_reason(f"Bearer {token(claims(provider.issuer), algorithm, other)}", capsys) == "signature"


def test_a_token_that_names_a_key_of_another_type_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rejection_reason(f"Bearer {token(claims(provider.issuer), 'RS256', kid='ec')}", capsys) == "unknown key"
    assert rejection_reason(f"Bearer {token(claims(provider.issuer), 'ES256', kid='rsa')}", capsys) == "unknown key"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b", "Bearer a.b.c.d", "Bearer a.b.c d", "Bearer a b.c.d"],
)
def test_a_header_without_a_token_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str], header: str
) -> None:
    assert rejection_reason(header, capsys) == "no token"


def test_a_token_longer_than_api_gateway_allows_for_headers_is_not_parsed(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rejection_reason(f"Bearer {token(claims(provider.issuer, extra='x' * 10_240))}", capsys) == "no token"


def sign_raw(header: bytes, payload: bytes) -> str:
    message = f"{encode(header)}.{encode(payload)}"
    return f"{message}.{encode(sign('RS256', message.encode(), RSA_KEY))}"


@pytest.mark.parametrize(
    ("header", "payload", "reason"),
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
def test_an_ambiguous_or_malformed_token_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str], header: bytes, payload: bytes, reason: str
) -> None:
    assert rejection_reason(f"Bearer {sign_raw(header, payload)}", capsys) == reason


def test_a_part_that_is_not_canonical_base64url_is_rejected(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    header, payload, signed = token(claims(provider.issuer), "ES256").split(".")
    assert len(signed) % 4 == 2  # so the last character has unused bits
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = signed[:-1] + alphabet[alphabet.index(signed[-1]) ^ 1]
    assert rejection_reason(f"Bearer {header}.{payload}.{twin}", capsys) == "encoding"


def test_neither_the_token_nor_its_claims_are_logged(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    jwt = token(claims(provider.issuer, sub="canary-subject", email="canary@example.com", aud="canary-audience"))
    with pytest.raises(PermissionError) as error:
        call(f"Bearer {jwt}")
    written = capsys.readouterr()
    for text in (written.out, written.err, str(error.value), repr(error.value.__context__)):
        assert "canary" not in text
        assert jwt[:20] not in text


def test_a_provider_with_an_untrusted_certificate_is_rejected(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(IssuerError, match=r"^localhost: SSLCertVerificationError$"):
        call(f"Bearer {token(claims(provider.issuer))}")


def test_a_certificate_for_another_host_is_rejected(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUER", provider.issuer.replace("localhost", "127.0.0.1"))
    with pytest.raises(IssuerError, match=r"^127\.0\.0\.1: SSLCertVerificationError$"):
        call(f"Bearer {token(claims(provider.issuer))}")


@pytest.mark.parametrize(
    ("path", "page", "message"),
    [
        ("/keys", (302, {"Location": "/elsewhere"}, b""), "localhost responded with status 302"),
        ("/keys", (500, {}, b"{}"), "localhost responded with status 500"),
        ("/keys", (200, {}, b"<html>"), "localhost: JSONDecodeError"),
        ("/keys", (200, {}, b"[]"), "localhost did not respond with a JSON object"),
        ("/keys", (200, {}, b'{"keys":{}}'), "the key set has no array of keys"),
        ("/keys", (200, {}, b"[" * 100_000), "localhost: RecursionError"),
        ("/keys", (200, {}, b" " * 2**20 + b"{}"), "localhost responded with more than 1048576 bytes"),
        (
            "/.well-known/openid-configuration",
            (200, {}, b'{"issuer":"https://evil.example.com"}'),
            "the configuration is another issuer's",
        ),
    ],
)
def test_a_wrong_response_of_the_provider_is_an_error_of_the_issuer_and_not_of_the_token(
    provider: Provider, path: str, page: tuple[int, dict[str, str], bytes], message: str
) -> None:
    provider.pages[path] = page
    with pytest.raises(IssuerError, match=f"^{message}$"):
        call(f"Bearer {token(claims(provider.issuer))}")
    provider.pages.clear()
    assert call(f"Bearer {token(claims(provider.issuer))}")


@pytest.mark.parametrize(
    "uri", ["http://localhost/keys", "file:///etc/passwd", "", "//", "https://localhost:port/", None]
)
def test_keys_are_fetched_over_https_only(provider: Provider, uri: object) -> None:
    page = json.dumps({"issuer": provider.issuer, "jwks_uri": uri}).encode()
    provider.pages["/.well-known/openid-configuration"] = (200, {}, page)
    with pytest.raises(IssuerError, match=r"^the issuer's configuration has (a URL that is not https|an invalid URL)$"):
        call(f"Bearer {token(claims(provider.issuer))}")


def test_keys_in_the_tokens_own_header_are_ignored(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    numbers = own.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encode(numbers.x.to_bytes(32, "big")),
        "y": encode(numbers.y.to_bytes(32, "big")),
    }
    jwt = token(claims(provider.issuer), "ES256", own, jwk=jwk, jku="https://evil.example.com/keys")
    assert rejection_reason(f"Bearer {jwt}", capsys) == "signature"
    assert EC_KEY is not own


@pytest.mark.parametrize(
    ("members", "scopes"),
    [
        ({"scope": "openid llm:llama"}, "openid llm:llama"),  # Auth0, Amazon Cognito, Keycloak
        ({"scp": "llm:llama llm:falcon"}, "llm:llama llm:falcon"),  # Microsoft Entra ID
        ({"scp": ["llm:llama", "llm:falcon"]}, "llm:llama llm:falcon"),  # Okta
        ({"scope": ["llm:llama"]}, "llm:llama"),
        ({"scope": "a  b a", "scp": ["b", "c"]}, "a b c"),
        ({"scope": "https://api.example.com/llm.read"}, "https://api.example.com/llm.read"),
    ],
)
def test_the_front_door_gets_the_scopes_of_a_token(provider: Provider, members: dict[str, Any], scopes: str) -> None:
    response = call(f"Bearer {token({**claims(provider.issuer), **members})}")
    assert response["context"] == {"scopes": scopes}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"scope": ""},
        {"scope": None, "scp": []},
        {"scope": 1, "scp": {"llm:llama": True}},
        {"scope": 'été a\tb back\\slash "quoted"', "scp": [["llm:llama"], None]},
        {"roles": ["llm:llama"], "permissions": ["llm:llama"], "scopes": "llm:llama"},
    ],
)
def test_what_is_no_scope_gives_no_right(provider: Provider, members: dict[str, Any]) -> None:
    assert "context" not in call(f"Bearer {token({**claims(provider.issuer), **members})}")


def test_more_scopes_than_fit_are_left_out_whole() -> None:
    scopes = [f"scope-{number:04d}" for number in range(1000)]
    found = scopes_of({"scope": " ".join(scopes)})
    assert len(found) <= MAX_SCOPES_LENGTH < len(found) + len(scopes[0]) + 1
    assert found.split(" ") == scopes[: len(found.split(" "))]


def test_a_token_with_scopes_is_checked_as_any_other(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {**claims(provider.issuer), "scope": "llm:llama", "aud": "another"}
    assert rejection_reason(f"Bearer {token(wrong)}", capsys) == "audience"
