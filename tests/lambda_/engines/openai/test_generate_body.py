"""What a container that speaks OpenAI's protocol gets for a request in TGI's words."""

from __future__ import annotations

from typing import Any

import pytest
from front_door import engines
from front_door.generation.generate_request import GenerateRequest, Grammar

NEUTRAL: dict[str, Any] = {
    "prompt": "Hi",
    "temperature": 0,
    "top_p": 1,
    "frequency_penalty": 0.0,
    "presence_penalty": 0,
    "logprobs": 0,
    "return_token_ids": True,
    "stream": True,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    "top_k": 0,
    "min_p": 0,
    "repetition_penalty": 1.0,
    "include_stop_str_in_output": True,
}
"""All that keeps vLLM from its own defaults and the model's generation_config.json."""

SCHEMA = {"type": "object", "properties": {}}
MEMBERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"samples": True, "seed": 5}, {"temperature": 1.0, "seed": 5}),
    ({"samples": True, "seed": 5, "temperature": 0.5}, {"temperature": 0.5, "seed": 5}),
    ({"samples": True, "seed": 5, "top_k": 3}, {"temperature": 1.0, "top_k": 3, "seed": 5}),
    ({"samples": True, "seed": 5, "top_p": 0.9}, {"temperature": 1.0, "top_p": 0.9, "seed": 5}),
    ({"repetition_penalty": 1.3}, {"repetition_penalty": 1.3}),
    ({"frequency_penalty": -0.5}, {"frequency_penalty": -0.5}),
    ({"client_seed": 7}, {}),
    ({"stop": ("a", "b")}, {"stop": ["a", "b"], "include_stop_str_in_output": True}),
    ({"stop": ("",)}, {}),
    ({"stop": ("", "a")}, {"stop": ["a"], "include_stop_str_in_output": True}),
    ({"truncate": 9}, {"truncate_prompt_tokens": 9}),
    ({"decoder_input_details": True}, {"echo": True}),
    ({"samples": True, "seed": 5, "best_of": 2}, {"temperature": 1.0, "n": 2, "seed": 5}),
    # vLLM refuses several texts that are all the same.
    ({"best_of": 2}, {}),
    ({"details": True, "return_full_text": True, "stream": True}, {}),
]


@pytest.mark.parametrize("engine", ["vllm", "lmi"])
@pytest.mark.parametrize(("parameters", "members"), MEMBERS)
def test_vllm_gets_every_value_that_it_would_choose_itself(
    engine: str, parameters: dict[str, Any], members: dict[str, Any]
) -> None:
    body = server(engine).generate_body(GenerateRequest("Hi", **parameters))
    assert body == NEUTRAL | members
    assert next(iter(body)) == "prompt"


@pytest.mark.parametrize(("parameters", "members"), MEMBERS)
def test_another_server_gets_what_is_vllms_own_only_if_it_changes_something(
    parameters: dict[str, Any], members: dict[str, Any]
) -> None:
    of_vllm = ("top_k", "min_p", "repetition_penalty", "include_stop_str_in_output")
    expected = {name: value for name, value in NEUTRAL.items() if name not in of_vllm}
    body = server("openai").generate_body(GenerateRequest("Hi", **parameters))
    assert body == expected | {"stream_options": {"include_usage": True}} | members


def test_grammars_have_each_servers_words() -> None:
    json_, regex = GenerateRequest("Hi", grammar=Grammar(SCHEMA)), GenerateRequest("Hi", grammar=Grammar(regex="a+"))
    assert server("vllm").generate_body(json_)["structured_outputs"] == {"json": SCHEMA}
    assert server("lmi").generate_body(regex)["structured_outputs"] == {"regex": "a+"}
    form = {"type": "json_schema", "json_schema": {"name": "grammar", "schema": SCHEMA}}
    assert server("openai").generate_body(json_)["response_format"] == form
    assert [server(name).generate_problems(regex, {}) for name in ("vllm", "lmi")] == [[], []]
    assert server("openai").generate_problems(json_, {}) == []
    assert server("openai").generate_problems(regex, {}) == [
        "`grammar` of type `regex` is not allowed for this endpoint: use `json`"
    ]


