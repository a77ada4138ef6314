"""The commands that copy an image of AWS's into a private registry."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.images.mirror import copy_commands
from tests.aws_cli import faults

if TYPE_CHECKING:
    from tests.constructs_lib.cli.conftest import Run

TGI = "huggingface-pytorch-tgi-inference"
TAG = "2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
MIRROR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
AWS = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"


def test_the_commands_copy_the_image_of_a_version_and_print_its_digest(run: Run) -> None:
    arguments = ("--mirror", "111122223333/mirror/aws", "--region", "eu-west-1", "--image", "3.3.6")
    login = "aws ecr get-login-password --region eu-west-1 | crane auth login {} -u AWS --password-stdin"
    here = f"--region eu-west-1 --repository-name mirror/aws/{TGI}"
    assert run("images", *arguments).out.splitlines() == [
        login.format(AWS),
        login.format(MIRROR),
        f"aws ecr create-repository {here} --image-tag-mutability IMMUTABLE",
        f"crane copy {AWS}/{TGI}:{TAG} {MIRROR}/mirror/aws/{TGI}:{TAG}",
        (
            f"aws ecr describe-images {here} --image-ids imageTag={TAG} --query 'imageDetails[0].imageDigest'"
            " --output text"
        ),
    ]


def test_the_newest_version_of_an_engine_is_the_default(run: Run) -> None:
    out = run("images", "--engine", "vllm", "--mirror", "111122223333", "--region", "eu-west-1").out
    repository, tag = engine_named("vllm").images.repository_and_tag(engine_named("vllm").images.newest) or ("", "")
    assert f"crane copy {AWS}/{repository}:{tag} {MIRROR}/{repository}:{tag}\n" in out


def test_where_aws_does_not_publish_the_image_it_comes_from_us_east_1() -> None:
    images = engine_named("vllm").images
    commands = copy_commands(images, "0.30.0", account="111122223333", prefix="", region="eusc-de-east-1")
    assert "--region us-east-1 | crane auth login 763104351884.dkr.ecr.us-east-1.amazonaws.com " in commands[0]
    assert " 111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu/vllm:0.30.0" in commands[3]


@pytest.mark.parametrize("engine", [name for name in ENGINES if engine_named(name).images.versions])
def test_the_commands_of_the_aws_cli_exist(engine: str) -> None:
    images = engine_named(engine).images
    for version in images.versions:
        commands = copy_commands(images, version, account="111122223333", prefix="mirror", region="us-east-1")
        assert "None" not in str(commands)
        for command in commands:
            # A custom command of the AWS CLI, which no model has.
            if command.startswith("aws ") and "get-login-password" not in command:
                assert faults(command) == []
            assert shlex.split(command)


def test_every_mistake_is_told(run: Run) -> None:
    told = run("images", "--mirror", "1/mirror/", "--image", "3.3.60").err
    assert "--image '3.3.60': is not known. Did you mean 3.3.6" in told
    assert "--region: is required with --mirror. Give the Region of your endpoints." in told
    assert "--mirror '1/mirror/': must be the 12 digits of an account. Write 123456789012/mirror." in told
    assert "--mirror '1/mirror/': must be the beginning of a repository's name" in told


def test_a_registry_in_a_region_that_nobody_knows_is_an_error(run: Run) -> None:
    assert "--region 'mars': is not known." in run("images", "--mirror", "111122223333", "--region", "mars").err
