from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib import (
    ConfigurationError,
    ImageMirror,
    InstanceType,
    LmiEndpoint,
    LmiImage,
    Model,
    SglangEndpoint,
    SglangImage,
    TgiEndpoint,
    TgiImage,
    TgiNeuronEndpoint,
    TgiNeuronImage,
    TgiOptions,
    VllmEndpoint,
    VllmImage,
)
from tests.constructs_lib.rendered import as_list, container, statement_with, statements, template_of, text

if TYPE_CHECKING:
    from constructs_lib.endpoint.engine_image import EngineImage

DIGEST = f"sha256:{'0a' * 32}"
MIRROR = ImageMirror(account="111122223333", prefix="mirror/aws")
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
TGI = "huggingface-pytorch-tgi-inference"
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


def endpoint(stack: Stack, image: object, construct: type[Any] = TgiEndpoint, **arguments: Any) -> Any:
    given: dict[str, Any] = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "image": image}
    return construct(stack, "Qwen", **(given | arguments))


def ecr_rights(stack: Stack) -> dict[str, list[str]]:
    """The actions on ECR by their resource."""
    return {
        text(one["Resource"]): as_list(one["Action"])
        for one in statements(template_of(stack))
        if "ecr:" in str(one["Action"])
    }


def test_the_copy_in_another_account_is_run_by_its_digest_and_the_role_may_pull_it_alone(stack: Stack) -> None:
    endpoint(stack, TgiImage.version("3.3.6").mirrored(MIRROR, digest=DIGEST))
    image = container(template_of(stack))["Image"]
    assert image == f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror/aws/{TGI}@{DIGEST}"
    assert ecr_rights(stack) == {
        f"arn:<AWS::Partition>:ecr:eu-west-1:111122223333:repository/mirror/aws/{TGI}": PULL,
        "*": ["ecr:GetAuthorizationToken"],
    }


def test_the_copy_is_in_the_endpoints_account_and_under_awss_name_by_default(app: App) -> None:
    stack = Stack(app, "Anywhere")
    endpoint(stack, TgiImage.version("3.3.6").mirrored(ImageMirror(), digest=DIGEST))
    image = text(container(template_of(stack))["Image"])
    assert image == f"<AWS::AccountId>.dkr.ecr.<AWS::Region>.<AWS::URLSuffix>/{TGI}@{DIGEST}"
    (repository, _) = ecr_rights(stack)
    assert repository == f"arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/{TGI}"
    assert "Mappings" not in template_of(stack)


def test_a_pull_through_cache_may_import_into_this_repository_alone(stack: Stack) -> None:
    mirror = ImageMirror(prefix="cache", pull_through_cache=True)
    endpoint(stack, TgiImage.version("3.3.6").mirrored(mirror, digest=DIGEST))
    imported = statement_with(template_of(stack), "ecr:BatchImportUpstreamImage")
    assert imported["Resource"] == statement_with(template_of(stack), "ecr:BatchGetImage")["Resource"]
    assert text(imported["Resource"]).endswith(f":123456789012:repository/cache/{TGI}")


@pytest.mark.parametrize(
    ("construct", "image", "instance", "repository"),
    [
        (VllmEndpoint, VllmImage.version("0.30.0"), InstanceType.G6E_2XLARGE, "vllm"),
        (VllmEndpoint, VllmImage.hugging_face("0.29.0"), InstanceType.G6E_2XLARGE, "huggingface-vllm"),
        (SglangEndpoint, SglangImage.version("0.5.20"), InstanceType.G6E_2XLARGE, "sglang"),
        (LmiEndpoint, LmiImage.version("27.0.0"), InstanceType.G6E_2XLARGE, "djl-inference"),
        (TgiNeuronEndpoint, TgiNeuronImage.version("0.3.0"), InstanceType.INF2_8XLARGE, TGI),
    ],
)
def test_every_engine_and_publisher_has_its_repository(
    stack: Stack, construct: type[Any], image: EngineImage, instance: InstanceType, repository: str
) -> None:
    model = Model.from_hub("NousResearch/Meta-Llama-3-8B") if construct is TgiNeuronEndpoint else QWEN
    mirrored = image.mirrored(MIRROR, digest=DIGEST)
    assert type(mirrored) is type(image)
    endpoint(stack, mirrored, construct, instance_type=instance, model=model)
    assert container(template_of(stack))["Image"].endswith(f"/mirror/aws/{repository}@{DIGEST}")


def test_everything_but_the_image_and_the_right_is_as_without_a_mirror(app: App) -> None:
    here = Environment(account="123456789012", region="eu-west-1")
    rendered = []
    for name, image in (
        ("Aws", TgiImage.version("3.3.6")),
        ("Own", TgiImage.version("3.3.6").mirrored(MIRROR, digest=DIGEST)),
    ):
        stack = Stack(app, name, env=here)
        endpoint(stack, image)
        rendered.append(stack)
    aws, own = (str(template_of(stack)["Resources"]) for stack in rendered)
    account, uri = "763104351884", f"{TGI}:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
    aws = aws.replace(uri, f"mirror/aws/{TGI}@{DIGEST}").replace(account, "111122223333")
    assert aws.replace(f"repository/{TGI}", f"repository/mirror/aws/{TGI}").replace("Aws/", "Own/") == own


