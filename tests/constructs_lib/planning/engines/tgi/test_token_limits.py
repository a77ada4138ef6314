"""Limits of versions before 3.0: what is accepted starts, and what would start is accepted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.planning.engines.option_table import option_variables
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice, parse_version
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.sizing.memory import given_options
from tests.constructs_lib.planning.engines.tgi.old_start_rules import faults

VERSIONS = [version for version in TGI.images.versions if parse_version(version) < (3, 0, 0)]
MODELS = {"meta-llama/Llama-2-7b-hf": True, "EleutherAI/gpt-neox-20b": True, "bigscience/bloom-560m": False}
"""Models that every version has, and whether TGI runs them with flash attention."""

KEYWORDS = ("max_input_tokens", "max_total_tokens", "max_batch_prefill_tokens", "max_batch_total_tokens")
LIMITS = {f"options.{keyword}" for keyword in KEYWORDS}


@st.composite
def requests(draw):
    version = draw(st.sampled_from(VERSIONS))
    numbers = st.one_of(st.integers(2, 9000), st.sampled_from([1000, 1024, 1512, 2048, 2098, 4095, 4096, 4145]))
    has = {option.keyword for option in OPTIONS if option.is_in(parse_version(version))}
    chosen = {name: draw(numbers) for name in KEYWORDS if name in has and draw(st.booleans())}
    if "max_batch_size" in has and draw(st.integers(0, 9)) == 0:
        chosen["max_batch_size"] = draw(st.integers(1, 8))
    if "prefill_chunking" in has and draw(st.booleans()):
        chosen["prefill_chunking"] = draw(st.booleans())
    return draw(st.sampled_from(sorted(MODELS))), version, TgiOptions(**chosen)


def planned(hub_id, version, options):
    return plan(
        EndpointRequest(
            engine=TGI,
            model=ModelChoice(source="hub", hub_id=hub_id, has_token=True),
            instance=InstanceType.P5_48XLARGE,
            image=ImageChoice(version=version),
            options=options,
        )
    )


def would_start(environment, hub_id, version):
    positions = known_model(hub_id).max_positions
    # BLOOM's config.json names its positions in a way that no launcher reads.
    positions = 4096 if not MODELS[hub_id] else positions
    return faults(environment, parse_version(version), positions, flash=MODELS[hub_id])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_limits_that_are_accepted_start_and_limits_that_start_are_accepted(request):
    hub_id, version, options = request
    result = planned(hub_id, version, options)
    if not result.problems:
        assert would_start(result.environment, hub_id, version) == []
    as_given = option_variables(OPTIONS, given_options(options), parse_version(version))
    # Before 0.9 nothing compares a request with the batch: one that is longer waits forever.
    if parse_version(version) >= (0, 9, 0) and not would_start(as_given, hub_id, version):
        assert [str(problem) for problem in result.problems if problem.keyword in LIMITS] == []


@pytest.mark.parametrize(
    ("version", "environment", "words"),
    [
        ("0.8.2", {"MAX_INPUT_LENGTH": "1512"}, "must be < max_total"),
        ("0.9.3", {"MAX_TOTAL_TOKENS": "16001"}, "must be <= max_batch_total"),
        ("1.4.5", {"MAX_INPUT_LENGTH": "5000", "MAX_TOTAL_TOKENS": "6000"}, "must be >= max_input"),
        ("2.0.2", {"MAX_BATCH_TOTAL_TOKENS": "4100"}, "prefill_tokens must be <="),
        ("2.3.1", {"MAX_TOTAL_TOKENS": "4095"}, "must be < max_total"),
    ],
)
def test_the_independent_rules_find_faults(version, environment, words):
    assert any(words in fault for fault in faults(environment, parse_version(version), 4096, flash=True))
    assert faults({}, parse_version(version), 4096, flash=True) == []
