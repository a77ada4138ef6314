"""OpenAI's parameters as TGI takes them, where the two differ (router/src/validation.rs, router/src/lib.rs, 3.3.6)."""

from collections.abc import Mapping
from typing import Any

from front_door.generation.request import Problems, stops

# TGI takes no 0; this little is of the likeliest token alone, as OpenAI's 0 is.
_SMALLEST_TOP_P = 1e-6


def sampling(body: Mapping[str, Any], facts: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The members that say how tokens are chosen and where the text ends.

    Args:
        body: The request, of the right types.
        facts: What is known of the model.
        problems: Where is noted what TGI cannot do.
    """
    if body.get("logit_bias"):
        problems.add("logit_bias", "logit_bias is not supported: this model's server does not bias tokens")
    if body.get("presence_penalty"):
        # TGI would take it for a repetition penalty of 2 more.
        problems.add("presence_penalty", "presence_penalty is supported as 0 only, unlike frequency_penalty")
    same = ("temperature", "frequency_penalty", "repetition_penalty")
    found = {name: body[name] for name in same if name in body}
    if "top_p" in body and body["top_p"] != 1:  # TGI takes no 1 and means it by leaving it out
        found["top_p"] = body["top_p"] or _SMALLEST_TOP_P
    if "seed" in body:
        found["seed"] = body["seed"] % 2**64
    if ends := stops(body):
        most = facts.get("max_stop_sequences")
        if isinstance(most, int) and len(ends) > most:
            problems.add("stop", f"stop has {len(ends)} sequences, this model takes at most {most}")
        found["stop"] = ends
    return found
