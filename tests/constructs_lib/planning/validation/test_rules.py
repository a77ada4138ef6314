"""The messages for values that are wrong by themselves."""

import math

import pytest

from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS

JUNK = ["", " ", "naïve ☃", "1", True, 0, -1, 10**5000, 1.5, math.nan, math.inf, b"x", [], [None], {}, object(), "\x00"]


@pytest.mark.parametrize("keyword", [option.keyword for option in OPTIONS])
def test_no_junk_escapes_as_an_exception_or_reaches_the_environment_unchecked(keyword, planning):
    option = next(option for option in OPTIONS if option.keyword == keyword)
    for junk in JUNK:
        plan = planning(options={keyword: junk})
        refused = any(problem.keyword == f"options.{keyword}" for problem in plan.problems)
        assert refused or option.rule.validate(junk) is None
        assert all(isinstance(text, str) and text for text in plan.environment.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"speculate": "2"}, "options.speculate='2': must be a whole number, not str. Write 2."),
        ({"speculate": "two"}, "options.speculate='two': must be a whole number, not str. Give an int."),
        ({"speculate": True}, "options.speculate=True: must be a whole number, not bool. Give an int."),
        ({"speculate": 1.0}, "options.speculate=1.0: must be a whole number, not float. Give an int."),
        ({"max_best_of": 0}, "options.max_best_of=0: must be from 1 to 4294967295. Raise it to 1 or more."),
        (
            {"prometheus_port": 65536},
            "options.prometheus_port=65536: must be from 1 to 65535. Lower it to 65535 or less.",
        ),
        (
            {"max_best_of": 10**5000},
            "options.max_best_of=(too long to show): must be from 1 to 4294967295. Lower it to 4294967295 or less.",
        ),
        (
            {"cuda_memory_fraction": "0.9"},
            "options.cuda_memory_fraction='0.9': must be a number, not str. Give a float, or leave it out.",
        ),
        (
            {"cuda_memory_fraction": math.nan},
            (
                "options.cuda_memory_fraction=nan: must be above 0 and at most 1."
                " Choose a number in that range, or leave it out."
            ),
        ),
        (
            {"tgi_wiggle_room": 1},
            (
                "options.tgi_wiggle_room=1: must be between 0 and 1, both excluded."
                " Choose a number in that range, or leave it out."
            ),
        ),
        (
            {"waiting_served_ratio": -0.1},
            "options.waiting_served_ratio=-0.1: must be 0 or more. Choose a number in that range, or leave it out.",
        ),
        (
            {"rope_factor": 0},
            "options.rope_factor=0: must be above 0. Choose a number in that range, or leave it out.",
        ),
        (
            {"rope_factor": 1e300},
            "options.rope_factor=1e+300: must be above 0, up to 3e+38. Choose a number in that range, or leave it out.",
        ),
        (
            {"watermark_delta": math.inf},
            "options.watermark_delta=inf: must be a finite number. Choose a number in that range, or leave it out.",
        ),
        (
            {"json_output": "true"},
            "options.json_output='true': must be True or False, not str. Give a bool, or leave it out.",
        ),
        (
            {"dtype": "f32"},
            "options.dtype='f32': must be one of float16, bfloat16. Use a member of Dtype, or leave it out.",
        ),
        (
            {"huggingface_hub_cache": "data"},
            (
                "options.huggingface_hub_cache='data': must be an absolute path of printable ASCII characters."
                " Write it in that form, or leave it out."
            ),
        ),
        (
            {"otlp_service_name": 5},
            "options.otlp_service_name=5: must be a string, not int. Give a str, or leave it out.",
        ),
        (
            {"otlp_service_name": " "},
            "options.otlp_service_name=' ': must not be empty. Give it a value, or leave it out.",
        ),
        (
            {"otlp_service_name": "a\nb"},
            "options.otlp_service_name='a\\nb': must not contain control characters or invalid Unicode. Remove them.",
        ),
        (
            {"master_addr": "a" * 1025},
            (
                f"options.master_addr='{'a' * 119}… (1027 characters): must have at most 1024 characters, has 1025."
                " Shorten it."
            ),
        ),
        ({"cuda_graphs": "1,2"}, "options.cuda_graphs='1,2': must be a list, not str. Put it in square brackets."),
        (
            {"cuda_graphs": [1, "2"]},
            "options.cuda_graphs=[1, '2']: has the item '2', which must be a whole number, not str. Write 2.",
        ),
        ({"lora_adapters": []}, "options.lora_adapters=[]: must not be empty. Give it a value, or leave it out."),
        (
            {"lora_adapters": ["a@b@c"]},
            (
                "options.lora_adapters=['a@b@c']: has the item 'a@b@c', which must be an adapter: id, id@revision,"
                " name=/path or name=/path@revision. Write it in that form, or leave it out."
            ),
        ),
    ],
)
def test_the_message_for_a_wrong_value(options, words, refusals):
    assert refusals(options=options) == [words]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("cuda_memory_fraction", 1),
        ("waiting_served_ratio", 0),
        ("speculate", 0),
        ("max_waiting_tokens", 0),
        ("max_stop_sequences", 0),
        ("max_top_n_tokens", 0),
        ("graceful_termination_timeout", 0),
        ("max_best_of", 1),
        ("max_concurrent_requests", 2**32 - 1),
        ("prometheus_port", 1),
        ("prometheus_port", 65535),
    ],
)
def test_the_ends_of_a_range_are_accepted(keyword, value, refusals):
    assert refusals(options={keyword: value}) == []
