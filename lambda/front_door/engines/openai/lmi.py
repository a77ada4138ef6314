"""AWS's LMI containers: DJL Serving with vLLM inside."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from front_door.config import Model
from front_door.engines.openai.vllm import VllmEngine

if TYPE_CHECKING:
    from front_door.generation.generate_request import GenerateRequest

# Its vLLM is 0.11: older ones call the member for grammars otherwise, and ignore this one.
_GRAMMARS_SINCE = 17


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

    def generate_problems(self, request: "GenerateRequest", facts: Mapping[str, Any]) -> list[str]:
        """See `TokenServer`; where the version is not known, it may be any."""
        found = super().generate_problems(request, facts)
        major = str(facts.get("version")).partition(".")[0]
        if request.grammar is not None and major.isdecimal() and int(major) < _GRAMMARS_SINCE:
            found.append(f"`grammar` is not allowed for this endpoint: it needs LMI {_GRAMMARS_SINCE} or newer")
        return found
