"""The stack with a version of vLLM that the context names: `-c vllm=0.30.0`."""

from aws_cdk import App

from tests.engines.stack import EngineStack

app = App()
EngineStack(app, vllm=app.node.get_context("vllm"))
app.synth()
