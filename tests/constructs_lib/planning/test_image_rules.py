"""Images that are named by their URI: AWS's own, copies of them, and others."""

import pytest

from constructs_lib.planning.images.catalogue import ImageChoice, ImageUri, parse_uri

AWS = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
TGI = f"{AWS}/huggingface-pytorch-tgi-inference"
RIGHT = "2.1.1-tgi1.4.0-gpu-py310-cu121-ubuntu20.04"
COPY = "210987654321.dkr.ecr.us-east-1.amazonaws.com/copy/tgi"
FIX = "which has the right account, Region and tag."


def named(uri, version="1.4.0"):
    return {"image": ImageChoice(version=version, uri_override=True, uri=uri), "region": "us-east-1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (named(f"{TGI}:{RIGHT}"), []),
        (named(f"{TGI}:{RIGHT}-v1.0"), []),
        (named(f"{TGI}:{RIGHT}-v1.0-2024-02-01-10-00-00"), []),
        (named(f"{TGI}:2.1-tgi1.4-gpu-py310-cu121-ubuntu20.04"), []),
        (named(f"{TGI}:2.1.1-gpu-py310-cu121-ubuntu20.04-v1"), []),
        (
            named(f"{TGI}:2.0-tgi1.1-gpu-py39-cu118-ubuntu20.04"),
            ["its tag names TGI 1.1, but version says '1.4.0'. Change version, or give another tag."],
        ),
        (named(f"{TGI}@sha256:{'0' * 64}"), []),
        (
            named(f"{TGI}:2.1.1-tgi1.4.0-gpu-py310-cu121-ubuntu22.04"),
            [f"AWS publishes no such tag; that of TGI 1.4.0 is {RIGHT}. Write TgiImage.version('1.4.0'), {FIX}"],
        ),
        (
            named(f"{TGI}:latest"),
            [f"AWS publishes no such tag; that of TGI 1.4.0 is {RIGHT}. Write TgiImage.version('1.4.0'), {FIX}"],
        ),
        (
            named(f"{TGI}:{RIGHT}", version="2.0.0"),
            ["its tag names TGI 1.4.0, but version says '2.0.0'. Change version, or give another tag."],
        ),
        (
            named(f"{TGI.replace('763104351884', '626614931356')}:{RIGHT}"),
            [
                (
                    "AWS's images for us-east-1 are in the account 763104351884, not in 626614931356."
                    f" Write TgiImage.version('1.4.0'), {FIX}"
                )
            ],
        ),
        (
            named(f"{TGI.replace('us-east-1', 'eu-west-1')}:{RIGHT}"),
            [
                (
                    "is in eu-west-1; SageMaker pulls images from the endpoint's own Region, us-east-1, only."
                    f" Write TgiImage.version('1.4.0'), {FIX}"
                )
            ],
        ),
        (
            named("210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/tgi:1"),
            [
                (
                    "is in eu-west-1; SageMaker pulls images from the endpoint's own Region, us-east-1, only."
                    " Copy the image to a repository in us-east-1."
                )
            ],
        ),
        (
            named(f"{TGI}:2.1.2-optimum0.0.25-inf2-py310-ubuntu22.04"),
            [
                (
                    "is for Inferentia and Trainium, but this construct runs TGI on NVIDIA GPUs."
                    f" Write TgiImage.version('1.4.0'), {FIX}"
                )
            ],
        ),
        (
            named(f"{AWS}/djl-inference:0.29.0-lmi11.0.0-cu124", version="3.3.6"),
            [f"is AWS's image of DJL Serving (LMI), not of TGI. Write TgiImage.version('3.3.6'), {FIX}"],
        ),
        (
            named(f"{AWS}/huggingface-vllm:0.28.0-transformers5.15.0-gpu-py312-cu130-ubuntu24.04-v1.0"),
            [f"is AWS's image of vLLM, not of TGI. Write TgiImage.version('1.4.0'), {FIX}"],
        ),
        (
            named(f"{AWS}/pytorch-inference:2.6.0-gpu", version="9.9.9"),
            [f"is another image of AWS's, not of TGI. Write TgiImage.version('3.3.6'), {FIX}"],
        ),
        (named("210987654321.dkr.ecr.us-east-1.amazonaws.com/team/tgi:patched", version="3.3.6"), []),
        (named("210987654321.dkr.ecr.us-east-1.${Token[AWS.URLSuffix.1]}/team/tgi:patched", version="3.3.6"), []),
        (
            named(f"{COPY}:{RIGHT}", version="3.3.6"),
            ["its tag names TGI 1.4.0, but version says '3.3.6'. Change version, or give another tag."],
        ),
        (
            named(
                "210987654321.dkr.ecr.us-east-1.amazonaws.com/copy/tgi:2.1.2-optimum0.0.25-inf2-py310", version="3.3.6"
            ),
            [
                (
                    "is for Inferentia and Trainium, but this construct runs TGI on NVIDIA GPUs."
                    f" Write TgiImage.version('3.3.6'), {FIX}"
                )
            ],
        ),
    ],
)
def test_an_image_that_is_not_what_the_request_says_is_reported(changes, words, planning):
    found = [
        problem for problem in planning(hub_id="tiiuae/falcon-7b", **changes).problems if problem.keyword == "image"
    ]
    assert [f"{problem.message}. {problem.fix}" for problem in found] == words
    assert all(problem.value == changes["image"].uri for problem in found)


