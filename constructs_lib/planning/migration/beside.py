"""What the new engine wants beside the options of TGI, so that answers stay what they were."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from constructs_lib.planning.engines.lmi.releases import vllm_version
from constructs_lib.planning.engines.server_arguments import arguments_of
from constructs_lib.planning.engines.vllm.releases import Kind, has
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.migration.outcome import Becomes, Outcome, by_hand, by_itself, setting
from constructs_lib.planning.migration.tool_parsers import tool_parser

_LOGPROBS = "Log probabilities after temperature and penalties, as TGI gives them."
_GRAMMARS = (
    "For grammars and response formats: without it the server allows any blanks between the parts of a JSON text, and a"
    " small model may write them to the end; TGI allows one at most. Leave it out if no client sends either."
)
_STRICT: Mapping[str, object] = {"backend": "xgrammar", "disable_any_whitespace": True}
_SAMPLING = "The plan sets it: a request that leaves out a parameter gets OpenAI's default, not the model's."


def beside(engine: str, version: Version, values: Mapping[str, Any], hub_id: object) -> Iterator[Outcome]:
    """What is set, or known to be set, although no option of TGI says so.

    Args:
        engine: `vllm`, `sglang` or `lmi`.
        version: Its version.
        values: The options of TGI.
        hub_id: Repository of the model.
    """
    has_grammars = values.get("disable_grammar_support") is not True
    if engine == "vllm":
        if has(Kind.ARGUMENTS, "logprobs_mode", version):
            yield _wanted("log probabilities", setting(_LOGPROBS, logprobs_mode="processed_logprobs"))
        if has_grammars and has(Kind.ARGUMENTS, "structured_outputs_config", version):
            yield _wanted("grammars", setting(_GRAMMARS, structured_outputs_config=_STRICT))
        yield _wanted("sampling", by_itself(f"generation_config='vllm'. {_SAMPLING}"))
    elif engine == "lmi":
        known = arguments_of("vllm", vllm_version(version))
        extra = {"logprobs_mode": "processed_logprobs"} if "logprobs_mode" in known else {}
        if extra:
            yield _wanted("log probabilities", setting(_LOGPROBS, extra_args=extra))
        if has_grammars and "structured_outputs_config" in known:
            strict = {"structured_outputs_config": json.dumps(_STRICT)}
            yield _wanted("grammars", setting(_GRAMMARS, extra_args=strict))
        yield _wanted("sampling", by_itself(f"generation_config='vllm'. {_SAMPLING}"))
    else:
        yield _wanted("sampling", by_itself(f"sampling_defaults='openai'. {_SAMPLING}"))
    yield _tools(engine, hub_id)


def _tools(engine: str, hub_id: object) -> Outcome:
    parser = tool_parser(hub_id, engine)
    if parser is None:
        reason = "If clients send tools: `tool_call_parser`, which says how this model writes calls."
        return _wanted("tools", by_hand(f"{reason} Without it such requests get 400; TGI's grammar took any model."))
    reason = "How this model writes tool calls, which TGI made it write by a grammar."
    return _wanted("tools", setting(reason, tool_call_parser=parser))


def _wanted(subject: str, becomes: Becomes) -> Outcome:
    return Outcome(option=subject, value=None, given=False, becomes=becomes)
