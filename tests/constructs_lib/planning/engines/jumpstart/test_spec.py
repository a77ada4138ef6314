"""What AWS publishes about a model is pinned as AWS's own SDK reads it."""

from copy import deepcopy

import pytest

from constructs_lib.planning.engines.jumpstart.configs import ranked_configs, with_config
from constructs_lib.planning.engines.jumpstart.spec import SpecError, pin
from tests.constructs_lib.planning.engines.jumpstart.specs import (
    LMI,
    NEURON,
    PYTORCH,
    TGI,
    VLLM,
    has,
    images,
    open_spec,
    spec,
    spec_by_instance,
    spec_with_configs,
    uses,
    variable,
)

REGION = "eu-west-1"
EULA = {"hosting_eula_key": "fmhMetadata/eula/teamEula.txt"}
PACKAGE = (
    "is a model package of AWS Marketplace, which has its own image and settings and needs a subscription that"
    " CloudFormation cannot make"
)
SCRIPT = (
    "has its inference code in a file of its own (hosting_script_key), which the SageMaker SDK packs together with the"
    " weights before it deploys them"
)
TWO_SOURCES = (
    "needs a second data source beside its weights, such as a draft model, which CloudFormation has no property for"
    " (AdditionalModelDataSources of CreateModel)"
)


def pinned(published, *regions, **arguments):
    return pin({region: deepcopy(published) for region in regions or (REGION,)}, **arguments).model


def notices(published, **arguments):
    return pin({REGION: published}, **arguments).notices


def refused(published, **arguments):
    with pytest.raises(SpecError) as caught:
        pin({REGION: published}, **arguments)
    return [str(problem) for problem in caught.value.problems]


def spec_that_empties_variables():
    """A configuration takes the variables of an instance type away."""
    published = spec_with_configs()
    own = {"environment_variables": {"NUM_SHARD": "4"}}
    published["hosting_instance_type_variants"]["variants"]["ml.g6.12xlarge"] = has(**own)
    component = published["inference_config_components"]["lmi"]["hosting_instance_type_variants"]["variants"]
    component["ml.g6.12xlarge"] = has(environment_variables={})
    return published


SAMPLES = {
    "gated": spec(),
    "open": open_spec(),
    "with a licence in the public bucket": open_spec(**EULA),
    "two configurations": spec_with_configs(),
    "configurations without a ranking": spec_with_configs(inference_config_rankings=None),
    "a configuration with fewer variables": spec_that_empties_variables(),
    "archives by instance type": spec_by_instance(),
    "weights that need no packing": open_spec(hosting_prepacked_artifact_key=None, **EULA),
}


@pytest.fixture(scope="module")
def sdk():
    """The SDK's reader of specifications."""
    from sagemaker.core.jumpstart import types

    return types.JumpStartModelSpecs


@pytest.mark.parametrize("name", SAMPLES)
def test_images_weights_and_variables_are_those_of_the_sdk(sdk, name):
    published = SAMPLES[name]
    model = pinned(published)
    for instance_type, instance in model.instance_types.items():
        theirs = sdk(deepcopy(published))  # the SDK changes what it reads
        if model.config:
            theirs.set_config(model.config)
        variants = theirs.hosting_instance_type_variants
        own_variables = variants.get_instance_specific_environment_variables(instance_type)
        defaults = {
            one.name: str(one.default) for one in theirs.inference_environment_variables if one.required_for_model_class
        }
        assert instance.images == {REGION: variants.get_image_uri(instance_type, REGION)}
        assert instance.environment == {key: str(value) for key, value in (defaults | own_variables).items()}
        key = variants.get_instance_specific_prepacked_artifact_key(instance_type)
        key = key or theirs.hosting_prepacked_artifact_key
        assert instance.artifact == (key or theirs.hosting_artifact_key)
        assert not theirs.use_inference_script_uri()
    assert model.has_agreement == theirs.is_gated_model()
    assert model.network_isolation == theirs.inference_enable_network_isolation
    assert set(model.instance_types) == set(theirs.supported_inference_instance_types)


def test_the_preferred_configuration_is_the_sdks(sdk):
    for published in (SAMPLES["two configurations"], SAMPLES["configurations without a ranking"]):
        theirs = sdk(deepcopy(published)).inference_configs.get_top_config_from_ranking().config_name
        assert ranked_configs(published)[0] == theirs