@pytest.mark.parametrize(
    ("version", "ids"), [("3.3.7", ["tgi-endpoint:unknownImage"]), ("2.0.3", ["tgi-endpoint:unknownImage"])]
)
def test_a_version_that_the_catalogue_does_not_have_brings_a_warning(version, ids, planning):
    uri = f"{TGI}:2.7.0-tgi{version}-gpu-py311-cu124-ubuntu22.04"
    plan = planning(hub_id="tiiuae/falcon-7b", **named(uri, version=version))
    found = [warning.id for warning in plan.warnings if "Image" in warning.id]
    assert ([problem for problem in plan.problems if problem.keyword == "image"], found) == ([], ids)


def test_the_right_image_brings_no_warning(planning):
    plan = planning(hub_id="tiiuae/falcon-7b", **named(f"{TGI}:{RIGHT}"))
    assert not [warning for warning in plan.warnings if "Image" in warning.id]


def test_a_version_like_another_ones_begin_is_not_taken_for_it(planning):
    uri = f"{TGI}:2.1.1-tgi1.1-gpu-py310-cu121-ubuntu20.04"
    plan = planning(hub_id="tiiuae/falcon-7b", **named(uri, version="1.10.0"))
    (found,) = [one for one in plan.problems if one.keyword == "image"]
    assert "its tag names TGI 1.1, but version says '1.10.0'" in found.message


def test_a_region_that_is_not_known_is_not_compared(refusals):
    image = ImageChoice(version="3.3.6", uri_override=True, uri="210987654321.dkr.ecr.eu-west-1.amazonaws.com/a:1")
    assert refusals(image=image, region=None) == []


def test_variables_of_aws_own_image_are_checked_like_those_of_the_catalogues(refusals):
    uri = f"{TGI}:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
    (found,) = refusals(environment={"MAX_INPUT_TOKEN": "1"}, **named(uri, version="3.3.6"))
    assert "TGI has no such variable" in found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"{AWS}/a/b:1", ImageUri("763104351884", "us-east-1", "a/b", "1")),
        (f"{AWS}/a@sha256:{'0' * 64}", ImageUri("763104351884", "us-east-1", "a", "")),
        (
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a:1",
            ImageUri("123456789012", "us-gov-west-1", "a", "1"),
        ),
        ("ghcr.io/huggingface/text-generation-inference:3.3.6", None),
        ("${Token[AWS.AccountId.0]}.dkr.ecr.us-east-1.amazonaws.com/a:1", None),
    ],
)
def test_a_uri_is_read(text, parts):
    assert parse_uri(text) == parts
