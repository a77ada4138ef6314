"""AWS's LMI containers: DJL Serving with vLLM inside."""

from typing import Any

from front_door.config import Model
from front_door.engines.openai.vllm import VllmEngine


class LmiEngine(VllmEngine):
    """It reads requests as vLLM does, and writes streams as lines of JSON (djl_python/lmi_vllm, djl-serving 0.36)."""

    display_name = "LMI"

    def address(self, body: dict[str, Any], model: Model, route: str) -> tuple[Model, dict[str, Any]]:
        """See `OpenAiServer`; without `model` it takes the name that it serves by itself."""
        if model.adapter is None or model.adapter_component is not None:
            return model, body
        return model, {**body, "adapters": model.adapter}

    def answered_by(self, model: Model) -> str | None:
        """See `OpenAiServer`; it refuses a request whose adapter it does not have."""
        return None