def test_the_version_decides_which_options_exist(stack: Stack) -> None:
    image = TgiImage.version("2.0.2").mirrored(MIRROR, digest=DIGEST)
    with pytest.raises(ConfigurationError, match=r"options\.kv_cache_dtype"):
        endpoint(stack, image, options=TgiOptions(kv_cache_dtype="fp8_e5m2"))


def test_a_version_that_the_catalogue_lacks_is_an_error(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match=r"image='9\.9\.9': AWS publishes no image of that TGI version"):
        endpoint(stack, TgiImage.version("9.9.9").mirrored(MIRROR, digest=DIGEST))


def test_a_region_without_awss_image_can_have_a_copy(app: App) -> None:
    stack = Stack(app, "Far", env=Environment(account="123456789012", region="eusc-de-east-1"))
    image = VllmImage.version("0.30.0")
    with pytest.raises(ConfigurationError, match=r"region='eusc-de-east-1': AWS publishes no image of vLLM 0\.30\.0"):
        endpoint(stack, image, VllmEndpoint)
    endpoint(stack, image.mirrored(MIRROR, digest=DIGEST), VllmEndpoint)
    found = container(template_of(stack))["Image"]
    assert found == f"111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu/mirror/aws/vllm@{DIGEST}"


def test_account_prefix_and_digest_may_be_known_at_deployment_only(stack: Stack) -> None:
    given = {name: CfnParameter(stack, name).value_as_string for name in ("Account", "Prefix", "Digest")}
    mirror = ImageMirror(account=given["Account"], prefix=given["Prefix"])
    endpoint(stack, TgiImage.version("3.3.6").mirrored(mirror, digest=given["Digest"]))
    image = text(container(template_of(stack))["Image"])
    assert image == f"<Account>.dkr.ecr.eu-west-1.amazonaws.com/<Prefix>/{TGI}@<Digest>"


@pytest.mark.parametrize(
    ("mirror", "digest", "problems"),
    [
        (
            ImageMirror(account="1234", prefix="Mirror/", pull_through_cache="on"),  # type: ignore[arg-type]
            "sha256:abc",
            [
                "image.mirror.account='1234': must be the 12 digits of an account. Write '123456789012'.",
                (
                    "image.mirror.prefix='Mirror/': must be the beginning of a repository's name, without a slash at"
                    " its end: up to 200 lower-case letters, digits and single . _ - / between them. Write 'mirror' for"
                    " mirror/huggingface-pytorch-tgi-inference."
                ),
                "image.mirror.pull_through_cache='on': must be True or False. Give a bool.",
                (
                    "image.digest='sha256:abc': must be sha256: and 64 hexadecimal digits in lower case. Write"
                    " 'sha256:…', which tgi-endpoint images --mirror says how to read."
                ),
            ],
        ),
        (
            "mirror",
            DIGEST.upper(),
            [
                "image.mirror='mirror': must be an ImageMirror, not str. Write ImageMirror(prefix='mirror').",
                (
                    f"image.digest='{DIGEST.upper()}': must be sha256: and 64 hexadecimal digits in lower case. Write"
                    " 'sha256:…', which tgi-endpoint images --mirror says how to read."
                ),
            ],
        ),
    ],
)
def test_all_problems_are_told_together(stack: Stack, mirror: Any, digest: str, problems: list[str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        endpoint(stack, TgiImage.version("3.3.6").mirrored(mirror, digest=digest))
    assert [str(one) for one in error.value.problems] == problems


def test_an_image_with_a_place_of_its_own_is_not_mirrored(stack: Stack) -> None:
    own = TgiImage.from_uri("210987654321.dkr.ecr.eu-west-1.amazonaws.com/tgi:1", version="3.3.6")
    with pytest.raises(ConfigurationError) as error:
        endpoint(stack, own.mirrored(MIRROR, digest=DIGEST))
    assert [str(one) for one in error.value.problems] == [
        (
            "image.mirrored=(called): copies the images of a catalogue, but this image has a place of its own. Write"
            " version(…).mirrored(…), or name the copy itself with from_ecr_repository or from_uri."
        )
    ]


@pytest.mark.parametrize(
    ("tag", "problem"),
    [
        ("sha256:12", "must be sha256: and 64 hexadecimal digits in lower case"),
        ("latest@sha256", "must be a tag of 1 to 128 letters, digits and . _ -, or a digest"),
        ("", "must be a tag of 1 to 128 letters, digits and . _ -, or a digest"),
        (None, "must be a tag of 1 to 128 letters, digits and . _ -, or a digest"),
    ],
)
def test_a_tag_or_digest_that_ecr_cannot_have_is_an_error(stack: Stack, tag: Any, problem: str) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Images", "images")
    with pytest.raises(ConfigurationError) as error:
        endpoint(stack, TgiImage.from_ecr_repository(repository, tag=tag, version="3.3.6"))
    assert [(one.keyword, one.message) for one in error.value.problems] == [("image.tag", problem)]


def test_an_image_of_ones_own_can_be_pinned_by_its_digest(stack: Stack) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Images", "images")
    endpoint(stack, TgiImage.from_ecr_repository(repository, tag=DIGEST, version="3.3.6"))
    assert text(container(template_of(stack))["Image"]).endswith(f"/images@{DIGEST}")