def test_an_old_lmi_has_no_grammars() -> None:
    request = GenerateRequest("Hi", watermark=True, grammar=Grammar(SCHEMA))
    watermark = "`watermark` == true is not allowed for this endpoint: leave it out"
    grammar = "`grammar` is not allowed for this endpoint: it needs LMI 17 or newer"
    versions: dict[str | None, list[str]] = {"16.0.0": [watermark, grammar], "17.0.0": [watermark], None: [watermark]}
    for version, problems in versions.items():
        assert server("lmi").generate_problems(request, {"version": version}) == problems
    assert server("lmi").generate_problems(request._replace(grammar=None), {"version": "15.0.0"}) == [watermark]


@pytest.mark.parametrize("engine", ["vllm", "lmi", "openai"])
@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"temperature": 2.1}, "`temperature` must be > 0.0 and <= 2.0 for this endpoint"),
        ({"typical_p": 0.95}, "`typical_p` is not allowed for this endpoint: leave it out, or use `top_p`"),
        ({"watermark": True}, "`watermark` == true is not allowed for this endpoint: leave it out"),
        ({"client_seed": 2**63}, f"`seed` must be < {2**63} for this endpoint. Given: {2**63}"),
        ({"top_n_tokens": 1}, "`top_n_tokens` != 0 is not allowed for this endpoint"),
        (
            {"stream": True, "decoder_input_details": True},
            "`decoder_input_details` == true is not supported when streaming tokens",
        ),
        ({"temperature": 2, "client_seed": 2**63 - 1, "stream": True}, None),
        ({"decoder_input_details": True}, None),
    ],
)
def test_what_cannot_be_names_the_parameter(engine: str, parameters: dict[str, Any], problem: str | None) -> None:
    found = server(engine).generate_problems(GenerateRequest("Hi", **parameters), {})
    assert found == ([] if problem is None else [problem])


PROCESSED = {"processed_logprobs": True}


@pytest.mark.parametrize(
    ("parameters", "facts", "names"),
    [
        ({}, {}, ()),
        ({"stream": True, "details": True, "decoder_input_details": True, "best_of": 2}, {}, ()),
        ({"frequency_penalty": 0.1}, {}, ("frequency_penalty",)),
        ({"frequency_penalty": 0.1, "details": True}, {}, ("frequency_penalty", "logprobs")),
        ({"frequency_penalty": 0.1, "details": True}, PROCESSED, ("frequency_penalty",)),
        ({"samples": True, "seed": 5}, {}, ()),
        ({"samples": True, "seed": 5, "client_seed": 5}, {}, ("seed",)),
        ({"client_seed": 5}, {}, ()),
        ({"stop": ("a",)}, {}, ("stop",)),
        ({"stop": ("",)}, {}, ()),
        ({"grammar": Grammar(SCHEMA)}, {}, ("grammar",)),
        ({"grammar": Grammar(regex="a")}, {}, ()),
        ({"temperature": 0.5}, {}, ()),
        ({"temperature": 0.5, "details": True}, {}, ("logprobs",)),
        ({"temperature": 0.5, "details": True}, PROCESSED, ()),
        ({"temperature": 0.5, "details": True}, {"processed_logprobs": False}, ("logprobs",)),
        ({"top_k": 3, "stream": True}, {}, ("logprobs",)),
        ({"top_p": 0.3, "best_of": 2}, {}, ("logprobs",)),
        ({"repetition_penalty": 1.1, "decoder_input_details": True}, {}, ("logprobs",)),
        ({"samples": True, "seed": 5, "details": True}, {}, ()),
    ],
)
def test_what_may_differ_is_named_where_it_does(
    parameters: dict[str, Any], facts: dict[str, Any], names: tuple[str, ...]
) -> None:
    request = GenerateRequest("Hi", **parameters)
    assert server("vllm").differences(request, facts) == server("lmi").differences(request, facts) == names
    assert server("openai").differences(request, facts)[: len(names)] == names


def test_what_another_server_may_not_read_is_named() -> None:
    request = GenerateRequest("Hi", top_k=3, repetition_penalty=1.1, truncate=4)
    assert server("openai").differences(request, {}) == ("repetition_penalty", "top_k", "truncate")
    assert server("vllm").differences(request, {}) == ()


def server(name: str) -> Any:
    return engines.of(name)