def test_the_variables_of_family_and_instance_type_are_merged():
    """The family's are lost in the peer's construct (awslabs/generative-ai-cdk-constructs)."""
    types = pinned(spec()).instance_types
    common = {"HF_MODEL_ID": "/opt/ml/model", "MAX_INPUT_TOKENS": "1000"}
    assert types["ml.g5.2xlarge"].environment == common | {"MAX_TOTAL_TOKENS": "2000"}
    assert types["ml.g5.12xlarge"].environment == common | {
        "MAX_TOTAL_TOKENS": "2000",
        "SM_NUM_GPUS": "4",
        "NUM_SHARD": "4",
    }
    assert types["ml.g6.12xlarge"].environment == common | {"MAX_TOTAL_TOKENS": "4096", "SM_NUM_GPUS": "4"}


def test_an_instance_types_own_variable_wins_over_its_familys():
    published = spec()
    published["hosting_instance_type_variants"]["variants"]["ml.g5.12xlarge"] = has(
        environment_variables={"MAX_TOTAL_TOKENS": "8000"}
    )
    assert pinned(published).instance_types["ml.g5.12xlarge"].environment["MAX_TOTAL_TOKENS"] == "8000"


def test_what_the_endpoint_needs_is_pinned():
    model = pinned(spec(), source="https://bucket/key", date="2026-11-29")
    assert (model.model_id, model.version, model.regions) == ("team-llama", "2.10.1", (REGION,))
    assert (model.hub_id, model.licence) == ("team/llama", "Team Community License")
    assert (model.is_gated, model.eula_key) == (True, "fmhMetadata/eula/teamEula.txt")
    assert (model.network_isolation, model.supports_components, model.volume_gib) == (True, True, 256)
    assert (model.startup_seconds, model.download_seconds) == (1500, 1200)
    assert model.default_instance_type == "ml.g5.2xlarge"
    assert (model.source, model.date) == ("https://bucket/key", "2026-11-29")
    sizes = {name: (one.accelerators, one.memory_mib) for name, one in model.instance_types.items()}
    assert sizes == {
        "ml.g5.12xlarge": (4, 98304),
        "ml.g5.2xlarge": (1, 16384),
        "ml.g6.12xlarge": (1, 16384),
    }


def test_what_a_specification_leaves_out_is_not_pinned():
    published = open_spec(deploy_kwargs=None, hosting_resource_requirements=None)
    for member in ("huggingface_id", "license", "inference_volume_size", "inference_enable_network_isolation"):
        del published[member]
    del published["dynamic_container_deployment_supported"]
    model = pinned(published)
    assert (model.hub_id, model.licence, model.volume_gib, model.startup_seconds) == (None, None, None, None)
    assert (model.network_isolation, model.supports_components, model.has_agreement) == (False, False, False)
    assert model.instance_types["ml.g5.2xlarge"].accelerators is None


def test_a_machine_image_of_the_host_is_pinned():
    ami = "al2-ami-sagemaker-inference-gpu-3-1"
    assert pinned(spec(deploy_kwargs={"inference_ami_version": ami})).inference_ami_version == ami


def test_a_deprecated_model_and_its_vulnerabilities_are_pinned():
    model = pinned(spec(deprecated=True, inference_vulnerable=True))
    assert (model.deprecated, model.vulnerabilities) == ("AWS does not say why.", ("not named",))
    named = spec(deprecated=True, deprecated_message="Use 3.0.0.", inference_vulnerabilities=["CVE-2026-1"])
    assert (pinned(named).deprecated, pinned(named).vulnerabilities) == ("Use 3.0.0.", ("CVE-2026-1",))
    assert pinned(spec(deprecate_warn_message="It ends in June.")).deprecated == "It ends in June."


def test_each_instance_type_has_its_own_image_and_archive():
    types = pinned(spec_by_instance()).instance_types
    found = {name: (one.images[REGION].rpartition("/")[2], one.artifact) for name, one in types.items()}
    assert found == {
        "ml.g5.12xlarge": (VLLM, "team/llama/g5-12xlarge/infer-prepack.tar.gz"),
        "ml.g5.2xlarge": (TGI, "team/llama/g5/infer-prepack.tar.gz"),
        "ml.g6.12xlarge": (TGI, "team/llama/inference-prepack/v1.0.0/infer-prepack.tar.gz"),
    }
    assert all(one.is_archive for one in types.values())


def test_the_preferred_configuration_that_cloudformation_can_create_is_taken():
    model = pinned(spec_with_configs())
    assert (model.config, model.model_id) == ("lmi", "team-llama")
    assert {name: one.images[REGION].rpartition("/")[2] for name, one in model.instance_types.items()} == {
        "ml.g5.12xlarge": LMI,
        "ml.g6.12xlarge": LMI,
    }
    assert notices(spec_with_configs()) == (
        f"The preferred configuration lmi-optimized is left out: it {TWO_SOURCES}.",
    )


