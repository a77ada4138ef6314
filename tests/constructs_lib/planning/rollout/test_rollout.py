"""The figures of a rollout: defaults, SageMaker's limits, and every mistake at once."""

from dataclasses import replace

import pytest
from botocore.session import get_session

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.rollout.plan import LONGEST_LIMIT, PERCENT, SHORTEST_LIMIT, plan_rollout, replaced
from constructs_lib.planning.rollout.problems import (
    MAX_ALARMS,
    alarm_count_problems,
    figure_problems,
    rollout_problems,
    rollout_warnings,
)
from constructs_lib.planning.rollout.request import BatchSize, Replaced, RolloutRequest, Strategy
from constructs_lib.planning.validation.unknown import UNKNOWN

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")
ENDPOINT = EndpointRequest(engine=TGI, model=QWEN, instance=InstanceType.G5_2XLARGE)
TWO = Replaced(unit="instances", least=2, most=2, start_seconds=500, start_limit_seconds=1800, is_scarce=False)
ONE, FOUR = replace(TWO, least=1, most=1), replace(TWO, least=4, most=4)
COPIES = replace(FOUR, unit="copies")
ZERO = replace(COPIES, least=0, goes_to_zero=True)
UNKNOWN_COUNT = replace(TWO, least=None, most=None)


def asked(strategy, **figures):
    return RolloutRequest(strategy=Strategy(strategy.upper()), **figures)


def size(request, what):
    found = plan_rollout(request, what).size
    return None if found is None else (found.kind, found.value)


def told(strategy, what=FOUR, **figures):
    request = asked(strategy, **figures)
    return [str(problem) for problem in (list(figure_problems(request)) or list(rollout_problems(request, what)))]


def warned(strategy, what=FOUR, **figures):
    return {each.id: each.message for each in rollout_warnings(asked(strategy, **figures), what)}


def of(instance=InstanceType.G5_2XLARGE, is_reserved=False, count=2, **changes):
    request = replace(ENDPOINT, instance=instance, **changes)
    return replaced(request, plan(request), unit="instances", least=count, most=count, is_reserved=is_reserved)


@pytest.mark.parametrize("what", [ONE, UNKNOWN_COUNT, replace(FOUR, variants=2), ZERO])
def test_the_default_is_all_at_once_where_sagemaker_may_have_nothing_to_roll(what):
    found = plan_rollout(None, what)
    assert (found.strategy, found.size, found.wait_seconds) == ("ALL_AT_ONCE", None, 0)
    assert found.termination_wait_seconds == 300, "alarms are heard before the old instances are gone"


@pytest.mark.parametrize("what", [TWO, FOUR, replace(TWO, most=9), COPIES])
def test_the_default_for_two_or_more_is_rolling_by_half(what):
    found = plan_rollout(None, what)
    assert (found.strategy, found.size) == ("ROLLING", BatchSize("percent", 50))
    assert (found.wait_seconds, found.termination_wait_seconds, found.rollback_size) == (300, 0, None)


@pytest.mark.parametrize(
    ("least", "most", "batch"),
    [(2, 2, ("count", 1)), (4, 20, ("count", 1)), (4, 21, ("percent", 25)), (2, 40, ("percent", 50))],
)
def test_scarce_instances_are_rolled_by_the_smallest_batch_that_sagemaker_takes_at_any_number(least, most, batch):
    found = plan_rollout(None, replace(TWO, least=least, most=most, is_scarce=True))
    assert found.size == found.rollback_size == BatchSize(*batch)
    for number in range(least, most + 1):
        instances = batch[1] if batch[0] == "count" else number * batch[1] / 100
        assert 1 <= instances <= max(1, number / 2)
        assert instances >= number * 0.05


@pytest.mark.parametrize(
    ("instance", "scarce"),
    [
        (InstanceType.G5_2XLARGE, False),
        (InstanceType.G6E_12XLARGE, False),
        (InstanceType.P4D_24XLARGE, True),
        (InstanceType.P5_48XLARGE, True),
        (InstanceType.P5EN_48XLARGE, True),
        (InstanceType.P6_B200_48XLARGE, True),
    ],
)
def test_p4_and_newer_are_scarce_and_so_is_what_is_reserved(instance, scarce):
    assert of(instance).is_scarce is scarce
    assert of(instance, is_reserved=True).is_scarce
    pools = (InstanceType.G5_12XLARGE, instance)
    assert of(pools=pools).is_scarce is scarce


