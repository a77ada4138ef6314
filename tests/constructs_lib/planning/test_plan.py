"""The plan as a whole: images, all problems at once, unknown values, junk."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, ModelFacts
from constructs_lib.planning.plan import EndpointPlan, EndpointRequest, plan
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

PLANNING = Path(__file__).parents[3] / "constructs_lib" / "planning"


VERSIONS = TGI.images.versions


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_catalogue_plans_llama_2_without_problem_or_warning(version, planning):
    # Before TGI 3 a prefill took so much memory that it is tight on smaller GPUs.
    plan = planning(version=version, instance=InstanceType.G6E_XLARGE, hub_id="meta-llama/Llama-2-7b-hf")
    assert (plan.problems, plan.warnings, plan.image_repository) == ((), (), "huggingface-pytorch-tgi-inference")
    assert f"tgi{version}-gpu-" in plan.image_tag


def test_a_callers_own_image_has_no_catalogued_repository_and_any_version(planning):
    plan = planning(image=ImageChoice(version="3.3.7", uri_override=True), region="nowhere-1")
    assert (plan.problems, plan.image_repository, plan.image_tag) == ((), None, None)


def test_a_callers_own_image_gets_the_ami_of_its_time(planning):
    amis = [planning(image=ImageChoice(version=v, uri_override=True)).inference_ami_version for v in ("3.3.7", "2.0.3")]
    assert amis == ["al2-ami-sagemaker-inference-gpu-3-1", None]


ALL = ", ".join(VERSIONS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"version": "3.3.5"},
            f"image='3.3.5': AWS publishes no image of that TGI version. Use '3.3.6'. AWS publishes {ALL}.",
        ),
        (
            {"version": "2.1.1"},
            f"image='2.1.1': AWS publishes no image of that TGI version. Use '3.3.6'. AWS publishes {ALL}.",
        ),
        (
            {"version": "1.4"},
            f"image='1.4': must be a full version such as '3.3.6'. Use '1.4.5'. AWS publishes {ALL}.",
        ),
        (
            {"version": "2.0"},
            f"image='2.0': must be a full version such as '3.3.6'. Use '2.0.2'. AWS publishes {ALL}.",
        ),
        (
            {"version": "latest"},
            f"image='latest': must be a full version such as '3.3.6'. Use '3.3.6'. AWS publishes {ALL}.",
        ),
        (
            {"image": ImageChoice(version=3)},
            f"image=3: must be a full version such as '3.3.6'. Use '3.3.6'. AWS publishes {ALL}.",
        ),
        (
            {"region": "us-east-9"},
            (
                "region='us-east-9': AWS publishes no image of TGI 3.3.6 in that Region."
                " Deploy to another Region, or use an image of your own: TgiImage.from_ecr_repository."
            ),
        ),
        (
            {"region": 5},
            (
                "region=5: AWS publishes no image of TGI 3.3.6 in that Region."
                " Deploy to another Region, or use an image of your own: TgiImage.from_ecr_repository."
            ),
        ),
        ({"image": "3.3.6"}, "image='3.3.6': must be a TgiImage, not str. Write TgiImage.version(…)."),
        ({"options": []}, "options=[]: must be TgiOptions, not list. Write TgiOptions(…)."),
        ({"environment": ["A=1"]}, "environment=(not shown): must be a mapping, not list. Write {'NAME': 'value'}."),
    ],
)
def test_invalid_parts_of_a_request_are_reported(changes, words, refusals):
    assert refusals(**changes) == [words]


def test_a_region_that_is_not_known_at_synth_is_no_problem(refusals):
    assert refusals(region=None) == []


def test_all_problems_come_together(planning):
    plan = planning(
        model="x",
        instance="ml.g5.12xlarge",
        region="us-east-9",
        options={"num_shard": "4", "max_best_of": 0},
        environment={"API_KEY": "x"},
        instance_count=0,
        endpoint_name="-",
        volume_size_gib=5,
    )
    assert [problem.keyword for problem in plan.problems] == [
        "model",
        "instance_type",
        "region",
        "instance_count",
        "endpoint_name",
        "volume_size",
        "options.num_shard",
        "options.max_best_of",
        "environment['API_KEY']",
    ]


def test_what_is_not_resolved_at_synth_is_not_checked_but_written(planning):
    values = {field.name: Unknown(f"<{field.name}>") for field in fields(TgiOptions)}
    plan = planning(
        model=ModelChoice(source="hub", hub_id=Unknown("<id>"), revision=Unknown("<revision>")),
        region=UNKNOWN,
        options=values,
        environment={"MINE": Unknown("<mine>")},
        endpoint_name=UNKNOWN,
        instance_count=UNKNOWN,
        startup_timeout_seconds=UNKNOWN,
        inference_ami_version=Unknown("<ami>"),
    )
    assert plan.problems == ()
    assert plan.environment["MAX_TOTAL_TOKENS"] == "<max_total_tokens>"
    assert plan.environment["SM_NUM_GPUS"] == "<num_shard>"
    assert plan.environment["MINE"] == "<mine>"
    assert (plan.environment["HF_MODEL_ID"], plan.environment["HF_MODEL_REVISION"]) == ("<id>", "<revision>")
    assert plan.inference_ami_version == "<ami>"


def test_an_option_that_the_version_lacks_is_reported_even_if_its_value_is_not_known(refusals):
    found = refusals(version="1.4.5", options={"prometheus_port": UNKNOWN})
    assert found[0].startswith("options.prometheus_port=(known at deployment): TGI 1.4.5 does not have it")


@pytest.mark.parametrize(
    ("given", "missing"), [("max_input_tokens", "max_total_tokens"), ("max_total_tokens", "max_input_tokens")]
)
@pytest.mark.parametrize(("value", "shown"), [(UNKNOWN, "(known at deployment)"), ("4k", "'4k'")])
def test_a_limit_without_the_other_is_shown_as_it_is_given(given, missing, value, shown, refusals):
    found = refusals(options={given: value, "speculate": 2})
    assert any(words.startswith(f"options.{given}={shown}: is set without {missing}") for words in found)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.text(alphabet=st.characters(), max_size=3),
    st.binary(max_size=3),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=5)), max_size=3),
    st.dictionaries(
        st.one_of(st.integers(), st.text(max_size=10)), st.one_of(st.none(), st.text(max_size=5)), max_size=3
    ),
    st.sampled_from([object(), InstanceType.G4DN_12XLARGE, InstanceType.INF2_48XLARGE, ModelChoice(source="s3")]),
)


def junk_of(kind, **fixed):
    return st.fixed_dictionaries(
        fixed, optional={field.name: JUNK for field in fields(kind) if field.name not in fixed}
    ).map(lambda values: kind(**values))


NEEDED = {field.name: JUNK for field in fields(ModelFacts) if field.name not in {"gating", "source", "date"}}
FACTS = st.one_of(JUNK, junk_of(ModelFacts, **NEEDED))
HARDWARE = {field.name: JUNK for field in fields(InstanceType)}
REQUESTS = st.fixed_dictionaries(
    {
        "model": st.one_of(JUNK, junk_of(ModelChoice, source=st.one_of(JUNK, st.just("hub")), facts=FACTS)),
        "instance": st.one_of(JUNK, junk_of(InstanceType, **HARDWARE)),
    },
    optional={
        "image": st.one_of(JUNK, junk_of(ImageChoice, version=st.one_of(JUNK, st.sampled_from(VERSIONS)))),
        "options": st.one_of(JUNK, junk_of(TgiOptions)),
    }
    | {
        field.name: JUNK
        for field in fields(EndpointRequest)
        if field.name not in {"engine", "model", "instance", "image", "options"}
    },
)


@settings(max_examples=100, deadline=None)
@given(REQUESTS)
def test_no_junk_makes_the_plan_raise(request):
    result = plan(EndpointRequest(engine=TGI, **request))
    assert isinstance(result, EndpointPlan)
    assert all(str(problem).endswith((".", "?")) for problem in result.problems)


def test_nothing_below_planning_imports_the_cdk():
    modules = sorted(
        ".".join(path.relative_to(PLANNING).with_suffix("").parts)
        for path in PLANNING.rglob("*.py")
        if path.stem != "__init__"
    )
    program = f"""
import importlib, sys, types
parent = types.ModuleType("constructs_lib")  # the package itself may import the CDK, planning may not
parent.__path__ = [{str(PLANNING.parent)!r}]
sys.modules["constructs_lib"] = parent
for name in {modules!r}:
    importlib.import_module(f"constructs_lib.planning.{{name}}")
foreign = sorted({{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names))
print(" ".join(name for name in foreign if not name.startswith("_")))
"""
    found = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, timeout=60)
    # What names the places of staged weights is shared with the job that copies them, and imports nothing itself.
    assert (found.stdout.split(), found.stderr) == (["constructs_lib", "weights_copier"], "")
