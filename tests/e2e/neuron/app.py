"""A model on Inferentia 2 behind a front door."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, AutoCastType, FrontDoor, InstanceType, Model, NeuronOptions, TgiNeuronEndpoint

app = App()
stack = Stack(app, "Neuron", env=Environment(account="123456789012", region="us-east-1"))
llama = TgiNeuronEndpoint(
    stack,
    "Llama",
    model=Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct"),
    instance_type=InstanceType.INF2_8XLARGE,
    options=NeuronOptions(
        num_cores=2, auto_cast_type=AutoCastType.BF16, max_batch_size=4, max_input_tokens=1000, max_total_tokens=4096
    ),
    detailed_observability=False,
)
FrontDoor(stack, "Api", models={"llama": llama}, access=Access.public())
app.synth()