@pytest.mark.parametrize(
    ("strategy", "figures", "what", "expected"),
    [
        ("all_at_once", {}, FOUR, None),
        ("canary", {}, FOUR, ("count", 1)),
        ("canary", {"percent": 30}, FOUR, ("percent", 30)),
        ("linear", {}, FOUR, ("percent", 25)),
        ("linear", {}, replace(FOUR, least=3), ("percent", 34)),
        ("linear", {}, TWO, ("percent", 50)),
        ("linear", {}, UNKNOWN_COUNT, ("percent", 50)),
        ("linear", {"count": 2}, FOUR, ("count", 2)),
        ("rolling", {}, FOUR, ("percent", 50)),
        ("rolling", {}, UNKNOWN_COUNT, ("percent", 50)),
        ("rolling", {}, replace(FOUR, is_scarce=True), ("count", 1)),
        ("rolling", {}, ZERO, ("count", 1)),
        ("rolling", {"percent": 25}, replace(FOUR, is_scarce=True), ("percent", 25)),
    ],
)
def test_a_step_or_batch_is_what_the_caller_says_else_at_least_one_whole_instance(strategy, figures, what, expected):
    assert size(asked(strategy, **figures), what) == expected
    assert told(strategy, what, **figures) == []


def test_a_rollback_is_in_batches_where_instances_are_scarce_and_where_the_caller_says_so():
    assert plan_rollout(asked("rolling"), FOUR).rollback_size is None
    assert plan_rollout(asked("rolling", rolls_back_in_batches=True), FOUR).rollback_size == BatchSize("percent", 50)
    scarce = replace(FOUR, is_scarce=True)
    assert plan_rollout(asked("rolling"), scarce).rollback_size == BatchSize("count", 1)
    assert plan_rollout(asked("rolling", rolls_back_in_batches=False), scarce).rollback_size is None
    assert plan_rollout(asked("canary"), scarce).rollback_size is None


@pytest.mark.parametrize(
    ("strategy", "figures", "what", "seconds"),
    [
        ("all_at_once", {}, ONE, 1800 + 300),
        ("canary", {}, FOUR, 1800 + 2 * 300),
        ("canary", {"wait_seconds": 600, "termination_wait_seconds": 60}, FOUR, 1800 + 2 * 600 + 60),
        ("linear", {}, FOUR, 1800 + 4 * 300),
        ("rolling", {}, FOUR, 2 * (1800 + 300)),
        ("rolling", {"count": 1}, FOUR, 4 * (1800 + 300)),
        ("rolling", {}, replace(TWO, most=3), 3 * (1800 + 300)),
        ("rolling", {"count": 1}, UNKNOWN_COUNT, 28800),
        ("all_at_once", {"termination_wait_seconds": 0}, replace(ONE, start_limit_seconds=300), 600),
    ],
)
def test_the_time_limit_is_what_sagemaker_allows_each_start_and_the_waits(strategy, figures, what, seconds):
    assert plan_rollout(asked(strategy, **figures), what).time_limit_seconds == seconds


def test_half_of_three_may_be_one_so_that_three_batches_have_time():
    assert BatchSize("percent", 50).batches(3, 3, 5) == 3
    assert BatchSize("percent", 50).batches(2, 2, 5) == 2
    assert BatchSize("percent", 50).batches(None, None, 5) == 2


def test_a_start_may_take_as_long_as_the_endpoints_own_limits_allow():
    planned = plan(ENDPOINT)
    assert of().start_limit_seconds == 600 + planned.startup_timeout_seconds
    assert of(startup_timeout_seconds=3000).start_limit_seconds == 600 + 3000
    assert of(instance_provision_timeout_seconds=1200).start_limit_seconds == 1200 + planned.startup_timeout_seconds
    assert of(startup_timeout_seconds=UNKNOWN).start_limit_seconds == 600 + 3600
    assert of().start_seconds == 105 + planned.load_seconds


@pytest.mark.parametrize(("strategy", "method"), [("canary", "canary"), ("linear", "linear"), ("rolling", "rolling")])
def test_what_one_instance_cannot_do_is_rejected(strategy, method):
    fix = "Write Rollout.all_at_once(…), or run at least 2: instance_count, and min_instances of auto_scale."
    message = "moves at most half of the instances at once, and the endpoint may have 1"
    assert told(strategy, ONE) == [f"rollout=Rollout.{method}(…): {message}. {fix}"]
    assert told(strategy, replace(ONE, most=4)) == told(strategy, ONE), "the smallest number counts"
    fix = fix.replace("auto_scale.", "auto_scale, of each variant.")
    message = "moves at most half of the instances at once, and one of its 2 variants may have 1"
    if strategy != "rolling":
        assert told(strategy, replace(ONE, variants=2)) == [f"rollout=Rollout.{method}(…): {message}. {fix}"]
    assert told("all_at_once", ONE) == []
    assert told(strategy, UNKNOWN_COUNT) == []


