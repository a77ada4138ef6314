"""Asynchronous inference: what an instance takes at once, when another one starts, and every mistake at once."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.scaling.async_inference import AsyncRequest, async_problems, async_warnings, plan_async
from constructs_lib.planning.validation.unknown import Unknown

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")
ENDPOINT = EndpointRequest(engine=TGI, model=QWEN, instance=InstanceType.G5_2XLARGE)
PREFIXES = {"input_prefix": "async/input", "output_prefix": "async/output", "failure_prefix": "async/failures"}
ASYNC = AsyncRequest(
    prefixes=PREFIXES,
    max_concurrent_invocations=None,
    request_tokens=None,
    min_instances=0,
    max_instances=1,
    backlog_per_instance=None,
    topics=frozenset(),
    include_response_in=(),
    has_own_input_bucket=False,
)

LATE = "(known at deployment): must be known at synth, as others are worked out from it. Write it as a number."


def planned(*, endpoint=ENDPOINT, **changes):
    return plan_async(replace(ASYNC, **changes), plan(endpoint))


def told(*, endpoint=ENDPOINT, **changes):
    return [str(problem) for problem in async_problems(replace(ASYNC, **changes), plan(endpoint))]


def warned(*, endpoint=ENDPOINT, **changes):
    return [each.message for each in async_warnings(replace(ASYNC, **changes), plan(endpoint))]


def test_an_instance_takes_as_many_requests_at_once_as_its_memory_holds():
    memory = plan(ENDPOINT).memory
    assert planned(request_tokens=8000).max_concurrent_invocations == memory.concurrent_requests(8000) > 4


def test_the_container_s_own_limit_bounds_that():
    limited = replace(ENDPOINT, options=TgiOptions(max_concurrent_requests=6))
    assert planned(endpoint=limited, request_tokens=1000).max_concurrent_invocations == 6
    assert planned(request_tokens=100).max_concurrent_invocations == 128  # TGI's own default


def test_without_facts_about_the_model_there_are_four_at_once():
    unknown = replace(ENDPOINT, model=ModelChoice(source="hub", hub_id="my-org/my-model"))
    assert plan(unknown).memory is None
    assert planned(endpoint=unknown).max_concurrent_invocations == 4
    small = replace(unknown, options=TgiOptions(max_concurrent_requests=2))
    assert planned(endpoint=small).max_concurrent_invocations == 2


def test_of_several_instance_types_the_one_that_holds_the_least_counts():
    alone = planned(request_tokens=8000).max_concurrent_invocations
    both = replace(ENDPOINT, pools=(InstanceType.G6E_XLARGE, InstanceType.G5_2XLARGE))
    assert planned(endpoint=both, request_tokens=8000).max_concurrent_invocations == alone


def test_another_instance_starts_for_four_times_what_one_has_in_progress():
    assert planned(max_concurrent_invocations=6).backlog_per_instance == 24
    assert planned(max_concurrent_invocations=6, backlog_per_instance=2.5).backlog_per_instance == 2.5


def test_the_cooldown_is_half_longer_than_a_start_in_whole_minutes():
    start = 105 + plan(ENDPOINT).load_seconds
    cooldown = planned().scale_out_cooldown
    assert cooldown % 60 == 0
    assert 1.5 * start <= cooldown < 1.5 * start + 60


@pytest.mark.parametrize(("load_seconds", "cooldown"), [(10, 300), (95, 300), (96, 360), (495, 900), (3000, 900)])
def test_the_cooldown_is_5_to_15_minutes(load_seconds, cooldown):
    assert plan_async(ASYNC, replace(plan(ENDPOINT), load_seconds=load_seconds)).scale_out_cooldown == cooldown


def test_the_defaults_have_no_problem():
    assert told() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"max_concurrent_invocations": 0},
            "max_concurrent_invocations=0: must be from 1 to 1000 requests. Raise it to 1 or more.",
        ),
        (
            {"max_concurrent_invocations": 1001},
            "max_concurrent_invocations=1001: must be from 1 to 1000 requests. Lower it to 1000 or less.",
        ),
        (
            {"max_concurrent_invocations": 129},
            (
                "max_concurrent_invocations=129: is more than the container accepts at once: 128 requests"
                " (max_concurrent_requests). Lower it to 128, as requests above that fail, or raise both."
            ),
        ),
        (
            {"max_concurrent_invocations": Unknown()},
            f"max_concurrent_invocations={LATE}",
        ),
        (
            {"min_instances": Unknown()},
            f"min_instances={LATE}",
        ),
        (
            {"backlog_per_instance": Unknown()},
            f"backlog_per_instance={LATE}",
        ),
        (
            {"backlog_per_instance": 0},
            "backlog_per_instance=0: must be above 0. Choose a number in that range, or leave it out.",
        ),
        (
            {"request_tokens": 10**6},
            "request_tokens=1000000: must be from 1 to 32768 tokens. Lower it to 32768 or less.",
        ),
        ({"min_instances": -1}, "min_instances=-1: must be from 0 to 4294967295 instances. Raise it to 0 or more."),
        ({"max_instances": 0}, "max_instances=0: must be from 1 to 4294967295 instances. Raise it to 1 or more."),
        (
            {"min_instances": 3, "max_instances": 2},
            "min_instances=3: must be at most max_instances=2. Lower min_instances, or raise max_instances.",
        ),
        (
            {"include_response_in": "success"},
            (
                "include_response_in='success': must be a list of 'success' and 'error', not str. Write"
                ' ["success"], for example.'
            ),
        ),
        (
            {"include_response_in": ("failure",)},
            "include_response_in='failure': must be one of 'success', 'error'. Use one of those.",
        ),
        (
            {"include_response_in": ("error",), "topics": frozenset({"success"})},
            (
                "include_response_in='error': requires error_topic: there is no such notification. Set error_topic, or"
                " leave it out."
            ),
        ),
    ],
)
def test_a_wrong_argument_is_told_with_its_value_and_fix(changes, message):
    assert told(**changes) == [message]


@pytest.mark.parametrize("prefix", ["/requests", "s3://bucket/requests", "a//b", "a b", "ü", 7, "x" * 444])
def test_a_prefix_that_s3_or_sagemaker_would_read_otherwise_is_refused(prefix):
    (message,) = told(prefixes={**PREFIXES, "input_prefix": prefix})
    assert message.startswith("input_prefix=")


@pytest.mark.parametrize("prefix", ["requests", "requests/", "team-a/2026.11/!_'()*", "x" * 443])
def test_other_prefixes_are_right(prefix):
    assert told(prefixes={**PREFIXES, "input_prefix": prefix}) == []


@pytest.mark.parametrize(
    ("changes", "inner", "outer"),
    [
        ({"input_prefix": "async/output/requests"}, "input_prefix", "output_prefix"),
        ({"output_prefix": "async/input"}, "output_prefix", "input_prefix"),
        ({"input_prefix": ""}, "output_prefix", "input_prefix"),
        ({"failure_prefix": "async/output/"}, "failure_prefix", "output_prefix"),
    ],
)
def test_no_folder_is_inside_another_as_who_writes_requests_could_write_answers(changes, inner, outer):
    prefixes = PREFIXES | changes
    first = told(prefixes=prefixes)[0]
    assert first == (
        f"{inner}={prefixes[inner]!r}: is inside {outer}={prefixes[outer]!r} of the same bucket. Give requests, answers"
        " and failures a folder each, none inside another."
    )


def test_folders_with_the_same_beginning_are_beside_each_other():
    assert told(prefixes={"input_prefix": "a", "output_prefix": "ab", "failure_prefix": "abc/d"}) == []


def test_requests_may_have_a_bucket_of_their_own_and_all_of_it():
    own = {"has_own_input_bucket": True}
    assert told(prefixes={**PREFIXES, "input_prefix": ""}, **own) == []
    assert told(prefixes={**PREFIXES, "input_prefix": "async/output"}, **own) == []
    assert len(told(prefixes={**PREFIXES, "failure_prefix": "async/output"}, **own)) == 1


def test_a_prefix_that_only_the_deployment_knows_is_not_compared():
    assert told(prefixes={**PREFIXES, "input_prefix": Unknown()}) == []


def test_few_requests_at_once_bring_a_warning_that_says_how_to_have_more():
    (message,) = warned()
    assert message.startswith("An instance has 1 request in progress at once, as the longest request has 32768 tokens")
    (message,) = warned(endpoint=replace(ENDPOINT, options=TgiOptions(max_total_tokens=16000)))
    assert message.startswith("An instance has 3 requests in progress at once, as the longest request has 16000 tokens")
    assert warned(request_tokens=32000) == []
    assert warned(max_concurrent_invocations=1) == []
    assert warned(endpoint=replace(ENDPOINT, options=TgiOptions(max_total_tokens=4096))) == []


def test_subnets_that_do_not_reach_s3_bring_a_warning():
    found = {
        reaches: [each.id for each in async_warnings(replace(ASYNC, request_tokens=100), plan(ENDPOINT), reaches)]
        for reaches in (True, None, False)
    }
    assert found == {True: [], None: [], False: ["tgi-endpoint:asyncNeedsS3"]}
