"""Random requests in TGI's words, all of which TGI answers with a text."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

PROMPTS = (
    "What is deep learning?",
    "Why?",
    "<|endless|>",
    "deep learning trains networks with many layers on raw data",
    "Deep learning trains networks with many layers on raw data🌍",
    "🌍",
    "é?",
    'tab\tquote" back\\slash\nline',
    "<|begin|>Twice?",
    "<|assistant|>",
)
"""Those that end in `?` or a special token decide the model's text; after the others it goes on with any of a few."""

STOPS = (" trains", "networks", "twork", " learning trains", ".", "🌍", "and", "again and", "]", "no such text")
REGEXES = ("[0-9]{3}", "[a-c]{1,2}x?", "(yes|no)")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ROUTES = (
    ("/generate", False),
    ("/generate_stream", True),
    ("/", False),
    ("/", True),
    ("/invocations", False),
    ("/invocations", True),
)


def random_request(
    random: Random, prompts: Sequence[str] = PROMPTS, stops: Sequence[str] = STOPS
) -> tuple[str, dict[str, Any]]:
    """A path and a body.

    Args:
        random: Chooses.
        prompts: From these.
        stops: And from these, at least four.
    """
    path, stream = random.choice(ROUTES)
    body: dict[str, Any] = {"inputs": random.choice(prompts)}
    if stream and path != "/generate_stream":
        body["stream"] = True
    body["parameters"] = _parameters(random, stops, stream=stream)
    if not body["inputs"][-1].isascii():
        # What is cut inside its last character is a listed difference.
        body["parameters"].pop("truncate", None)
    return path, body


def _parameters(random: Random, stops: Sequence[str], *, stream: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"max_new_tokens": random.choice((1, 2, 3, 5, 10, 12, 13, 14, 15, 16, 17, 20))}
    if random.random() < 0.8:
        found["details"] = True
    if random.random() < 0.3:
        found["stop"] = random.sample(stops, random.choice((1, 1, 2, 4)))
    if random.random() < 0.2:
        found["return_full_text"] = random.choice((True, False))
    if random.random() < 0.15:
        found["truncate"] = random.choice((1, 2, 3, 5, 100))
    if not stream and random.random() < 0.2:
        found["decoder_input_details"] = True
    if random.random() < 0.15:
        kind, value = random.choice((("json", SCHEMA), *(("regex", each) for each in REGEXES)))
        found["grammar"] = {"type": kind, "value": value}
    if random.random() < 0.2:
        found["repetition_penalty"] = random.choice((0.5, 1.0, 1.3))
    if random.random() < 0.1:
        found["frequency_penalty"] = random.choice((-0.5, 0.0, 1.0))
    return {**found, **_sampling(random, stream=stream)}


def _sampling(random: Random, *, stream: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if random.random() < 0.5:
        return found
    found["do_sample"] = random.choice((True, True, False))
    if random.random() < 0.5:
        found["temperature"] = random.choice((0.001, 0.5, 1.0, 1.7, 2.0))
    if random.random() < 0.3:
        found["top_k"] = random.choice((1, 3, 50))
    if random.random() < 0.3:
        found["top_p"] = random.choice((0.1, 0.9))
    if random.random() < 0.4:
        found["seed"] = random.choice((0, 1, 42, 2**63 - 1))
    elif not stream and found["do_sample"] and random.random() < 0.4:
        found["best_of"] = 2
    return found
