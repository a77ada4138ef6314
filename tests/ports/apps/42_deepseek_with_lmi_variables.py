"""DeepSeek R1 Distill Llama 8B with variables of AWS's other container, LMI."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions

LMI_VARIABLES = {
    "OPTION_MAX_MODEL_LEN": "10000",
    "OPTION_GPU_MEMORY_UTILIZATION": "0.95",
    "OPTION_ENABLE_STREAMING": "false",
    "OPTION_ROLLING_BATCH": "auto",
    "OPTION_MODEL_LOADING_TIMEOUT": "3600",
    "OPTION_PAGED_ATTENTION": "false",
    "OPTION_DTYPE": "fp16",
}


def build(app: App) -> Stack:
    stack = Stack(app, "LmiVariables", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "DeepSeek",
        model=Model.from_hub("deepseek-ai/DeepSeek-R1-Distill-Llama-8B"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("3.0.1"),
        options=TgiOptions(max_concurrent_requests=10),
        startup_timeout=Duration.minutes(10),
        environment=LMI_VARIABLES | {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"},
    )
    return stack
