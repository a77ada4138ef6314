"""Models with an encoder and a decoder, such as T5, which of the engines only TGI runs.

Source: vLLM 0.27.1 and 0.30.0, `vllm/model_executor/models/registry.py` and `transformers/base.py`: no class for T5,
and of transformers only classes without an encoder that are `is_backend_compatible`, which T5's is not. SGLang asks the
same of classes of transformers.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.validation.problem import Problem


def encoder_decoder_problems(ctx: EngineContext, server: str) -> Iterator[Problem]:
    """That the server does not run such a model.

    Args:
        ctx: The endpoint.
        server: Name and version of the server.
    """
    facts = ctx.facts
    if facts is not None and architecture(facts.model_type).tgi.decodes_from_one_token:
        message = f"{server} runs no models with an encoder and a decoder, such as {facts.model_type}"
        yield Problem("model", facts.hub_id, message, "Serve it with TgiEndpoint, or choose another model.")
