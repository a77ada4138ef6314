"""Bodies that axum 0.7.9 and serde_json 1.0.140 reject, with their messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.model_container.serde.errors import JsonError
from local.model_container.serde.reader import JsonReader
from local.model_container.serde.types import read_json, value
from tests.local.model_container.servers import Servers, call, post

NOT_JSON = "Failed to parse the request body as JSON: "
WRONG_SHAPE = "Failed to deserialize the JSON body into the target type: "


@pytest.fixture(scope="module")
def container():
    with Servers() as servers:
        yield servers.container(payload_limit=1000)


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "EOF while parsing a value at line 1 column 0"),
        (b"no", 400, "expected ident at line 1 column 2"),
        (b"@", 400, "expected value at line 1 column 1"),
        (b'{"inputs":NaN}', 400, "inputs: expected value at line 1 column 11"),
        (b'{"inputs":"a",}', 400, "trailing comma at line 1 column 15"),
        (b'{"inputs":"a"', 400, "EOF while parsing an object at line 1 column 13"),
        (b'{"inputs":"a', 400, "inputs: EOF while parsing a string at line 1 column 12"),
        (b'{\n"inputs" "a"}', 400, "inputs: expected `:` at line 2 column 10"),
        (b'{"inputs":"a\nb"}', 400, ("inputs: control character (\\u0000-\\u001F) found while parsing a "
         "string at line 2 column 0")),
        (b'{"inputs":"\\ud83e"}', 400, "inputs: unexpected end of hex escape at line 1 column 18"),
        (b'{"inputs":"\\udd99"}', 400, "inputs: lone leading surrogate in hex escape at line 1 column 17"),
        (b'{"inputs":"\\x"}', 400, "inputs: invalid escape at line 1 column 13"),
        (b'{"inputs":"\xff"}', 400, "inputs: invalid unicode code point at line 1 column 13"),
        (b'{"inputs":"a","x":01}', 400, "x: invalid number at line 1 column 20"),
        (b'{"inputs":"a","parameters":{"top_p":1e999}}', 400, ("parameters.top_p: number out of range "
         "at line 1 column 41")),
        (b'{"inputs":"a","parameters":{"grammar":{"type":"xml","value":1}}}', 422, ("parameters.grammar.type: "
         "unknown variant `xml`, expected one of `json`, `json_object`, `regex`, `json_schema` at line 1 column 51")),
        (b'{1:2}', 400, "key must be a string at line 1 column 2"),
        (b"[" * 200, 422, "[0]: invalid type: sequence, expected a string at line 1 column 1"),
        (b"{}", 422, "missing field `inputs` at line 1 column 2"),
        (b"[]", 422, "invalid length 0, expected struct GenerateRequest with 2 elements at line 1 column 2"),
        (b'"a"', 422, 'invalid type: string "a", expected struct GenerateRequest at line 1 column 3'),
        (b'{"inputs":5}', 422, "inputs: invalid type: integer `5`, expected a string at line 1 column 11"),
        (b'{"inputs":["a"]}', 422, "inputs: invalid type: sequence, expected a string at line 1 column 10"),
        (b'{"inputs":"a","inputs":"b"}', 422, "duplicate field `inputs` at line 1 column 22"),
        (b'{"inputs":"a","parameters":null}', 422, ("parameters: invalid type: null, expected struct "
         "GenerateParameters at line 1 column 31")),
        (b'{"inputs":"a","parameters":{"top_k":3000000000}}', 422, ("parameters.top_k: invalid value: "
         "integer `3000000000`, expected i32 at line 1 column 46")),
        (b'{"inputs":"a","parameters":{"seed":1.0}}', 422, ("parameters.seed: invalid type: floating point "
         "`1.0`, expected u64 at line 1 column 38")),
        (b'{"inputs":"a","parameters":{"details":"yes"}}', 422, ("parameters.details: invalid type: string "
         '"yes", expected a boolean at line 1 column 43')),
        (b'{"inputs":"a","parameters":{"stop":"x"}}', 422, ('parameters.stop: invalid type: string "x", '
         "expected a sequence at line 1 column 38")),
        (b'{"inputs":"a","parameters":{"stop":["x",1]}}', 422, ("parameters.stop[1]: invalid type: integer "
         "`1`, expected a string at line 1 column 41")),
        (b'{"inputs":"a","parameters":{"grammar":{"type":"json"}}}', 422, ("parameters.grammar: missing "
         "field `value` at line 1 column 53")),
    ],
)  # fmt: skip
def test_an_invalid_body_is_rejected_with_serdes_message_as_plain_text(container, body, status, text):
    response = post(f"{container}/generate", body)
    assert (response.status, response.text) == (status, (NOT_JSON if status == 400 else WRONG_SHAPE) + text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("body", [b"{}", b'{"inputs":5}', b'{"messages":"hi"}', b'{"prompt":[]}', b"[]", b"5"])
def test_invocations_gives_no_reason_if_no_shape_matches(container, body):
    response = post(f"{container}/invocations", body)
    assert response.status == 422
    assert response.text == f"{WRONG_SHAPE}data did not match any variant of untagged enum SagemakerRequest"


def test_a_syntax_error_of_invocations_is_reported_with_its_position(container):
    response = post(f"{container}/invocations", b'{"inputs":"a","parameters":{"seed":}}')
    assert response.status == 400
    assert response.text == f"{NOT_JSON}parameters.seed: expected value at line 1 column 36"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": [{"role": "user"}]}, "messages[0]: data did not match any variant of untagged enum MessageBody"),
        ({"messages": [], "stop": "x"}, 'stop: invalid type: string "x", expected a sequence'),
        ({"messages": [], "logit_bias": {"1": 2}}, "logit_bias: invalid type: map, expected a sequence"),
        ({"messages": [], "max_tokens": 1, "max_completion_tokens": 1}, "duplicate field `max_tokens`"),
        ({"messages": [], "response_format": {"type": "json_object"}}, "response_format: missing field `value`"),
        ({"messages": [], "tool_choice": 5}, "tool_choice: data did not match any variant of untagged enum Tool"),
        ({"messages": [], "tools": [{"type": "function"}]}, "tools[0]: missing field `function`"),
        ({"messages": [], "tools": [{"type": "function", "function": {"name": "f"}}]},
         "tools[0].function: missing field `arguments`"),
        ({}, "missing field `messages`"),
    ],
)  # fmt: skip
def test_openai_values_that_tgi_does_not_support_are_rejected_as_plain_text(container, body, text):
    response = post(f"{container}/v1/chat/completions", body)
    assert response.status == 422
    assert response.text.startswith(WRONG_SHAPE + text)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl"])
def test_another_content_type_is_rejected(container, content_type):
    response = call("POST", f"{container}/invocations", b'{"inputs":"a"}', {"content-type": content_type})
    assert (response.status, response.text) == (415, "Expected request with `Content-Type: application/json`")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x+json", "Application/JSON"])
def test_every_json_content_type_is_accepted(container, content_type):
    assert call("POST", f"{container}/generate", b'{"inputs":"a"}', {"content-type": content_type}).status == 200


def test_a_body_over_the_payload_limit_is_rejected(container):
    fits = b'{"inputs":"%b"}' % (b"a" * 987)
    assert len(fits) == 1000
    assert post(f"{container}/generate", fits).status == 200
    response = post(f"{container}/generate", fits + b" ")
    assert (response.status, response.text) == (413, "Failed to buffer the request body: length limit exceeded")


def test_text_after_the_document_is_ignored(container):
    assert post(f"{container}/generate", b'{"inputs":"a"} and more').status == 200


@pytest.mark.parametrize("ignored", [b"1e999", b'"\\ud83e"', b'"\xff"'])
def test_unrepresentable_values_are_accepted_in_unknown_keys(container, ignored):
    assert post(f"{container}/generate", b'{"inputs":"a","x":%b}' % ignored).status == 200
    assert post(f"{container}/invocations", b'{"inputs":"a","x":%b}' % ignored).status == 400


def test_a_struct_can_be_written_as_an_array(container):
    response = post(f"{container}/generate", b'["a", {"max_new_tokens": 2, "details": true}]')
    assert response.json["details"]["generated_tokens"] == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values, st.booleans(), st.sampled_from([None, 2]))
def test_valid_json_is_read_like_pythons_json_module(document, ascii_only, indent):
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    assert read_json(text, value) == json.loads(text)


@given(st.binary(max_size=40))
def test_every_syntax_error_has_a_position(data):
    rejection = None
    try:
        JsonReader(data).value()
    except JsonError as error:
        rejection = error
    assert rejection is None or (rejection.syntax and " at line " in str(rejection))
