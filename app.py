"""The composition root: which stacks there are, where they go, and what checks their templates.

Synthesis is offline: no AWS call, no network. Context (`cdk.json`, or `-c key=value`):

- `hf_token_secret`: name of the Secrets Manager secret that holds the Hugging Face token.
- `cloud_watch_role`: `off` when the account already has a role for API Gateway logs.
- `nag`: `off` to synthesize without cdk-nag.
"""

from __future__ import annotations

import os

from aws_cdk import App, Environment, Validations

from stacks.llama import LlamaTgiStack


def build(app: App, env: Environment) -> None:
    """Add every stack and, unless it is switched off, the checks of cdk-nag.

    Args:
        app: The app.
        env: Account and Region of the stacks; without them the templates fit every Region.
    """
    LlamaTgiStack(
        app,
        "LlamaTgiStack",
        hf_token_secret=app.node.get_context("hf_token_secret"),
        cloud_watch_role=_is_on(app, "cloud_watch_role"),
        env=env,
    )
    if _is_on(app, "nag"):
        _add_nag(app)


def _environment() -> Environment:
    """Where the CDK CLI would deploy to. Without credentials it does not say."""
    return Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION"))


def _is_on(app: App, key: str) -> bool:
    """Whether a context switch is on, which it is unless it says `off` (or JSON's false in cdk.json)."""
    value = app.node.try_get_context(key)
    return value not in ("off", "false", False)


def _add_nag(app: App) -> None:
    # Loading the packs takes as long as a small synthesis; `-c nag=off` spares it.
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


if __name__ == "__main__":
    main_app = App()
    build(main_app, _environment())
    main_app.synth()
