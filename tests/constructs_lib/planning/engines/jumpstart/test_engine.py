"""The plan of an endpoint for a pinned model: AWS's image and variables, judged by the engine in the image."""

import pytest

from constructs_lib.planning.engines.jumpstart.containers import container_of, pinned_image
from constructs_lib.planning.engines.jumpstart.engine import JumpStartEngine, NoOptions, Selection
from constructs_lib.planning.engines.jumpstart.rules import selection_problems
from constructs_lib.planning.engines.jumpstart.spec import pin
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import UNDECIDED, EndpointRequest
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.unknown import UNKNOWN
from tests.constructs_lib.planning.engines.jumpstart.specs import (
    LMI,
    NEURON,
    PYTORCH,
    TGI,
    VLLM,
    images,
    open_spec,
    spec,
    spec_by_instance,
    spec_with_configs,
    uses,
    variable,
)

REGION = "eu-west-1"
SGLANG = "sglang:0.5.20-gpu-py312-cu130-ubuntu24.04-sagemaker"
SMALL, LARGE, OTHER = InstanceType.G5_2XLARGE, InstanceType.G5_12XLARGE, InstanceType.G6_12XLARGE


def selected(published, instance=SMALL, **changes):
    model = pin({REGION: published}).model
    name = getattr(instance, "name", None)
    return Selection(model=model, **({"region": REGION, "instance_type": name} | changes))


def planned(published, instance=SMALL, *, pools=None, environment=None, **changes):
    environment = environment or {}
    first = pools[0] if pools else instance
    engine = JumpStartEngine(selected(published, first, environment=environment, **changes))
    return plan(
        EndpointRequest(
            engine=engine,
            model=ModelChoice(source="s3", hub_id=engine._model.hub_id, is_prescribed=True),
            instance=UNDECIDED if pools or isinstance(instance, CheapestFor) else instance,
            cheapest=instance if isinstance(instance, CheapestFor) else None,
            pools=pools,
            image=ImageChoice(version=engine.images.newest, family=engine.images),
            options=NoOptions(),
            environment=environment,
            region=REGION,
        )
    )


def problems(published, *arguments, **changes):
    return [str(problem) for problem in planned(published, *arguments, **changes).problems]


def on(image):
    """An open model whose image is this one."""
    return open_spec(
        hosting_instance_type_variants={
            "regional_aliases": images(gpu=image),
            "variants": {"g5": uses("gpu"), "g6": uses("gpu")},
        }
    )


def test_image_and_variables_are_those_of_the_file():
    found = planned(spec(), LARGE)
    assert found.problems == ()
    assert [warning.id for warning in found.warnings] == []
    assert f"{found.image_repository}:{found.image_tag}" == TGI
    assert found.environment == {
        "HF_MODEL_ID": "/opt/ml/model",
        "MAX_INPUT_TOKENS": "1000",
        "MAX_TOTAL_TOKENS": "2000",
        "SM_NUM_GPUS": "4",
        "NUM_SHARD": "4",
    }
    assert (found.num_shard, found.memory) == (4, None)


def test_the_callers_variables_replace_those_of_the_file():
    found = planned(spec(), environment={"MAX_TOTAL_TOKENS": "3000", "TEAM_NAME": "search"})
    assert found.problems == ()
    assert found.environment["MAX_TOTAL_TOKENS"] == "3000"
    assert found.environment["TEAM_NAME"] == "search"
    assert found.serving.max_total_tokens == 3000


def test_a_variable_that_only_the_deployment_knows_is_passed_on():
    found = planned(spec(), environment={"MAX_TOTAL_TOKENS": UNKNOWN})
    assert (found.problems, found.serving.max_total_tokens) == ((), None)


def test_the_engine_in_the_image_says_how_it_serves():
    serving = planned(spec()).serving
    assert (serving.version, serving.max_input_tokens, serving.max_total_tokens) == ("2.4.0", 1000, 2000)
    assert (serving.max_best_of, serving.max_stop_sequences, serving.max_concurrent_requests) == (2, 4, 128)


@pytest.mark.parametrize(
    ("image", "variables", "limit", "tools"),
    [
        (VLLM, {"SM_VLLM_MAX_MODEL_LEN": "8192"}, 8192, False),
        (
            VLLM,
            {"SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true", "SM_VLLM_TOOL_CALL_PARSER": "openai"},
            None,
            True,
        ),
        (LMI, {"OPTION_MAX_MODEL_LEN": "4096", "TENSOR_PARALLEL_DEGREE": "max"}, 4096, False),
        (SGLANG, {"SM_SGLANG_CONTEXT_LENGTH": "2048"}, 2048, False),
    ],
)
def test_each_engine_reads_its_own_variables(image, variables, limit, tools):
    published = on(image)
    published["inference_environment_variables"] = [variable(name, value) for name, value in variables.items()]
    found = planned(published)
    assert (found.problems, found.environment) == ((), variables)
    assert (found.serving.max_total_tokens, found.serving.tools) == (limit, tools)