def test_a_configuration_can_be_chosen():
    assert notices(spec_with_configs(), config="lmi") == ()
    assert refused(spec_with_configs(), config="lmi-optimized") == [
        f"--config='lmi-optimized': {TWO_SOURCES}. Try --config lmi."
    ]
    assert refused(spec_with_configs(), config="lmi-optimised") == [
        "--config='lmi-optimised': is no inference configuration of the model. Did you mean lmi-optimized?"
    ]
    assert refused(spec(), config="lmi") == [
        "--config='lmi': is no inference configuration of the model. Leave it out."
    ]


def test_a_model_without_a_configuration_that_cloudformation_can_create_is_refused():
    published = spec_with_configs()
    published["inference_configs"] = {"lmi-optimized": {"component_names": ["lmi-optimized"]}}
    assert refused(published) == [
        (
            "model='team-llama': has no inference configuration that CloudFormation can create: lmi-optimized"
            f" {TWO_SOURCES}. Choose another model."
        )
    ]


def test_a_configuration_replaces_members_and_merges_objects():
    changed = with_config(
        {
            "inference_configs": {"a": {"component_names": ["one", "two"]}},
            "inference_config_components": {
                "one": {"list": [3], "object": {"y": {"z": 2}, "gone": {}}, "deprecated": True},
                "two": {"object": {"y": {"w": 4}}},
            },
            "list": [1, 2],
            "object": {"x": 1, "y": {"z": 1}, "gone": {"v": 1}},
            "deprecated": False,
        },
        "a",
    )
    assert (changed["list"], changed["deprecated"]) == ([3], False)
    assert changed["object"] == {"x": 1, "y": {"z": 2, "w": 4}, "gone": {}}


@pytest.mark.parametrize(
    ("published", "reason"),
    [
        (open_spec(hosting_model_package_arns={REGION: "arn:aws:sagemaker:…"}), PACKAGE),
        (open_spec(model_subscription_link="https://aws.amazon.com/marketplace/…"), PACKAGE),
        (
            open_spec(
                hosting_instance_type_variants={
                    "regional_aliases": images(package="x"),
                    "variants": {"g5": {"regional_properties": {"model_package_arn": "$package"}}},
                }
            ),
            PACKAGE,
        ),
        (open_spec(hosting_use_script_uri=True, hosting_prepacked_artifact_key=None), SCRIPT),
        (
            open_spec(hosting_additional_data_sources={"scripts": [{"channel_name": "code"}]}),
            TWO_SOURCES,
        ),
    ],
)
def test_a_model_that_cloudformation_cannot_create_is_refused(published, reason):
    assert refused(published) == [f"model='team-llama': {reason}. Choose another model."]


def test_a_script_of_its_own_is_the_default_of_a_specification_that_says_nothing():
    published = open_spec(hosting_prepacked_artifact_key=None)
    del published["hosting_use_script_uri"]
    assert SCRIPT in refused(published)[0]
    published["hosting_prepacked_artifact_key"] = "team/llama/artifacts/inference-prepack/v1.0.0/"
    assert pinned(published).instance_types["ml.g5.2xlarge"].artifact.endswith("inference-prepack/v1.0.0/")


@pytest.mark.parametrize("key", [None, "team/llama/model.zip", "s3://elsewhere/llama/", 7])
def test_weights_that_are_no_object_of_the_bucket_are_refused(key):
    published = open_spec(hosting_prepacked_artifact_key=None, hosting_artifact_key=key)
    assert "that are neither a folder nor a .tar.gz archive in JumpStart's bucket" in refused(published)[0]


def test_instance_types_without_accelerators_are_left_out():
    published = open_spec(supported_inference_instance_types=["ml.m5.large", "ml.inf2.xlarge", "ml.g5.2xlarge"])
    assert list(pinned(published).instance_types) == ["ml.g5.2xlarge"]
    assert notices(published) == (
        "Left out, as an endpoint runs on one kind of accelerator: ml.m5.large, ml.inf2.xlarge.",
    )


def test_a_model_for_neuron_devices_is_pinned():
    published = open_spec(
        supported_inference_instance_types=["ml.inf2.24xlarge"],
        hosting_instance_type_variants={
            "regional_aliases": images(neuron_uri=NEURON),
            "variants": {"inf2": uses("neuron_uri")},
        },
    )
    model = pinned(published)
    assert (list(model.instance_types), model.default_instance_type) == (["ml.inf2.24xlarge"], None)


def test_a_model_for_cpus_is_refused():
    published = open_spec(supported_inference_instance_types=["ml.m5.large"])
    assert refused(published) == [
        (
            "model='team-llama': supports no instance type with GPUs or Neuron devices in eu-west-1. Choose"
            " another Region or model."
        )
    ]