def test_one_copy_cannot_be_rolled_either():
    assert told("rolling", replace(COPIES, least=1)) == [
        (
            "rollout=Rollout.rolling(…): replaces copies in batches of at most half of them, and the model may have 1."
            " Leave it out, or raise the least copies to 2."
        )
    ]
    assert told("rolling", replace(ZERO, most=1)) == [
        (
            "rollout=Rollout.rolling(…): replaces copies in batches of at most half of them, and the model has at most"
            " one. Leave it out, or raise max_copies of ScaleToZero to 2."
        )
    ]


@pytest.mark.parametrize(("strategy", "method"), [("canary", "canary"), ("linear", "linear")])
def test_copies_of_an_inference_component_have_no_steps(strategy, method):
    assert told(strategy, COPIES) == [
        (
            f"rollout=Rollout.{method}(…): is for instances: SageMaker replaces the copies of an inference component in"
            " batches or all at once. Write Rollout.rolling(…), or leave it out."
        )
    ]


@pytest.mark.parametrize(
    "figures", [{"has_alarms": True}, {"termination_wait_seconds": 0}, {"time_limit_seconds": 900}]
)
def test_copies_that_are_replaced_all_at_once_have_no_alarms_and_no_figures(figures):
    assert told("all_at_once", COPIES) == []
    assert told("all_at_once", COPIES, **figures) == [
        (
            "rollout=Rollout.all_at_once(…): has no figures and no alarms for copies: SageMaker watches alarms only"
            " between batches of them. Write Rollout.rolling(alarms=[…]), or leave the figures out."
        )
    ]


def test_several_variants_are_not_rolled():
    assert told("rolling", replace(FOUR, variants=2)) == [
        (
            "rollout=Rollout.rolling(…): is for one variant: SageMaker cannot roll the 2 variants of this endpoint in"
            " batches. Write Rollout.all_at_once(…), or remove the other variants."
        )
    ]
    assert told("canary", replace(FOUR, variants=2)) == []


@pytest.mark.parametrize(
    ("strategy", "figures", "problem"),
    [
        ("canary", {"percent": 51}, "percent=51: must be from 1 to 50 percent. Lower it to 50 or less."),
        ("linear", {"percent": 9}, "percent=9: must be from 10 to 50 percent. Raise it to 10 or more."),
        ("rolling", {"percent": 4}, "percent=4: must be from 5 to 50 percent. Raise it to 5 or more."),
        ("rolling", {"percent": 24}, "percent=24: is less than one of 4 instances. Write 25 or more, or count=1."),
        (
            "canary",
            {"count": 3},
            "count=3: is more than half of 4 instances, which is the most that SageMaker takes. Write 2 or less.",
        ),
        ("canary", {"count": 0}, "count=0: must be from 1 to 4294967295. Raise it to 1 or more."),
        ("rolling", {"count": True}, "count=True: must be a whole number, not bool. Give an int."),
        ("rolling", {"count": 1, "percent": 25}, "count=1: says the same as percent=25. Leave one of them out."),
        ("rolling", {"wait_seconds": 3601}, "wait=3601: must be from 0 to 3600 seconds. Lower it to 3600 or less."),
        (
            "canary",
            {"termination_wait_seconds": 7200},
            "termination_wait=7200: must be from 0 to 3600 seconds. Lower it to 3600 or less.",
        ),
        (
            "rolling",
            {"time_limit_seconds": 599},
            "time_limit=599: must be from 600 to 28800 seconds. Raise it to 600 or more.",
        ),
        (
            "rolling",
            {"rolls_back_in_batches": 1},
            "rollback_in_batches=1: must be True or False, not int. Give a bool, or leave it out.",
        ),
        (
            "rolling",
            {"wait_seconds": UNKNOWN},
            (
                "wait=(known at deployment): must be known at synth, as it is checked against the number of instances"
                " and the time limit. Write it as a number."
            ),
        ),
        (
            "rolling",
            {"time_limit_seconds": 600},
            (
                "time_limit=600: must be more than the 600 seconds that the rollout waits in all. Raise it, or leave it"
                " out."
            ),
        ),
    ],
)
def test_a_wrong_figure_is_rejected_with_what_to_write(strategy, figures, problem):
    assert told(strategy, **figures) == [f"rollout.{problem}"]


