"""What SageMaker's entrypoints of vLLM and SGLang make of variables, and what is written for them."""

import pytest

from constructs_lib.planning.engines.sagemaker_arguments import Entrypoint, Reading, sglang_arguments, vllm_arguments
from constructs_lib.planning.validation.unknown import Unknown

WHOLE = frozenset(("allowed_origins",))


def entrypoint(reading):
    return Entrypoint(prefix="SM_VLLM_", reading=reading, whole_arrays=WHOLE)


VALUES, BOOLEANS, ARRAYS = map(entrypoint, Reading)

# value → what follows --x-y of SM_VLLM_X_Y, oldest entrypoint first; None if the flag is left out. What the scripts
# themselves print for it, at the commits in the module.
READ = {
    "4096": (["4096"], ["4096"], ["4096"]),
    "": ([], [], []),
    "true": (["true"], [], []),
    "True": (["True"], [], []),
    "false": (["false"], None, None),
    " true ": ([" true "], [" true "], []),
    "a b": (["a b"], ["a b"], ["a b"]),
    "a=b": (["a=b"], ["a=b"], ["a=b"]),
    "a=": (["a"], ["a"], ["a="]),
    "a==": (["a=="], ["a=="], ["a=="]),
    "[]": (["[]"], ["[]"], None),
    '["a", "b"]': (['["a", "b"]'], ['["a", "b"]'], ["a", "b"]),
    '[{"name": "a"}, true, null, 1.5, [1]]': (
        ['[{"name": "a"}, true, null, 1.5, [1]]'],
        ['[{"name": "a"}, true, null, 1.5, [1]]'],
        ['{"name":"a"}', "true", "", "1.5", "[1]"],
    ),
    "[1": (["[1"], ["[1"], ["[1"]),
    '{"a": 1}': (['{"a": 1}'], ['{"a": 1}'], ['{"a": 1}']),
    '{"a": 1} {"b": 2}': (['{"a": 1} {"b": 2}'], ['{"a": 1} {"b": 2}'], ['{"a":1}', '{"b":2}']),
    "{% if x %}{{ x }}": (["{% if x %}{{ x }}"], ["{% if x %}{{ x }}"], ["{% if x %}{{ x }}"]),
    "a\nb": (["a"], ["a"], ["a\nb"]),
}


@pytest.mark.parametrize(
    ("text", "reading", "expected"),
    [(text, reading, after) for text, row in READ.items() for reading, after in zip(Reading, row, strict=True)],
)
def test_what_an_entrypoint_makes_of_a_value_depends_on_its_age(text, reading, expected):
    arguments = entrypoint(reading).arguments({"SM_VLLM_X_Y": text, "OTHER": "1"})
    assert arguments == ([] if expected is None else ["--x-y", *expected])


def test_a_second_line_that_begins_with_the_prefix_is_a_variable_of_its_own():
    environment = {"SM_VLLM_A": "1\nSM_VLLM_B=2"}
    assert BOOLEANS.arguments(environment) == ["--a", "1", "--b", "2"]
    assert ARRAYS.arguments(environment) == ["--a", "1\nSM_VLLM_B=2"]


def test_only_the_newest_entrypoint_sorts_variables():
    environment = {"SM_VLLM_B": "2", "SM_VLLM_A": "1"}
    assert BOOLEANS.arguments(environment) == ["--b", "2", "--a", "1"]
    assert ARRAYS.arguments(environment) == ["--a", "1", "--b", "2"]


def test_an_array_stays_one_argument_where_the_server_wants_it():
    assert ARRAYS.arguments({"SM_VLLM_ALLOWED_ORIGINS": '["a","b"]'}) == ["--allowed-origins", '["a","b"]']
    assert ARRAYS.variables("allowed_origins", ["a", "b"]) == {"SM_VLLM_ALLOWED_ORIGINS": '["a","b"]'}
    assert ARRAYS.problem("options.allowed_origins", "allowed_origins", ["a", "b"]) is None


def test_a_flag_that_is_on_by_default_is_switched_off_by_another_variable():
    assert BOOLEANS.variables("enforce_eager", True) == {"SM_VLLM_ENFORCE_EAGER": "true"}
    assert BOOLEANS.variables("enforce_eager", False) == {}
    off = BOOLEANS.variables("enable_prefix_caching", False, on_by_default=True)
    assert off == {"SM_VLLM_NO_ENABLE_PREFIX_CACHING": "true"}
    assert BOOLEANS.arguments(off) == ["--no-enable-prefix-caching"]