@pytest.mark.parametrize(("version", "limit"), [("2.4.0", 2_097_152), ("3.1.1", 6_291_456)])
def test_the_size_limit_of_requests_is_that_of_the_engines_version(version, limit):
    assert planned(on(TGI.replace("tgi2.4.0", f"tgi{version}"))).max_body_bytes == limit


def test_of_an_unknown_container_nothing_is_promised():
    found = planned(on(PYTORCH), protocol="openai")
    assert (found.problems, found.serving, found.max_body_bytes) == ((), ServingFacts(), 6_291_456)
    assert found.inference_ami_version is None


@pytest.mark.parametrize(
    ("image", "ami"),
    [
        (TGI, "al2-ami-sagemaker-inference-gpu-3-1"),
        (VLLM, "al2-ami-sagemaker-inference-gpu-3-1"),
        ("vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker", "al2023-ami-sagemaker-inference-gpu-4-1"),
        ("vllm:server-sagemaker-cuda-v2.4", "al2023-ami-sagemaker-inference-gpu-4-1"),
        (TGI.replace("cu124", "cu121"), None),
        (PYTORCH, None),
    ],
)
def test_the_machine_image_follows_the_cuda_of_the_images_tag(image, ami):
    assert planned(on(image), protocol="openai").inference_ami_version == ami


def test_a_model_for_neuron_devices_gets_their_machine_image():
    published = open_spec(
        supported_inference_instance_types=["ml.inf2.24xlarge"],
        hosting_resource_requirements={"num_accelerators": 6},
        hosting_instance_type_variants={
            "regional_aliases": images(neuron=NEURON),
            "variants": {"inf2": uses("neuron")},
        },
    )
    found = planned(published, InstanceType.INF2_24XLARGE)
    assert (found.problems, found.inference_ami_version) == ((), "al2-ami-sagemaker-inference-neuron-2")
    assert (found.num_shard, found.accelerators) == (12, 6), "a device has two cores"