def test_a_batch_must_be_right_for_every_number_of_instances():
    wide = replace(TWO, least=4, most=30)
    assert told("rolling", wide, count=1) == [
        (
            "rollout.count=1: is less than 5 % of 30 instances, which is the least that SageMaker takes. Write 2 or"
            " more, or percent."
        )
    ]
    assert told("rolling", wide, count=2) == []
    assert told("linear", wide, count=2) == [
        (
            "rollout.count=2: is less than 10 % of 30 instances, which is the least that SageMaker takes. Write 3 or"
            " more, or percent."
        )
    ]


def test_waits_that_take_longer_than_sagemaker_allows_are_rejected():
    assert told("rolling", replace(FOUR, least=10, most=10), count=1, wait_seconds=3600) == [
        (
            "rollout.wait=3600: makes the rollout wait 36000 seconds in all, and SageMaker ends it after 28800. Shorten"
            " it, or make the batches larger."
        )
    ]


def test_all_wrong_figures_are_told_at_once():
    assert len(told("rolling", wait_seconds=-1, percent=0, time_limit_seconds=1)) == 3


def test_a_time_limit_below_the_estimate_is_a_warning():
    assert warned("rolling", time_limit_seconds=1600) == {}
    assert warned("rolling", time_limit_seconds=1599) == {
        "tgi-endpoint:rolloutTimeLimit": "rollout.time_limit=1599 seconds is less than the 1600 that the rollout is"
        " expected to take: 500 for each start, and the waits. SageMaker would roll it back. Leave it out, or make the"
        " batches larger or the waits shorter."
    }


@pytest.mark.parametrize("strategy", ["all_at_once", "canary", "linear"])
def test_a_second_set_of_scarce_instances_is_a_warning(strategy):
    scarce = replace(FOUR, is_scarce=True)
    assert warned(strategy, scarce) == {
        "tgi-endpoint:rolloutNeedsAllInstances": f"rollout=Rollout.{strategy}(…) starts as many new instances as the"
        " endpoint has before it stops the old ones, and these are scarce or reserved: if it gets fewer, the update"
        " fails. Rollout.rolling() needs a batch of them."
    }
    assert warned("rolling", scarce) == warned(strategy, FOUR) == warned(strategy, replace(scarce, least=1)) == {}


def test_rolling_copies_that_go_to_zero_is_a_warning():
    assert list(warned("rolling", ZERO)) == ["tgi-endpoint:rollingOneCopy"]
    assert warned("rolling", COPIES) == {}


def test_more_alarms_than_sagemaker_takes_are_rejected():
    assert list(alarm_count_problems(10)) == []
    assert [str(problem) for problem in alarm_count_problems(11)] == [
        (
            "rollout.alarms=11: are more than the 10 that SageMaker takes. Name the most telling ones, or alarm on an"
            " expression."
        )
    ]


def test_the_limits_are_those_of_sagemakers_model():
    model = get_session().get_service_model("sagemaker")
    limit, wait = model.shape_for("MaximumExecutionTimeoutInSeconds"), model.shape_for("WaitIntervalInSeconds")
    assert (limit.metadata["min"], limit.metadata["max"]) == (SHORTEST_LIMIT, LONGEST_LIMIT)
    assert (wait.metadata["min"], wait.metadata["max"]) == (0, 3600)
    assert model.shape_for("TerminationWaitInSeconds").metadata == wait.metadata
    assert model.shape_for("AlarmList").metadata["max"] == MAX_ALARMS
    documented = {
        Strategy.CANARY: ("TrafficRoutingConfig", "CanarySize", "less than or equal to 50%"),
        Strategy.LINEAR: ("TrafficRoutingConfig", "LinearStepSize", "10-50%"),
        Strategy.ROLLING: ("RollingUpdatePolicy", "MaximumBatchSize", "5% to 50%"),
    }
    for shape, member, words in documented.values():
        assert words in model.shape_for(shape).members[member].documentation
    assert PERCENT == {Strategy.CANARY: (1, 50), Strategy.LINEAR: (10, 50), Strategy.ROLLING: (5, 50)}
    assert "5% to 50%" in (
        model.shape_for("InferenceComponentRollingUpdatePolicy").members["MaximumBatchSize"].documentation
    )
