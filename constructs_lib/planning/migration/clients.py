"""What changes for clients when a model moves from TGI to another engine behind the same front door.

Sources: tests/conformance/vllm (answers recorded from vLLM 0.32.0, and from TGI 3.3.6 on the same weights); TGI 3.3.6
`server/text_generation_server/utils/logits_process.py` and `tokens.py`; vLLM 0.30.0 `vllm/sampling_params.py`; SGLang
0.5.20 `srt/entrypoints/http_server.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from constructs_lib.planning.engine import Engine
from constructs_lib.planning.request import EndpointPlan


class Clients(StrEnum):
    """Whose requests are meant: those of TGI's API, those of OpenAI's, or both."""

    TGI = "TGI"
    OPENAI = "OpenAI"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something that a client may notice.

    Args:
        clients: Whose requests are meant.
        subject: The parameter, or what it is about.
        text: What changes, as sentences.
        header: The name that the header `x-tgi-difference` has for it on an answer that it concerns; None if the
            request is refused, or no answer tells.
    """

    clients: Clients
    subject: str
    text: str
    header: str | None = None


SCALE = Difference(
    clients=Clients.TGI,
    subject="frequency_penalty",
    header="frequency_penalty",
    text="TGI subtracts the penalty times a token's share of the text so far, prompt included; other engines subtract"
    " it once for each time that the token is in the answer. The same number weighs far more.",
)
DRAW = Difference(
    clients=Clients.TGI,
    subject="seed",
    header="seed",
    text="The same seed draws other tokens than TGI's, and the same ones again on the new engine.",
)
STOP = Difference(
    clients=Clients.TGI,
    subject="stop",
    header="stop",
    text="TGI ends an answer where a whole token ends with the stop sequence; the new engine also in the middle of a"
    " token. TGI sees the texts of special tokens as well.",
)
GRAMMAR = Difference(
    clients=Clients.TGI,
    subject="grammar",
    header="grammar",
    text="The text matches the schema as with TGI; blanks between its parts, the order of members and the length of"
    " texts may be others. disable_any_whitespace takes away most of it.",
)
MAX_TOKENS = Difference(
    clients=Clients.TGI,
    subject="max_new_tokens",
    header="max_new_tokens",
    text="Without it TGI generates as long as the context allows; here the front door's default_max_tokens is the"
    " limit, 1,024. A number that does not fit behind the prompt is lowered.",
)
LOGPROBS = Difference(
    clients=Clients.TGI,
    subject="details",
    header="logprobs",
    text="Log probabilities are those before temperature, top_k and penalties, unless the endpoint runs with"
    " logprobs_mode='processed_logprobs'.",
)

_REFUSED = "On TGI's routes it gets 422, with the parameter's name."
_LANGCHAIN = "HuggingFaceEndpoint of langchain-huggingface sends 0.95: give it typical_p=None."
REFUSED = tuple(
    Difference(clients=Clients.TGI, subject=subject, text=text)
    for subject, text in (
        ("watermark", f"The engine has no such watermark. {_REFUSED}"),
        ("typical_p", f"The engine would ignore it without a word. {_REFUSED} {_LANGCHAIN}"),
        ("temperature above 2", f"The engine takes up to 2. {_REFUSED}"),
        ("seed of 2^63 or more", f"The engine takes up to 2^63 - 1. {_REFUSED}"),
        ("top_n_tokens", f"The engine gives ids and texts of alternatives only apart. {_REFUSED}"),
    )
)
PREFILL = Difference(
    clients=Clients.TGI,
    subject="decoder_input_details in a stream",
    text=f"The engine gives tokens of a prompt only without streaming. {_REFUSED}",
)
CHATS_ONLY = Difference(
    clients=Clients.TGI,
    subject="/generate, /generate_stream, /, inputs",
    text="SGLang answers chats only at /invocations: these routes get 501, and /v1/completions 400. Clients have to"
    " send chats before the move, or the model moves to vLLM.",
)
OWN_WORDS = Difference(
    clients=Clients.OPENAI,
    subject="members of responses",
    text="Requests are passed on, and what comes back is the server's own: ids, `stop_reason`, and members that OpenAI"
    " does not have, instead of what the front door makes of TGI's.",
)
EMPTY_TOOLS = Difference(
    clients=Clients.OPENAI,
    subject="tools",
    text="A request with tools gets 400, as no tool_call_parser is set; TGI made any model call them by a grammar.",
)
PARSED_TOOLS = Difference(
    clients=Clients.OPENAI,
    subject="tools",
    text="The model calls tools in its own words, and the server reads them: the model may answer without a call, and"
    " arguments may break their schema, which TGI's grammar did not allow.",
)


def differences(engine: Engine, old: EndpointPlan, new: EndpointPlan, *, processed_logprobs: bool) -> list[Difference]:
    """What clients of this endpoint may notice.

    Args:
        engine: The new engine.
        old: The plan on TGI.
        new: The plan on the new engine.
        processed_logprobs: Whether the new endpoint gives log probabilities as TGI does.
    """
    found: list[Difference] = []
    if engine.name == "sglang":
        found.append(CHATS_ONLY)
    else:
        grammars = () if old.environment.get("DISABLE_GRAMMAR_SUPPORT") == "true" else (GRAMMAR,)
        logprobs = () if processed_logprobs else (LOGPROBS,)
        found += [SCALE, DRAW, STOP, MAX_TOKENS, *grammars, *logprobs, *REFUSED]
        if old.serving.enable_prefill_logprobs is not False:
            found.append(PREFILL)
    found += [OWN_WORDS, PARSED_TOOLS if new.serving.tools else EMPTY_TOOLS]
    return [*found, *_limits(engine, old, new)]


def _limits(engine: Engine, old: EndpointPlan, new: EndpointPlan) -> Iterator[Difference]:
    before, after = _context(old), _context(new)
    if before and after and before != after:
        text = f"Prompt and answer together may have {after:,} tokens instead of {before:,}."
        yield Difference(clients=Clients.ALL, subject="longest request", text=text)
    prompt_before, prompt_after = old.serving.max_input_tokens, new.serving.max_input_tokens or (after or 1) - 1
    if prompt_before and prompt_after and prompt_before != prompt_after:
        text = f"A prompt may have {prompt_after:,} tokens; TGI refuses more than {prompt_before:,}."
        yield Difference(clients=Clients.ALL, subject="longest prompt", text=text)
    waiting = new.environment.get("SM_SGLANG_MAX_QUEUED_REQUESTS")
    most, least = new.serving.max_concurrent_requests, old.serving.max_concurrent_requests
    if waiting is not None:
        text = f"A request gets 429 when {int(waiting):,} are waiting for those in progress; TGI counts both: {least}."
        yield Difference(clients=Clients.ALL, subject="overload", text=text)
    elif most is None:
        text = f"No request gets 429 because too many wait: {engine.display_name} takes all, and they wait."
        yield Difference(clients=Clients.ALL, subject="overload", text=text)
    elif least is not None and most != least:
        text = f"A request gets 429 when {most:,} are in progress or waiting, instead of {least:,}."
        yield Difference(clients=Clients.ALL, subject="overload", text=text)
    if old.serving.reads_images and new.serving.reads_images is False:
        text = f"{engine.display_name} does not read images with this model."
        yield Difference(clients=Clients.ALL, subject="images", text=text)


def _context(plan: EndpointPlan) -> int | None:
    return plan.serving.max_total_tokens or (None if plan.memory is None else plan.memory.context)