def test_a_flag_of_the_oldest_entrypoint_has_no_value():
    assert VALUES.variables("enforce_eager", True) == {"SM_VLLM_ENFORCE_EAGER": ""}
    assert VALUES.arguments({"SM_VLLM_ENFORCE_EAGER": ""}) == ["--enforce-eager"]


@pytest.mark.parametrize(
    ("value", "text", "arguments"),
    [
        (4096, "4096", ["4096"]),
        (0.92, "0.92", ["0.92"]),
        ("true", '["true"]', ["true"]),
        ("", '[""]', [""]),
        ('["a","b"]', '["[\\"a\\",\\"b\\"]"]', ['["a","b"]']),
        ({"method": "ngram", "n": 4}, '{"method":"ngram","n":4}', ['{"method":"ngram","n":4}']),
        (["a", "b"], '["a","b"]', ["a", "b"]),
        ([{"name": "a"}, {"name": "b"}], '[{"name":"a"},{"name":"b"}]', ['{"name":"a"}', '{"name":"b"}']),
        ("a\nb", "a\nb", ["a\nb"]),
    ],
)
def test_the_newest_entrypoint_gives_the_server_every_value(value, text, arguments):
    assert ARRAYS.variables("x_y", value) == {"SM_VLLM_X_Y": text}
    assert ARRAYS.arguments({"SM_VLLM_X_Y": text}) == ["--x-y", *arguments]
    assert ARRAYS.problem("options.x_y", "x_y", value) is None


@pytest.mark.parametrize("reading", Reading)
def test_no_values_are_no_variable(reading):
    assert entrypoint(reading).variables("x_y", []) == {}
    assert entrypoint(reading).problem("options.x_y", "x_y", []) is None


@pytest.mark.parametrize("reading", [Reading.VALUES, Reading.BOOLEANS])
def test_one_of_several_values_works_everywhere(reading):
    assert entrypoint(reading).variables("x_y", [{"name": "a"}]) == {"SM_VLLM_X_Y": '{"name":"a"}'}
    assert entrypoint(reading).problem("options.x_y", "x_y", [{"name": "a"}]) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            ["a", "b"],
            (
                "options.x_y=['a', 'b']: are several values, of which the entrypoint of this image makes one argument."
                " Give one, or choose a newer image."
            ),
        ),
        (
            "a\nb",
            (
                "options.x_y='a\\nb': has several lines, of which the entrypoint of this image reads the first. Write"
                " it in one line, or store it in a file beside the weights and give its path."
            ),
        ),
        (
            "true",
            (
                "options.x_y='true': is changed by the entrypoint of this image on its way to the server. Write it in"
                " another way."
            ),
        ),
        (
            "a=",
            (
                "options.x_y='a=': is changed by the entrypoint of this image on its way to the server. Write it in"
                " another way."
            ),
        ),
    ],
)
def test_what_an_older_entrypoint_cannot_give_the_server_is_a_problem(value, message):
    assert str(BOOLEANS.problem("options.x_y", "x_y", value)) == message


def test_a_value_of_the_deployment_is_written_as_it_is():
    value = Unknown("${Token[1]}")
    assert BOOLEANS.variables("x_y", value) == {"SM_VLLM_X_Y": value}
    assert BOOLEANS.problem("options.x_y", "x_y", value) is None


def test_vllm_serves_the_model_that_is_named_else_the_artifact_else_that_of_the_hub():
    hub, named = {"HF_MODEL_ID": "a/b"}, {"HF_MODEL_ID": "a/b", "SM_VLLM_MODEL": "c/d"}
    assert vllm_arguments(BOOLEANS, named, has_artifact=True) == ["--port", "8080", "--model", "c/d"]
    assert vllm_arguments(BOOLEANS, hub, has_artifact=True) == ["--port", "8080", "--model", "/opt/ml/model"]
    assert vllm_arguments(BOOLEANS, hub, has_artifact=False) == ["--port", "8080", "--model", "a/b"]
    assert vllm_arguments(VALUES, hub, has_artifact=True) == ["--port", "8080"]


def test_sglang_serves_the_artifact_unless_a_model_is_named():
    reads = Entrypoint(prefix="SM_SGLANG_", reading=Reading.BOOLEANS, ignored=frozenset(("SM_SGLANG_ENGINE",)))
    assert sglang_arguments(reads, {"SM_SGLANG_MODEL_PATH": "a/b", "SM_SGLANG_ENGINE": "llm"}) == [
        "--model-path",
        "a/b",
        "--port",
        "8080",
        "--host",
        "0.0.0.0",
    ]
    assert sglang_arguments(reads, {"HF_MODEL_ID": "a/b"})[-2:] == ["--model-path", "/opt/ml/model"]
