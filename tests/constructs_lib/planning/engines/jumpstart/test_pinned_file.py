"""The file of a pinned model: readable in a review, and rejected with everything that is wrong with it."""

import json

import pytest

from constructs_lib.planning.engines.jumpstart.pinned import PinnedInstance, PinnedModel, bucket_url
from constructs_lib.planning.engines.jumpstart.pinned_file import JumpStartFileError, read_pinned, write_pinned
from constructs_lib.planning.engines.jumpstart.spec import pin
from tests.constructs_lib.planning.engines.jumpstart.specs import TGI, open_spec, spec, spec_by_instance

AGAIN = "Write the file again with tgi-endpoint jumpstart add."
IMAGE = f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{TGI}"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.json"


@pytest.fixture
def content():
    """The content of a right file, with as little as it may have."""
    return {
        "format": 1,
        "model_id": "team-llama",
        "version": "1.0.0",
        "regions": ["eu-west-1"],
        "instance_types": {"ml.g5.2xlarge": {"images": {"eu-west-1": IMAGE}, "artifact": "team/llama/"}},
    }


def problems(file, content):
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(JumpStartFileError) as caught:
        read_pinned(file)
    assert str(caught.value).startswith(f"{file} cannot be used\n  - ")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("published", [spec(), open_spec(), spec_by_instance()])
def test_a_model_is_read_as_it_was_written(file, published):
    model = pin({"eu-west-1": published, "us-east-1": published}, source="https://bucket/key", date="2026-11-29").model
    write_pinned(file, model)
    assert read_pinned(file) == model


def test_a_file_may_leave_out_what_is_not_published(file, content):
    file.write_text(json.dumps(content))
    assert read_pinned(file) == PinnedModel(
        model_id="team-llama",
        version="1.0.0",
        regions=("eu-west-1",),
        instance_types={"ml.g5.2xlarge": PinnedInstance(images={"eu-west-1": IMAGE}, artifact="team/llama/")},
    )


def test_each_value_has_a_line_of_its_own(file):
    """So that a diff shows what has changed, and nothing else."""
    published = spec(deprecated=True, inference_vulnerabilities=["CVE-2026-1"])
    write_pinned(file, pin({"eu-west-1": published}, date="2026-11-29", instance_types=["ml.g5.2xlarge"]).model)
    assert file.read_text().splitlines() == [
        "{",
        (
            '  "about": "A model of SageMaker JumpStart that tgi-endpoint jumpstart add has read. Commit it; synth'
            ' reads it.",'
        ),
        '  "format": 1,',
        '  "model_id": "team-llama",',
        '  "version": "2.10.1",',
        '  "regions": [',
        '    "eu-west-1"',
        "  ],",
        '  "default_instance_type": "ml.g5.2xlarge",',
        '  "hub_id": "team/llama",',
        '  "licence": "Team Community License",',
        '  "is_gated": true,',
        '  "eula_key": "fmhMetadata/eula/teamEula.txt",',
        '  "network_isolation": true,',
        '  "supports_components": true,',
        '  "volume_gib": 256,',
        '  "startup_seconds": 1500,',
        '  "download_seconds": 1200,',
        '  "deprecated": "AWS does not say why.",',
        '  "vulnerabilities": [',
        '    "CVE-2026-1"',
        "  ],",
        '  "date": "2026-11-29",',
        '  "instance_types": {',
        '    "ml.g5.2xlarge": {',
        '      "images": {',
        f'        "eu-west-1": "{IMAGE}"',
        "      },",
        '      "artifact": "team/llama/artifacts/inference-prepack/v1.0.0/",',
        '      "environment": {',
        '        "HF_MODEL_ID": "/opt/ml/model",',
        '        "MAX_INPUT_TOKENS": "1000",',
        '        "MAX_TOTAL_TOKENS": "2000"',
        "      },",
        '      "accelerators": 1,',
        '      "memory_mib": 16384',
        "    }",
        "  }",
        "}",
    ]


