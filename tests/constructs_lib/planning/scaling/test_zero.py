"""The plan of an endpoint that goes to zero: instances, limits of load, and every mistake at once."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.scaling.hours import WeeklyHours
from constructs_lib.planning.scaling.zero import ZeroRequest, plan_zero, zero_problems, zero_warnings
from constructs_lib.planning.validation.unknown import Unknown

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")
ENDPOINT = EndpointRequest(engine=TGI, model=QWEN, instance=InstanceType.G5_2XLARGE)
ZERO = ZeroRequest(idle_seconds=None, max_copies=1, request_tokens=None, target=None, hours=None)


def zero(*, endpoint: EndpointRequest = ENDPOINT, **changes):
    return plan_zero(replace(ZERO, **changes), plan(endpoint))


def told(*, endpoint: EndpointRequest = ENDPOINT, **changes):
    return [str(problem) for problem in zero_problems(replace(ZERO, **changes), endpoint, plan(endpoint))]


def warned(*, endpoint: EndpointRequest = ENDPOINT, **changes):
    return {each.id: each.message for each in zero_warnings(replace(ZERO, **changes), endpoint, plan(endpoint))}


def test_an_endpoint_that_does_not_scale_to_zero_has_no_plan_problems_or_warnings():
    assert plan_zero(None, plan(ENDPOINT)) is None
    assert list(zero_problems(None, ENDPOINT, plan(ENDPOINT))) == []
    assert list(zero_warnings(None, replace(ENDPOINT, region="eu-west-3"), plan(ENDPOINT))) == []


def test_by_default_the_only_copy_goes_after_half_an_hour():
    found = zero()
    assert (found.idle_minutes, found.max_copies, found.max_instances) == (30, 1, 1)
    assert (found.target, found.low_load) == (None, None)
    assert zero(idle_seconds=900).idle_minutes == 15


def test_the_wake_is_that_of_the_model_with_the_hours():
    found = zero(hours=WeeklyHours(("mon 08:00-19:00",), "UTC", "closed"))
    assert found.wake.seconds == 102 + 105 + plan(ENDPOINT).load_seconds
    assert found.wake.hours.windows == ((0, 480, 1140),)


@pytest.mark.parametrize(
    ("instance", "shards", "copies", "instances"),
    [
        (InstanceType.G5_2XLARGE, None, 3, 3),
        (InstanceType.G5_12XLARGE, None, 3, 3),
        (InstanceType.G5_12XLARGE, 1, 3, 1),
        (InstanceType.G5_12XLARGE, 1, 5, 2),
        (InstanceType.G5_12XLARGE, 2, 5, 3),
    ],
)
def test_there_are_as_many_instances_as_the_copies_need_gpus(instance, shards, copies, instances):
    options = TGI.options_type(num_shard=shards, max_total_tokens=4096)
    endpoint = replace(ENDPOINT, instance=instance, options=options)
    found = zero(endpoint=endpoint, max_copies=copies)
    assert found.max_instances == instances
    assert found.update_instances == zero(endpoint=endpoint, max_copies=2 * copies).max_instances


def test_several_copies_share_a_target_and_one_carries_the_load_of_all_below_its_part():
    found = zero(max_copies=3, target=24)
    assert (found.target, found.low_load) == (24, 8)


def test_the_target_follows_from_the_tokens_of_a_request():
    short, long = (zero(max_copies=2, request_tokens=tokens).target for tokens in (1000, 4000))
    assert short > 3 * long


def test_nothing_tells_low_load_if_a_copy_has_fewer_requests_than_there_are_copies():
    assert zero(max_copies=3, target=3).low_load is None
    assert warned(max_copies=3, target=3) == {
        "tgi-endpoint:copiesStayUntilIdle": "A copy has 3 concurrent requests before another one is added, no more than"
        " max_copies=3; so nothing tells when one copy could carry the load of all, and all stay until nobody asks the"
        " model. Lower max_copies, or set request_tokens to what your clients send."
    }
    assert warned(max_copies=3, target=4) == {}
    assert warned() == {}


def test_a_region_that_was_seen_to_refuse_zero_instances_is_a_warning():
    assert warned(endpoint=replace(ENDPOINT, region="eu-west-1")) == {}
    (message,) = warned(endpoint=replace(ENDPOINT, region="eu-west-3")).values()
    assert message == (
        "SageMaker was seen to refuse a minimum of 0 instances in eu-west-3 (August 2026). If the deployment fails with"
        ' "Min instance count needs to be greater than 0", leave out scale_to_zero, or deploy to another Region.'
    )


@pytest.mark.parametrize("idle", [899, 840, 1830, 86_460, 0, -900, 900.5])
def test_idle_is_whole_minutes_that_an_alarm_can_look_back(idle):
    assert told(idle_seconds=idle) == [
        (
            f"scale_to_zero.idle={idle}: must be whole minutes, from 900 to 86400 seconds. Write"
            " Duration.minutes(30), or leave it out."
        )
    ]


@pytest.mark.parametrize("idle", [900, 1800, 86_400])
def test_idle_may_be_from_15_minutes_to_a_day(idle):
    assert told(idle_seconds=idle) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_copies": 0}, "scale_to_zero.max_copies=0: must be from 1 to 4294967295 copies. Raise it to 1 or more."),
        ({"max_copies": "2"}, "scale_to_zero.max_copies='2': must be a whole number, not str. Write 2."),
        (
            {"max_copies": Unknown("<Copies>")},
            (
                "scale_to_zero.max_copies=(known at deployment): must be known at synth, as the number of instances is"
                " worked out from it. Write it as a number."
            ),
        ),
        (
            {"idle_seconds": Unknown("<Idle>")},
            (
                "scale_to_zero.idle=(known at deployment): must be known at synth, as an alarm counts its"
                " minutes. Write it as a number."
            ),
        ),
        (
            {"target": 8},
            (
                "scale_to_zero.target=8: decides when a second copy is added, and there is at most one."
                " Leave it out, or raise max_copies."
            ),
        ),
        (
            {"max_copies": 2, "target": 0},
            "scale_to_zero.target=0: must be above 0. Choose a number in that range, or leave it out.",
        ),
        (
            {"max_copies": 2, "target": Unknown("<Target>")},
            (
                "scale_to_zero.target=(known at deployment): must be known at synth, as an alarm divides"
                " it. Write it as a number."
            ),
        ),
        (
            {"max_copies": 2, "request_tokens": 0},
            "scale_to_zero.request_tokens=0: must be from 1 to 32768 tokens. Raise it to 1 or more.",
        ),
        (
            {"hours": WeeklyHours(("mon",), "UTC", "idle")},
            (
                "scale_to_zero.hours='mon': must be days and a time of day, like 'mon-fri 08:00-19:00'. Write 'mon-fri"
                " 08:00-19:00'."
            ),
        ),
        (
            {"endpoint": replace(ENDPOINT, instance_count=2)},
            (
                "instance_count=2: is for an endpoint without scale_to_zero, whose instances follow its"
                " copies. Leave it out, and set max_copies of ScaleToZero."
            ),
        ),
        (
            {"max_copies": 2, "endpoint": replace(ENDPOINT, model=ModelChoice(source="s3"))},
            (
                "scale_to_zero.target=None: is required for several copies: the plan does not know how"
                " many requests fit one. Set it to the concurrent requests that a copy is to have."
            ),
        ),
    ],
)
def test_a_mistake_is_reported_with_what_to_change(changes, message):
    assert told(**changes) == [message]


def test_all_problems_are_reported_at_once():
    hours = WeeklyHours(("mon",), "Berlin", "idle")
    keywords = [each.split("=")[0] for each in told(idle_seconds=1, max_copies=-1, hours=hours)]
    assert keywords == [
        "scale_to_zero.idle",
        "scale_to_zero.max_copies",
        "scale_to_zero.hours",
        "scale_to_zero.time_zone",
    ]
