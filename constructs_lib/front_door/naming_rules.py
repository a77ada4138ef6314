"""Checks the names that stand for models: aliases, and the models whose tokens clients may count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import type_name
from constructs_lib._tokens import hide_token
from constructs_lib.front_door.consumer_rules import model_problems, unknown_model
from constructs_lib.front_door.routed_models import answering_endpoints, is_routed
from constructs_lib.front_door.targets import adapters_of
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from constructs_lib.front_door.routed_models import RoutedModel

# Names that clients send: claude-sonnet-4-5, us.anthropic.claude-3:0, openai/gpt-5. A star is allowed at the end alone.
_ALIAS = re.compile(r"[\x21\x23-\x29\x2b-\x5b\x5d-\x7e]{0,127}\*?")


def naming_problems(aliases: Any, count_tokens: Any, models: Mapping[str, RoutedModel]) -> Iterator[Problem]:
    """Problems of `model_aliases` and `count_tokens`.

    Args:
        aliases: The aliases, whatever their types are.
        count_tokens: The models whose tokens may be counted, likewise.
        models: The endpoints, or what chooses among several, by the names of their models, which have no problem.
    """
    if count_tokens is not None and count_tokens != []:
        yield from model_problems("count_tokens", count_tokens, models)
    if aliases is None:
        return
    if not isinstance(aliases, Mapping):
        message = f"must be a mapping from names to models, not {type_name(aliases)}"
        yield Problem("model_aliases", aliases, message, 'Write {"claude-*": "llama"}.')
        return
    ids = Counter(each for model in models.values() for each in _model_ids(model))
    for alias, meant in aliases.items():
        keyword = f"model_aliases[{alias!r}]"
        if isinstance(hide_token(alias), Unknown) or isinstance(hide_token(meant), Unknown):
            message = "must be known at synth, as it is written to a file of the function"
            yield Problem("model_aliases", UNKNOWN, message, "Write both names.")
            continue
        yield from _alias_problems(alias, models, ids)
        yield from _meant_problems(keyword, meant, models)


def _model_ids(model: RoutedModel) -> set[str]:
    """The hub ids that clients may use as a model's name."""
    return {str(each.model_id) for each in answering_endpoints(model) if each.model_id}


def _alias_problems(alias: object, models: Mapping[str, RoutedModel], ids: Mapping[str, int]) -> Iterator[Problem]:
    """What is wrong with a name that stands for a model."""
    if not isinstance(alias, str) or not alias:
        message = "an alias must be a name, or how names begin and a star"
        yield Problem("model_aliases", alias, message, 'Write "claude-*", or "*" for every name.')
    elif "*" in alias[:-1]:
        message = "has a star that is not at the end: it stands for the rest of a name"
        yield Problem("model_aliases", alias, message, f"Write {alias[: alias.index('*') + 1]!r}, or a whole name.")
    elif not _ALIAS.fullmatch(alias):
        message = "must be at most 128 printable ASCII characters without spaces, quotation marks and backslashes"
        yield Problem("model_aliases", alias, message, "Write the name as clients send it.")
    elif (name := alias.partition(":")[0]) in models or ids.get(name) == 1:
        what = "name" if name in models else "hub id"
        message = f"begins with the {what} of a model, and a colon" if name != alias else f"is the {what} of a model"
        fix = "Remove it: clients get that model, or its adapter, by this name."
        yield Problem("model_aliases", alias, f"{message}, which counts first", fix)


def _meant_problems(keyword: str, meant: object, models: Mapping[str, RoutedModel]) -> Iterator[Problem]:
    """What is wrong with the model that an alias stands for."""
    name, has_adapter, adapter = meant.partition(":") if isinstance(meant, str) else (meant, "", "")
    if name not in models:
        yield unknown_model(keyword, meant, name, models)
    elif has_adapter:
        model = models[str(name)]
        known = [set(adapters_of(endpoint)) for endpoint in answering_endpoints(model)]
        if not all(adapter in each for each in known):
            which = "each endpoint of " if is_routed(model) else ""
            names = ", ".join(map(repr, sorted(set.intersection(*known)))) or "none"
            message = f"is no adapter that {which}models[{name!r}] has: it has {names}"
            yield Problem(keyword, meant, message, "Name one of them, or the model itself.")