def test_a_file_keeps_its_mode_and_is_replaced_in_one_step(file):
    file.write_text("old")
    file.chmod(0o600)
    write_pinned(file, pin({"eu-west-1": spec()}).model)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("json.dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_pinned(tmp_path / "model.json", pin({"eu-west-1": spec()}).model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[" * 100_000, "is not JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_file_that_is_not_json_is_rejected(file, text, problem):
    (found,) = problems(file, text)
    assert found.startswith(f"file='{file}': {problem}"[:110])
    assert found.endswith(AGAIN)


def test_a_file_that_does_not_exist_is_rejected(file):
    with pytest.raises(JumpStartFileError) as caught:
        read_pinned(file)
    assert str(caught.value.problems[0]) == f"file='{file}': cannot be read: No such file or directory. {AGAIN}"


@pytest.mark.parametrize("content", [[], {}, {"format": 2}, {"format": "1"}, {"models": []}])
def test_a_file_of_another_format_is_rejected(file, content):
    assert problems(file, content) == [
        (
            "format=1: is the format that the file must have. Write the file again with tgi-endpoint jumpstart add of"
            " this version of the library."
        )
    ]


def test_all_problems_are_reported_together(file, content):
    content |= {
        "model_id": "",
        "regions": ["Dublin"],
        "is_gated": "yes",
        "volume_gib": 0,
        "default_instance_type": "ml.g6.xlarge",
        "colour": "green",
        "vulnerabilities": [7],
        "instance_types": {
            "g5": {"artifact": "s3://bucket/key.zip", "environment": {"A": 1}},
            "ml.g5.2xlarge": 7,
            "ml.g6.2xlarge": {"images": {"eu-west-1": 7}, "artifact": "a/", "accelerators": True, "gpu": 1},
        },
    }
    del content["version"]
    type_name = "must be SageMaker's name, such as ml.g5.2xlarge"
    assert problems(file, content) == [
        f"version=None: is missing. {AGAIN}",
        f"model_id='': must be a string that is not empty. {AGAIN}",
        f"regions=['Dublin']: must be a list of Regions, such as eu-west-1. {AGAIN}",
        f"is_gated='yes': must be true or false. {AGAIN}",
        f"volume_gib=0: must be a whole number above 0. {AGAIN}",
        "colour='green': is unknown. Remove it.",
        f"vulnerabilities=[7]: must be a list of strings. {AGAIN}",
        f"instance_types['g5']='g5': {type_name}. {AGAIN}",
        f"instance_types['g5'].images=None: is missing. {AGAIN}",
        (
            "instance_types['g5'].artifact='s3://bucket/key.zip': must be a key that ends in / (a folder) or .tar.gz."
            f" {AGAIN}"
        ),
        f"instance_types['g5'].environment={{'A': 1}}: must be an object whose values are strings. {AGAIN}",
        f"instance_types['ml.g5.2xlarge']=7: must be an object. {AGAIN}",
        (
            "instance_types['ml.g6.2xlarge'].images={'eu-west-1': 7}: must be an object with the image's URI by Region."
            f" {AGAIN}"
        ),
        f"instance_types['ml.g6.2xlarge'].accelerators=True: must be a whole number above 0. {AGAIN}",
        "instance_types['ml.g6.2xlarge'].gpu=1: is unknown. Remove it.",
        f"default_instance_type='ml.g6.xlarge': is none of instance_types. {AGAIN}",
    ]


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        ({"us-east-1": IMAGE}, "images='us-east-1': is none of regions"),
        ({}, "images={}: must be an object with the image's URI by Region"),
        ({"eu-west-1": "vllm/vllm-openai"}, "images['eu-west-1']='vllm/vllm-openai': must be the URI of an image in"),
        (
            {"eu-west-1": IMAGE.replace("eu-west-1", "us-east-1")},
            f"images['eu-west-1']='{IMAGE.replace('eu-west-1', 'us-east-1')}': must be the URI of an image in",
        ),
    ],
)
def test_an_image_is_one_of_its_region(file, content, images, problem):
    content["instance_types"]["ml.g5.2xlarge"]["images"] = images
    (found,) = problems(file, content)
    assert found.startswith(f"instance_types['ml.g5.2xlarge'].{problem}"[:115])


@pytest.mark.parametrize("types", [{}, [], None])
def test_a_file_without_instance_types_is_rejected(file, content, types):
    assert problems(file, content | {"instance_types": types}) == [
        f"instance_types={types!r}: must be an object with what the model runs on each instance type. {AGAIN}"
    ]


def test_the_buckets_are_named_as_the_sdk_names_them():
    from sagemaker.core.jumpstart.constants import JUMPSTART_LAUNCHED_REGIONS

    from constructs_lib.planning.engines.jumpstart.pinned import bucket_name

    for region in JUMPSTART_LAUNCHED_REGIONS:
        assert bucket_name(region.region_name) == region.content_bucket
        assert bucket_name(region.region_name, gated=True) == region.gated_content_bucket


def test_the_licence_agreement_lies_in_the_public_bucket_of_the_region():
    model = pin({"cn-north-1": spec()}).model
    assert bucket_url("eu-west-1") == "https://jumpstart-cache-prod-eu-west-1.s3.eu-west-1.amazonaws.com"
    assert model.agreement_url("cn-north-1") == (
        "https://jumpstart-cache-prod-cn-north-1.s3.cn-north-1.amazonaws.com.cn/fmhMetadata/eula/teamEula.txt"
    )
    assert pin({"eu-west-1": open_spec()}).model.agreement_url("eu-west-1") is None
