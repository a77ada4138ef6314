"""Llama 3.1 8B Instruct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib import GpuInstance, TgiOptions
from stacks.model_stack import ModelStack

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct


class LlamaTgiStack(ModelStack):
    """meta-llama/Llama-3.1-8B-Instruct on one ml.g5.2xlarge (an A10G with 24 GB).

    The model is gated: the hub token must belong to an account that Meta has given access.

    Args:
        scope: The app.
        id: The stack's name.
        hf_token_secret: Name of the Secrets Manager secret whose value is the hub token.
        cloud_watch_role: Whether this stack sets the account's role for API Gateway logs. Default: True.
        env: Account and Region. Default: - whichever it is deployed to.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        hf_token_secret: str,
        cloud_watch_role: bool = True,
        env: Environment | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            name="llama",
            model_id="meta-llama/Llama-3.1-8B-Instruct",
            instance_type=GpuInstance.G5_2XLARGE,
            # Beside the 16 GB of weights there is room for roughly 40 000 tokens of cache, at 128 KiB each. Without
            # limits TGI would let one request have all of it.
            options=TgiOptions(max_input_tokens=12_288, max_total_tokens=16_384),
            hf_token_secret=hf_token_secret,
            cloud_watch_role=cloud_watch_role,
            env=env,
        )
