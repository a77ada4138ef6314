"""LoRA adapters of an endpoint, as inference components in the template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    ConfigurationError,
    InstanceType,
    LoraAdapter,
    Model,
    ScaleToZero,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
    VllmOptions,
)
from scripts.lint_templates import lint_template
from tests.constructs_lib.rendered import (
    COMPONENT,
    as_list,
    container,
    resources,
    statement_with,
    statements,
    template_of,
)

if TYPE_CHECKING:
    from pathlib import Path

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


def endpoint(stack: Stack, **changes: Any) -> VllmEndpoint:
    """An endpoint with two adapters."""
    bucket = s3.Bucket.from_bucket_name(stack, "Adapters", "team-adapters")
    arguments: dict[str, Any] = {
        "model": QWEN,
        "instance_type": InstanceType.G6E_XLARGE,
        "scale_to_zero": ScaleToZero(),
        "adapters": [
            LoraAdapter.from_s3_archive("sql", bucket, "sql.tar.gz"),
            LoraAdapter.from_s3_archive("law", bucket, "law.tar.gz", rank=64),
        ],
    } | changes
    return VllmEndpoint(stack, "Qwen", **arguments)


def stack_in(tmp_path: Path) -> Stack:
    app = App(outdir=str(tmp_path / "cdk.out"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(), ServerlessChecks())
    return Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))


def test_each_adapter_is_a_component_of_the_models(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    found = endpoint(stack)
    template = template_of(stack)
    components = {one["Properties"]["InferenceComponentName"]: one for one in resources(template, COMPONENT).values()}
    assert components.keys() == {found.inference_component_name, *found.adapter_components.values()}
    law = components[found.adapter_components["law"]]
    assert law["Properties"]["Specification"] == {
        "BaseInferenceComponentName": found.inference_component_name,
        "Container": {"ArtifactUrl": "s3://team-adapters/law.tar.gz"},
    }
    base = next(key for key, one in resources(template, COMPONENT).items() if "Adapter" not in key)
    assert law["DependsOn"] == [base]
    assert lint_template(json.dumps(template), ["eu-west-1"]) == []


def test_vllm_is_told_to_load_them_while_it_runs(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    endpoint(stack, options=VllmOptions(max_loras=4))
    assert container(template_of(stack))["Environment"].items() >= {
        ("SM_VLLM_ENABLE_LORA", "true"),
        ("SM_VLLM_MAX_LORA_RANK", "64"),
        ("SM_VLLM_MAX_LORAS", "4"),
        ("SM_VLLM_MAX_CPU_LORAS", "4"),
        ("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "true"),
    }


def test_the_role_reads_the_archives_and_callers_may_invoke_the_components(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    found = endpoint(stack)
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    found.grant_invoke(caller)
    template = template_of(stack)
    read = json.dumps([one for one in statements(template) if "s3:GetObject" in as_list(one["Action"])])
    assert all(f"team-adapters/{key}" in read for key in ("sql.tar.gz", "law.tar.gz"))
    invoked = json.dumps(statement_with(template, "sagemaker:InvokeEndpoint"))
    assert all(f"inference-component/{name}" in invoked for name in found.adapter_components.values())


def test_without_a_component_of_the_model_adapters_are_refused_with_other_problems(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(stack_in(tmp_path), scale_to_zero=None, options=VllmOptions(tensor_parallel_size=2, max_lora_rank=32))
    assert [line.partition("=")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "- options.tensor_parallel_size",
        "- adapters[1].rank",
        "- adapters",
    ]


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"adapters=\['sql'\]: must be a list of LoraAdapter"):
        endpoint(stack_in(tmp_path), adapters=["sql"])


def test_an_adapter_that_is_no_list_is_refused(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    bucket = s3.Bucket.from_bucket_name(stack, "Archives", "team-adapters")
    one: Any = LoraAdapter.from_s3_archive("sql", bucket, "sql.tar.gz")
    with pytest.raises(ConfigurationError, match=r"adapters=.*: must be a list of LoraAdapter"):
        endpoint(stack, adapters=one)


def test_adapters_of_tgi_are_named_to_a_front_door(tmp_path: Path) -> None:
    found = TgiEndpoint(
        stack_in(tmp_path),
        "Qwen",
        model=QWEN,
        instance_type=InstanceType.G6E_XLARGE,
        options=TgiOptions(lora_adapters=["owner/sql", "law=/opt/ml/model/law"]),
    )
    assert found.serving.adapters == ("owner/sql", "law")
    assert found.adapter_components == {}
