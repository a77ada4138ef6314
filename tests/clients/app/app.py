"""A model whose front door counts tokens, and takes the names of Anthropic's models for its own."""

from aws_cdk import App, Environment, Stack

from constructs_lib import FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions

app = App()
stack = Stack(app, "Clients", env=Environment(account="123456789012", region="us-east-1"))
qwen = TgiEndpoint(
    stack,
    "Qwen",
    model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
    instance_type=InstanceType.G5_2XLARGE,
    options=TgiOptions(max_input_tokens=12_288, max_total_tokens=16_384),
    detailed_observability=False,
)
front_door = FrontDoor(
    stack,
    "FrontDoor",
    models={"llama": qwen},
    model_aliases={"claude-*": "llama"},
    count_tokens=["llama"],
    cloud_watch_role=False,
)
front_door.add_consumer("clients", rate=10, burst=20)
app.synth()