@pytest.mark.parametrize(
    ("image", "engine", "version"),
    [
        (TGI, "tgi", "2.4.0"),
        ("huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04", "tgi", "3.3.6"),
        (NEURON, "tgi-neuron", "0.0.28"),
        (LMI, "lmi", "0.29.0"),
        (VLLM, "vllm", "0.18.0"),
        ("huggingface-vllm:0.29.0-transformers5.15.0-gpu-py312-cu130-ubuntu24.04-v1.0", "vllm", "0.29.0"),
        ("vllm:server-sagemaker-cuda-v2.4", "vllm", "0.0.0"),
        (SGLANG, "sglang", "0.5.20"),
        ("huggingface-sglang:0.5.8-transformers4.57.3-gpu-py312-cu129-ubuntu24.04", "sglang", "0.5.8"),
        ("djl-inference:0.23.0-deepspeed0.9.5-cu118", None, "0.0.0"),
        (PYTORCH, None, "0.0.0"),
        ("team/vllm:0.18.0", None, "0.0.0"),
    ],
)
def test_the_engine_is_told_by_the_name_of_the_image(image, engine, version):
    found = container_of(f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{image}")
    assert (found.engine, found.version) == (engine, version)


def test_an_instance_type_that_is_not_pinned_is_refused():
    assert problems(spec(), InstanceType.G6E_XLARGE) == [
        (
            "instance_type='ml.g6e.xlarge': is none on which team-llama 2.10.1 is pinned in eu-west-1: ml.g5.12xlarge,"
            " ml.g5.2xlarge, ml.g6.12xlarge. Use one of them, or run `tgi-endpoint jumpstart add` again."
        )
    ]


def test_an_instance_type_of_another_region_is_refused():
    further = spec(supported_inference_instance_types=["ml.g6.2xlarge"])
    model = pin({REGION: spec(), "us-east-1": further}).model
    engine = JumpStartEngine(Selection(model=model, region=REGION, instance_type="ml.g6.2xlarge"))
    (found,) = engine._instance_problems("ml.g6.2xlarge")
    assert found.message == (
        "is none on which team-llama 2.10.1 is pinned in eu-west-1: ml.g5.12xlarge, ml.g5.2xlarge, ml.g6.12xlarge"
    )


def test_the_cheapest_instance_type_cannot_be_found():
    found = problems(spec(), InstanceType.cheapest_for(tokens=2000))
    assert found == [
        (
            "instance_type=CheapestFor(tokens=2000, concurrency=1): the cheapest instance cannot be found for"
            " JumpStart,"
            " whose need of memory is not known. Choose an instance."
        )
    ]


def test_a_list_may_have_types_with_other_variables():
    found = planned(spec(), pools=(SMALL, OTHER))
    assert found.problems == ()
    assert [pool.environment.get("SM_NUM_GPUS") for pool in found.pools] == [None, "4"]
    assert found.serving.max_total_tokens == 2000


def test_a_list_has_one_image_and_the_same_weights():
    fix = "Leave it out, or give it an endpoint of its own."
    assert problems(spec_by_instance(), pools=(SMALL, LARGE, OTHER)) == [
        (
            "instance_type[1]='ml.g5.12xlarge': runs another image than ml.g5.2xlarge, and the variants of an"
            " endpoint have"
            f" one. {fix}"
        ),
        (
            f"instance_type[1]='ml.g5.12xlarge': takes other weights than ml.g5.2xlarge, and an endpoint has those of"
            f" one."
            f" {fix}"
        ),
        (
            f"instance_type[2]='ml.g6.12xlarge': takes other weights than ml.g5.2xlarge, and an endpoint has those of"
            f" one."
            f" {fix}"
        ),
    ]


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        (
            {"MAX_TOTAL_TOKENS": "many"},
            (
                "environment['MAX_TOTAL_TOKENS']='many': TGI reads max_total_tokens from it, which must be a whole"
                " number. Write a number in quotes."
            ),
        ),
        (
            {"MAX_INPUT_LENGTH": "0"},
            (
                "environment['MAX_INPUT_LENGTH']='0': TGI reads max_input_tokens from it, which must be from 1 to"
                " 4294967295. Raise it to 1 or more."
            ),
        ),
        (
            {"MAX_TOTAL_TOKEN": "2000"},
            (
                "environment['MAX_TOTAL_TOKEN']=(not shown): JumpStart has no such variable. If you mean"
                " MAX_TOTAL_TOKENS, write"
                " it so; otherwise rename it."
            ),
        ),
        (
            {"PORT": "80"},
            "environment['PORT']='80': is SageMaker's: it reaches the container on port 8080. Leave it out.",
        ),
    ],
)
def test_a_variable_that_the_engine_would_not_take_is_refused(variables, problem):
    assert problems(spec(), environment=variables) == [problem]


@pytest.mark.parametrize(
    "variables", [{"QUANTIZE": "bitsandbytes"}, {"DISABLE_USAGE_STATS": "1"}, {"CUDA_GRAPHS": "1,2"}, {"DTYPE": "odd"}]
)
def test_a_variable_that_is_no_number_is_left_to_the_container(variables):
    assert problems(spec(), environment=variables) == []


def test_what_aws_sets_is_not_judged():
    published = spec()
    for one in published["inference_environment_variables"]:
        one["default"] = "odd"
    assert problems(published) == []


def test_a_variable_that_the_engine_does_not_read_brings_a_warning():
    warnings = planned(spec(), environment={"SM_VLLM_MAX_MODEL_LEN": "2000"}).warnings
    assert [warning.id for warning in warnings] == ["tgi-endpoint:unreadVariable"]
    published = spec_with_configs()
    assert [w.id for w in planned(published, LARGE, environment={"OPTION_MAX_MODEL_LEN": "4096"}).warnings] == []


def test_a_variable_of_the_file_brings_none_if_the_caller_replaces_it():
    published = spec()
    published["inference_environment_variables"].append(variable("SM_VLLM_MAX_MODEL_LEN", "1000"))
    assert planned(published, environment={"SM_VLLM_MAX_MODEL_LEN": "2000"}).warnings == ()


def test_a_deprecated_and_a_vulnerable_model_bring_warnings():
    published = spec(deprecated=True, deprecated_message="Use 3.", inference_vulnerabilities=["CVE-2026-1", "CVE-2"])
    again = "Run `tgi-endpoint jumpstart add team-llama` for the newest version, or choose another model."
    assert [(warning.id, warning.message) for warning in planned(published).warnings] == [
        ("tgi-endpoint:jumpStartDeprecated", f"AWS has deprecated team-llama 2.10.1: Use 3. {again}"),
        (
            "tgi-endpoint:jumpStartVulnerable",
            f"The container of team-llama 2.10.1 has known vulnerabilities (CVE-2026-1, CVE-2). {again}",
        ),
    ]


