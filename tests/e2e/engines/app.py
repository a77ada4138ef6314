"""One model with SGLang and LMI behind one front door, and with vLLM behind another one."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack

from constructs_lib import (
    Access,
    FrontDoor,
    InstanceType,
    LmiEndpoint,
    LmiImage,
    Model,
    SglangEndpoint,
    SglangOptions,
    VllmEndpoint,
    VllmImage,
    VllmOptions,
)

app = App()
stack = Stack(app, "Engines", env=Environment(account="123456789012", region="us-east-1"))
model = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
sglang = SglangEndpoint(
    stack,
    "Sglang",
    model=model,
    instance_type=InstanceType.G6E_2XLARGE,
    options=SglangOptions(
        context_length=4096,
        tool_call_parser="qwen25",
        lora_paths=["sql=owner/sql"],
        extra_args={"enable_mixed_chunk": "true"},
    ),
    detailed_observability=False,
)
lmi = LmiEndpoint(
    stack,
    "Lmi",
    model=model,
    instance_type=InstanceType.G6E_2XLARGE,
    image=LmiImage.version("27.0.0"),
    detailed_observability=False,
)
FrontDoor(stack, "Api", models={"sglang": sglang, "lmi": lmi}, access=Access.public())

stack = Stack(app, "Vllm", env=Environment(account="123456789012", region="us-east-1"))
vllm = VllmEndpoint(
    stack,
    "Vllm",
    model=model,
    instance_type=InstanceType.G6E_2XLARGE,
    image=VllmImage.hugging_face("0.29.0"),
    options=VllmOptions(tool_call_parser="hermes", max_num_seqs=2, max_num_queued_reqs=3),
    detailed_observability=False,
)
FrontDoor(stack, "Api", models={"vllm": vllm}, access=Access.public())
app.synth()
