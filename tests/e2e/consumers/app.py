"""Front doors whose consumers may use some models and a budget; the context `keys` names those of one consumer."""

import os

from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack

from constructs_lib import Access, FrontDoor, TgiEndpoint


class FrontDoorStack(Stack):
    """A front door to two models."""

    def __init__(self, app, name, **options):
        # Without the parameter of the bootstrap's version, which moto does not keep when a stack is updated.
        synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        env = Environment(account="123456789012", region="us-east-1")
        super().__init__(app, name, env=env, synthesizer=synthesizer)
        models = {model: self._endpoint(model) for model in ("llama", "falcon")}
        self.front_door = FrontDoor(self, "Door", models=models, cloud_watch_role=False, **options)

    def _endpoint(self, name):
        return TgiEndpoint.from_endpoint_name(self, name, f"prod-{name}", model_id=f"a/{name}")


app = App()
keys = app.node.try_get_context("keys") or "original"
budgets = FrontDoorStack(app, "Budgets").front_door
budgets.add_consumer("llama-only", models=["llama"])
budgets.add_consumer("minute", tokens_per_minute=100)
budgets.add_consumer("day", tokens_per_day=400, keys=("2026-11", "2027-01"))
budgets.add_consumer("streams", concurrent_streams=1)
budgets.add_consumer("rotated", concurrent_streams=100, keys=keys.split(","))
closed = FrontDoorStack(app, "Closed", on_store_failure="closed").front_door
closed.add_consumer("metered", tokens_per_day=100_000)
closed.add_consumer("free")
scopes = {"llm:llama": ["llama"], "llm:falcon": ["falcon"]}
access = Access.jwt(issuer=os.environ["ISSUER"], audience="llm", models_by_scope=scopes)
FrontDoorStack(app, "Scopes", access=access)
app.synth()