def test_instance_types_without_an_image_in_the_region_are_left_out():
    published = open_spec()
    variants = published["hosting_instance_type_variants"]
    variants["regional_aliases"][REGION] = {"other": variants["regional_aliases"][REGION]["gpu_ecr_uri_1"]}
    variants["variants"]["g6"] = uses("other")
    assert list(pinned(published).instance_types) == ["ml.g6.12xlarge"]
    assert notices(published) == (
        "Left out, as eu-west-1 has no image for it: ml.g5.2xlarge.",
        "Left out, as eu-west-1 has no image for it: ml.g5.12xlarge.",
    )


def test_an_image_of_another_region_is_none():
    published = open_spec()
    aliases = published["hosting_instance_type_variants"]["regional_aliases"]
    aliases[REGION] = aliases["us-east-1"]
    assert "supports no instance type with GPUs" in refused(published)[0]


def test_instance_types_can_be_chosen():
    model = pinned(spec(), instance_types=["ml.g6.12xlarge"])
    assert (list(model.instance_types), model.default_instance_type) == (["ml.g6.12xlarge"], None)
    assert refused(spec(), instance_types=["ml.g6.12xlarge", "ml.p5.48xlarge"]) == [
        (
            "--instance-type='ml.p5.48xlarge': is not supported by team-llama 2.10.1 in eu-west-1. Use one of"
            " ml.g6.12xlarge."
        )
    ]
    assert "Leave it out." in refused(spec(), instance_types=["ml.p5.48xlarge"])[0]


def test_regions_are_pinned_together():
    model = pinned(spec(), "eu-west-1", "cn-north-1")
    assert model.regions == ("eu-west-1", "cn-north-1")
    assert model.instance_types["ml.g5.2xlarge"].images == {
        "eu-west-1": f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{TGI}",
        "cn-north-1": f"727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/{TGI}",
    }


def test_a_region_may_support_other_instance_types():
    further = spec(supported_inference_instance_types=["ml.g5.2xlarge", "ml.g6.2xlarge"])
    model = pin({"eu-west-1": spec(), "us-east-1": further}).model
    assert {name: list(one.images) for name, one in model.instance_types.items()} == {
        "ml.g5.12xlarge": ["eu-west-1"],
        "ml.g5.2xlarge": ["eu-west-1", "us-east-1"],
        "ml.g6.12xlarge": ["eu-west-1"],
        "ml.g6.2xlarge": ["us-east-1"],
    }


def test_regions_that_differ_are_refused():
    further = spec(inference_volume_size=30, inference_environment_variables=[variable("HF_MODEL_ID", "/elsewhere")])
    with pytest.raises(SpecError) as caught:
        pin({"eu-west-1": spec(), "us-east-1": further})
    fix = "Pin them in a file for each Region (--output)."
    where = "has other weights or variables there than in eu-west-1"
    assert [str(problem) for problem in caught.value.problems] == [
        f"--region='us-east-1': the model has other settings there than in eu-west-1. {fix}",
        *(
            f"--region='us-east-1': {name} {where}. {fix}"
            for name in ("ml.g5.12xlarge", "ml.g5.2xlarge", "ml.g6.12xlarge")
        ),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"hosting_instance_type_variants": 7},
        {"hosting_instance_type_variants": {"regional_aliases": [], "variants": {"g5": None}}},
        {"supported_inference_instance_types": "ml.g5.2xlarge"},
        {"supported_inference_instance_types": [7, None]},
    ],
)
def test_a_specification_of_another_form_is_an_error_that_says_so(changes):
    assert "supports no instance type with GPUs" in refused(open_spec(**changes))[0]


def test_members_of_another_form_count_as_left_out():
    published = open_spec(
        inference_environment_variables=[7, {"name": "A"}, variable("B", None), variable("C", 1)],
        inference_volume_size="256",
        deploy_kwargs={"container_startup_health_check_timeout": True, "model_data_download_timeout": -1},
        hosting_resource_requirements=[1],
        inference_configs=[],
    )
    model = pinned(published)
    assert model.instance_types["ml.g6.12xlarge"].environment == {"C": "1", "SM_NUM_GPUS": "4"}
    assert (model.volume_gib, model.startup_seconds, model.download_seconds, model.config) == (None, None, None, None)


def test_an_image_that_jumpstart_has_no_name_for_is_pinned_as_well():
    published = open_spec(
        hosting_instance_type_variants={
            "regional_aliases": images(gpu=PYTORCH),
            "variants": {"g5": uses("gpu"), "g6": uses("gpu")},
        }
    )
    assert pinned(published).instance_types["ml.g5.2xlarge"].images[REGION].endswith(PYTORCH)
