"""ContainerEndpoint: what a team's own image gets from SageMaker."""

from __future__ import annotations

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3 as s3

from constructs_lib import (
    ConfigurationError,
    ContainerEndpoint,
    ContainerProtocol,
    InstanceType,
    Model,
    OwnImage,
    ServingFacts,
    TgiEndpoint,
    TgiImage,
)
from tests.constructs_lib.rendered import CONFIG, MODEL, only, properties, template_of, variant

HERE = Environment(account="123456789012", region="eu-west-1")
URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/model-server:1.0.0"
CPU = InstanceType.without_accelerator("ml.c7i.xlarge")


@pytest.fixture
def stack(tmp_path):
    return Stack(App(outdir=str(tmp_path)), "Team", env=HERE)


def endpoint(stack, **given):
    arguments = {
        "image": OwnImage.from_uri(URI),
        "instance_type": CPU,
        "protocol": ContainerProtocol.OPENAI,
        "detailed_observability": False,
    }
    return ContainerEndpoint(stack, "Model", **(arguments | given))


def test_the_image_alone_is_a_model(stack):
    endpoint(stack)
    template = template_of(stack)
    container = only(template, MODEL)["Properties"]["PrimaryContainer"]
    assert container == {"Image": URI, "Environment": {}}
    assert variant(template)["InstanceType"] == "ml.c7i.xlarge"
    assert "InferenceAmiVersion" not in variant(template)


def test_an_image_of_a_repository_may_be_pulled_by_the_endpoints_role(stack):
    repository = ecr.Repository.from_repository_name(stack, "Images", "model-server")
    endpoint(stack, image=OwnImage.from_ecr_repository(repository, tag="1.0.0", cuda="12.4"))
    template = template_of(stack)
    assert "repository/model-server" in str(template["Resources"])


def test_weights_in_s3_are_mounted(stack):
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    endpoint(stack, model=Model.from_s3(weights, "model/"), startup_timeout=None)
    source = only(template_of(stack), MODEL)["Properties"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["CompressionType"] == "None"


def test_the_engine_is_what_the_container_speaks(stack):
    openai = endpoint(stack)
    assert (openai.engine, openai.serving.tools, openai.max_body_bytes) == ("openai", False, 6_291_456)


def test_what_is_declared_of_a_tgi_container_is_served(stack):
    facts = ServingFacts(max_total_tokens=4096, max_input_tokens=4000)
    tgi = endpoint(stack, protocol=ContainerProtocol.TGI, serving=facts, max_body_bytes=2_000_000)
    assert (tgi.engine, tgi.serving, tgi.max_body_bytes) == ("tgi", facts, 2_000_000)


def test_all_mistakes_are_named_at_once(stack):
    with pytest.raises(ConfigurationError) as error:
        endpoint(
            stack,
            image=OwnImage.from_uri("docker.io/library/python:3", cuda="twelve"),
            protocol="http",
            instance_type=InstanceType.cheapest_for(tokens=100),
        )
    keywords = [line.split("=")[0].strip(" -") for line in str(error.value).splitlines()[1:]]
    assert sorted(keywords) == ["image", "image.cuda", "instance_type", "protocol"]


def test_an_image_of_another_kind_is_refused(stack):
    with pytest.raises(ConfigurationError, match=r"must be an? OwnImage, not str"):
        endpoint(stack, image=URI)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (None, "None: must be an OwnImage, not NoneType"),
        (TgiImage.version("3.3.6"), "'3.3.6': must be an OwnImage, not TgiImage"),
    ],
)
def test_only_an_image_of_the_callers_own_will_do(stack, image, shown):
    with pytest.raises(ConfigurationError) as caught:
        endpoint(stack, image=image)
    assert str(caught.value).splitlines()[1:] == [f"  - image={shown}. Write OwnImage.from_ecr_repository(…)."]


def test_what_is_declared_has_to_be_known_at_synth(stack):
    tokens, release = CfnParameter(stack, "Tokens", type="Number"), CfnParameter(stack, "Release")
    with pytest.raises(ConfigurationError) as caught:
        endpoint(
            stack,
            image=OwnImage.from_uri(URI, cuda=release.value_as_string),
            serving=ServingFacts(max_total_tokens=tokens.value_as_number),
        )
    assert str(caught.value).splitlines()[1:] == [
        (
            "  - serving.max_total_tokens=(known at deployment): must be known at synth, because a front door passes it"
            " to its function. Write the value itself, or leave it out."
        ),
        (
            "  - image.cuda=(known at deployment): must be the major and minor number of a CUDA release. Write '12.4',"
            " or leave it out."
        ),
    ]


def test_an_argument_that_there_is_not_is_a_type_error(stack):
    with pytest.raises(TypeError, match=r"ContainerEndpoint\(\) got an unexpected keyword argument 'options'"):
        endpoint(stack, options={})


def test_a_fork_of_tgi_has_the_options_of_tgi(stack):
    image = TgiImage.from_uri(URI, version="2.0.1", own_build=True)
    TgiEndpoint(
        stack, "Fork", model=Model.from_hub("Qwen/Qwen3-8B"), instance_type=InstanceType.G5_2XLARGE, image=image
    )
    environment = only(template_of(stack), MODEL)["Properties"]["PrimaryContainer"]["Environment"]
    assert environment["MODEL_ID"] == environment["HF_MODEL_ID"] == "Qwen/Qwen3-8B"


def test_a_startup_timeout_is_always_given(stack):
    endpoint(stack)
    config = properties(template_of(stack), CONFIG)
    assert config["ProductionVariants"][0]["ContainerStartupHealthCheckTimeoutInSeconds"] == 1800
