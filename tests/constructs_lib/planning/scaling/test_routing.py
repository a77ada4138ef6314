"""How SageMaker chooses the instance of a request."""

import botocore.loaders
import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.scaling.routing import (
    LEAST_OUTSTANDING,
    PREFIX_AWARE,
    SHARED_BYTES,
    THRESHOLD,
    Routing,
    routing_problems,
    routing_warnings,
)
from constructs_lib.planning.validation.unknown import UNKNOWN

PREFIX = Routing.prefix_aware(shared_bytes=4096, threshold=16)


def refusals(routing):
    return [str(problem) for problem in routing_problems(routing)]


@pytest.fixture
def told(planning):
    """The ids of the warnings of a routing."""

    def ids(routing, instance_count=2, **changes):
        return [warning.id for warning in routing_warnings(routing, instance_count, planning(**changes))]

    return ids


@pytest.mark.parametrize(
    "routing",
    [
        Routing(),
        Routing.least_outstanding(),
        Routing.prefix_aware(shared_bytes=1024, threshold=1),
        Routing.prefix_aware(shared_bytes=65536, threshold=1024),
        Routing.prefix_aware(shared_bytes=UNKNOWN, threshold=UNKNOWN),
    ],
)
def test_what_sagemaker_takes_is_no_problem(routing):
    assert refusals(routing) == []


@pytest.mark.parametrize(
    ("routing", "words"),
    [
        (
            Routing.prefix_aware(shared_bytes=1000, threshold=0),
            [
                "routing.shared_bytes=1000: must be from 1024 to 65536 bytes. Raise it to 1024 or more.",
                "routing.threshold=0: must be from 1 to 1024. Raise it to 1 or more.",
            ],
        ),
        (
            Routing.prefix_aware(shared_bytes="4096", threshold=1025),
            [
                "routing.shared_bytes='4096': must be a whole number, not str. Write 4096.",
                "routing.threshold=1025: must be from 1 to 1024. Lower it to 1024 or less.",
            ],
        ),
        (
            "PREFIX_AWARE",
            [
                (
                    "routing='PREFIX_AWARE': must be a Routing, not str."
                    " Write Routing.least_outstanding() or Routing.prefix_aware(…)."
                )
            ],
        ),
        (
            Routing(strategy="RANDOM"),
            [
                (
                    "routing=Routing(strategy='RANDOM', shared_bytes=None, threshold=None): must be"
                    " LEAST_OUTSTANDING_REQUESTS without figures, or PREFIX_AWARE with both."
                    " Write Routing.least_outstanding() or Routing.prefix_aware(…)."
                )
            ],
        ),
    ],
)
def test_what_sagemaker_refuses_is_reported(routing, words):
    assert refusals(routing) == words


def test_prefixes_do_not_matter_while_there_is_one_instance(told):
    assert told(PREFIX, instance_count=1) == ["tgi-endpoint:prefixAwareOneInstance"]
    assert told(PREFIX, instance_count=2) == []
    assert told(PREFIX, instance_count=UNKNOWN) == []


def test_prefixes_do_not_suit_instances_of_different_sizes(told):
    pools = (InstanceType.G5_2XLARGE, InstanceType.G5_12XLARGE)
    assert told(PREFIX, pools=pools) == ["tgi-endpoint:prefixAwareInstancePools"]
    assert told(PREFIX, pools=pools[:1]) == []


def test_prefixes_do_not_matter_to_a_model_that_keeps_none(told):
    assert told(PREFIX, options={"prefix_caching": False}) == ["tgi-endpoint:prefixAwareWithoutCache"]


def test_the_default_routing_suits_every_endpoint(told):
    assert told(Routing(), instance_count=1, options={"prefix_caching": False}) == []


def test_strategies_and_limits_are_botocores():
    shapes = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")["shapes"]
    assert {LEAST_OUTSTANDING, PREFIX_AWARE} <= set(shapes["RoutingStrategy"]["enum"])
    for rule, shape in ((SHARED_BYTES, "PrefixLength"), (THRESHOLD, "ConcurrencyThreshold")):
        found = shapes[f"PrefixAwareRouting{shape}"]
        assert (rule.minimum, rule.maximum) == (found["min"], found["max"])
