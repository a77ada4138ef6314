"""The command compare."""

import json

import pytest

from constructs_lib.cli.engine import planned_engines
from constructs_lib.planning.engines import engine_named

LLAMA = ("compare", "--model", "meta-llama/Llama-3.1-8B-Instruct")


def compared(run, *arguments):
    return {one["engine"]: one for one in json.loads(run(*LLAMA, *arguments, "--json").out)["engines"]}


def test_every_engine_whose_memory_is_planned_is_compared(run):
    assert tuple(compared(run)) == planned_engines()


def test_each_engine_has_the_instance_that_plan_finds_cheapest(run):
    for name, one in compared(run, "--tokens", 4096, "--concurrency", 8).items():
        alone = json.loads(
            run("plan", *LLAMA[1:], "--engine", name, "--tokens", 4096, "--concurrency", 8, "--json").out
        )
        assert (one["cheapest"] or {}).get("instance") == alone["cheapest"]
        assert one["warnings"] == alone["warnings"]
        assert one["version"] == engine_named(name).images.newest


def test_the_cheapest_engine_is_on_top(run):
    rows = run("compare", "--model", "meta-llama/Llama-3.3-70B-Instruct", "--tokens", 8192, "--concurrency", 16).out
    prices = [float(line.split()[-2].strip("~")) for line in rows.splitlines() if " ml." in line and " × " in line]
    assert len(prices) > 1
    assert prices == sorted(prices)


def test_an_engine_that_cannot_serve_it_says_why(run):
    outcome = run(*LLAMA, "--instance", "ml.inf2.xlarge")
    rows = outcome.out.split("CANNOT SERVE")[1].splitlines()[1:]
    assert {row.split()[0] for row in rows if row} >= {"TGI", "SGLang", "LMI"}
    assert all("It has Inferentia2, but" in row for row in rows if row.startswith(("TGI 3", "SGLang", "LMI")))


def test_only_the_named_instances_are_compared(run):
    found = compared(run, "--instance", "ml.g6.xlarge")
    assert {one["cheapest"]["instance"] for one in found.values() if one["fits"]} == {"ml.g6.xlarge"}


def test_the_status_says_whether_any_engine_serves_it(run):
    model = ("compare", "--model", "meta-llama/Llama-3.1-405B-Instruct", "--instance", "ml.g5.xlarge")
    assert (run(*LLAMA).status, run(*model).status) == (0, 1)


def test_the_notes_of_an_engine_are_a_command_away(run):
    outcome = run(*LLAMA, "--instance", "ml.g5.2xlarge")
    assert "plan --engine sglang --instance ml.g5.2xlarge" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--model: is missing"),
        (("--model", "meta-lama/Llama-3.1-8B-Instruct"), "Did you mean meta-llama/Llama-3.1-8B-Instruct?"),
        (("--model", "Qwen/Qwen3-8B", "--tokens", "0"), "--tokens '0': must be an integer"),
        (("--model", "Qwen/Qwen3-8B", "--region", "mars-1"), "--region 'mars-1': is not known."),
        (("--model", "Qwen/Qwen3-8B", "--engine", "tgi"), "--engine: is not known"),
    ],
)
def test_a_mistake_is_a_usage_error(run, arguments, message):
    outcome = run("compare", *arguments)
    assert outcome.status == 2
    assert message in outcome.err