def test_the_catalogues_facts_of_the_model_are_used_where_they_help():
    found = planned(spec(huggingface_id="CohereForAI/c4ai-command-r-v01"))
    assert [warning.id for warning in found.warnings] == ["tgi-endpoint:nonCommercialLicence"]
    assert (found.memory, found.problems) == (None, ())


def checked(published, *, region=REGION, accept_eula=True, scales_to_zero=False, **changes):
    selection = selected(published, **({"region": region if region == REGION else None} | changes))
    found = selection_problems(selection, stack_region=region, accept_eula=accept_eula, scales_to_zero=scales_to_zero)
    return [str(problem) for problem in found]


def test_the_region_has_to_be_one_of_the_file():
    assert checked(spec()) == []
    assert checked(spec(), region="us-east-1") == [
        (
            "region='us-east-1': is none in which team-llama 2.10.1 is pinned: eu-west-1. Run `tgi-endpoint jumpstart"
            " add"
            " team-llama --version 2.10.1 --region us-east-1`."
        )
    ]


def test_the_region_has_to_be_known():
    assert checked(spec(), region=None) == [
        (
            "region=None: must be known at synth, as image and weights of team-llama are those of one Region. Give"
            " the stack"
            " its Region: env=Environment(region='eu-west-1'), or another of eu-west-1."
        )
    ]


@pytest.mark.parametrize("published", [spec(), open_spec(hosting_eula_key="fmhMetadata/eula/teamEula.txt")])
def test_a_licence_agreement_has_to_be_accepted(published):
    assert checked(published, accept_eula=False) == [
        (
            "model.accept_eula=False: must be True: team-llama has a licence agreement, without which AWS hands out no"
            " weights. Read"
            " https://jumpstart-cache-prod-eu-west-1.s3.eu-west-1.amazonaws.com/fmhMetadata/eula/teamEula.txt,"
            " and accept it with JumpStartModel.from_file(…, accept_eula=True)."
        )
    ]


def test_a_gated_model_without_a_published_agreement_has_to_be_accepted_as_well():
    (found,) = checked(spec(hosting_eula_key=None), accept_eula=False)
    assert "Read it in SageMaker Studio, and accept it with" in found


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("yes", "model.accept_eula='yes': must be True or False, not str. Give a bool, or leave it out."),
        (
            UNKNOWN,
            (
                "model.accept_eula=(known at deployment): must be known at synth: accepting a licence agreement is a"
                " decision."
                " Write True."
            ),
        ),
    ],
)
def test_accepting_is_a_decision_at_synth(value, problem):
    assert checked(spec(), accept_eula=value) == [problem]


def test_a_model_without_an_agreement_needs_none():
    assert checked(open_spec(), accept_eula=False) == []


@pytest.mark.parametrize(
    ("image", "engine", "problem"),
    [
        (
            PYTORCH,
            None,
            (
                "engine=None: is required, as the name of the image pytorch-inference:2.0.0-gpu-py310 does not tell"
                " what its"
                " container speaks. Write the one whose requests it takes: tgi, vllm, sglang, lmi, openai."
            ),
        ),
        (
            PYTORCH,
            "opnai",
            (
                "engine='opnai': must be one of tgi, vllm, sglang, lmi, openai. Use the one whose requests the"
                " container"
                " takes."
            ),
        ),
        (VLLM, "openai", f"engine='openai': is known of AWS's image {VLLM}: vllm. Leave it out."),
    ],
)
def test_the_protocol_is_declared_where_the_image_does_not_tell_it(image, engine, problem):
    assert checked(on(image), protocol=engine) == [problem]


def test_a_declared_protocol_is_taken():
    assert checked(on(PYTORCH), protocol="tgi") == []
    assert JumpStartEngine(selected(on(PYTORCH), protocol="tgi")).name == "tgi"


def test_a_model_that_runs_in_no_component_does_not_scale_to_zero():
    assert checked(spec(), scales_to_zero=True) == []
    assert checked(spec(dynamic_container_deployment_supported=False), scales_to_zero=True) == [
        (
            "scale_to_zero=True: runs the model as an inference component, which AWS does not support for team-llama."
            " Leave"
            " it out, or scale the instances with auto_scale."
        )
    ]


def test_the_one_image_is_a_family_without_others():
    family = pinned_image(f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{TGI}", ["eu-west-1"])
    assert (family.versions, family.newest, family.regions("2.4.0")) == (("2.4.0",), "2.4.0", ("eu-west-1",))
    assert family.repository_and_tag("2.4.0") == tuple(TGI.split(":"))
    assert family.repository_and_tag("3.0.0") is None
    assert family.account("eu-west-1", "2.4.0") == "763104351884"
