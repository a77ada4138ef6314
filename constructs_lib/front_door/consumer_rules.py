"""Checks the arguments of consumers, and the limits of requests that a front door has itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import is_number, is_whole_number, type_name
from constructs_lib._tokens import hide_token
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.rules import Integer, String, problem
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from constructs_lib.front_door.callers_file import ConsumerLimits

ORIGINAL_KEY = "original"
"""Name of the key that a consumer has without `keys`."""

MAX_KEYS = 2
"""Keys of a consumer that are valid at once: the one in use, and the one that clients are moved to."""

_NAME = String("a name without slashes", r"[^/]+", longest=128)
_KEY_NAME = String(
    "1 to 64 letters, digits, dots, underscores or hyphens, a letter or digit first",
    r"[A-Za-z0-9][A-Za-z0-9._-]*",
    longest=64,
)
# Dynamic references in one template.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
_MAX_SECRETS = 60

_MAX_TOKENS = 10**15
# One item of the table has an entry for each, and what a write costs grows with the item.
_MAX_STREAMS = 1000
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def name_problem(id: str) -> Problem | None:
    """What is wrong with the name of a consumer."""
    return problem("id", id, _NAME)


def limit_problems(limits: Mapping[str, object]) -> Iterator[Problem]:
    """Problems of a steady rate and a burst.

    Args:
        limits: The rate and then the burst, by keyword; an `Unknown` is not checked.
    """
    (rate_keyword, rate), (burst_keyword, burst) = limits.items()
    if not isinstance(rate, Unknown) and not (is_number(rate) and rate > 0):
        message = "must be more than 0 requests per second"
        yield Problem(rate_keyword, rate, message, "Give the steady rate.")
    if not isinstance(burst, Unknown) and not _is_count(burst):
        fix = "Give the number of requests that may arrive at once."
        yield Problem(burst_keyword, burst, "must be a whole number, at least 1", fix)


def request_limit_problems(
    limits: Mapping[str, object], stage_limits: Mapping[str, object], monthly_requests: object
) -> Iterator[Problem]:
    """Problems of what API Gateway limits of a consumer.

    Args:
        limits: Its rate and burst, by keyword; an `Unknown` is not checked.
        stage_limits: Those of the front door.
        monthly_requests: Its quota.
    """
    wrong = list(limit_problems(limits))
    yield from wrong
    valid = limits.keys() - {found.keyword for found in wrong}
    for (keyword, value), (stage_keyword, limit) in zip(limits.items(), stage_limits.items(), strict=True):
        if keyword in valid and is_number(value) and is_number(limit) and value > limit:
            message = f"exceeds the {limit:g} of the entire front door"
            yield Problem(keyword, value, message, f"Lower it, or raise {stage_keyword} of the front door.")
    quota = monthly_requests
    if quota is not None and not isinstance(quota, Unknown) and not _is_count(quota):
        yield Problem("monthly_requests", quota, "must be a whole number, at least 1", "Raise it, or omit the quota.")


def use_problems(limits: ConsumerLimits, known_models: Collection[str]) -> Iterator[Problem]:
    """Problems of what the function limits of a consumer.

    Args:
        limits: The limits, whatever their types are.
        known_models: The names of the front door's models.
    """
    if limits.models is not None:
        yield from model_problems("models", limits.models, known_models)
    wrong = list(_count_problems(limits))
    yield from wrong
    valid = {
        keyword: limit for keyword, limit in limits.budgets.items() if keyword not in {one.keyword for one in wrong}
    }
    for (shorter, less), (longer, more) in combinations(valid.items(), 2):
        if less > more:
            message = f"must not exceed {longer}={more}, which would be used up first"
            yield Problem(shorter, less, message, f"Lower it, or raise {longer}.")


def _count_problems(limits: ConsumerLimits) -> Iterator[Problem]:
    counts: dict[str, object] = {**limits.budgets, "concurrent_streams": limits.concurrent_streams}
    for keyword, value in counts.items():
        if value is None:
            continue
        if isinstance(hide_token(value), Unknown):
            message = "must be known at synth, as it is written to a file of the function"
            yield Problem(keyword, UNKNOWN, message, "Write it as a number.")
            continue
        rule = (
            Integer(1, _MAX_STREAMS, "streams")
            if keyword == "concurrent_streams"
            else Integer(1, _MAX_TOKENS, "tokens")
        )
        if found := problem(keyword, value, rule):
            yield found


def model_problems(keyword: str, models: Any, known: Collection[str]) -> Iterator[Problem]:
    """Problems of a list of models that a caller may use.

    Args:
        keyword: The argument.
        models: The list, whatever its type is.
        known: The names of the front door's models.
    """
    if isinstance(models, str) or not isinstance(models, Sequence):
        fix = f"Write [{models!r}]." if isinstance(models, str) else "Give a list of names."
        yield Problem(keyword, models, f"must be a list of names of models, not {type_name(models)}", fix)
        return
    if isinstance(hide_token(models), Unknown) or any(isinstance(hide_token(name), Unknown) for name in models):
        message = "must be known at synth, as it is written to a file of the function"
        yield Problem(keyword, UNKNOWN, message, "Write the names of the models.")
        return
    if not models:
        yield Problem(keyword, models, "must have at least one model", "Name one, or remove the caller.")
    for name in models:
        if name not in known:
            yield unknown_model(keyword, name, name, known)
    if repeated := [name for index, name in enumerate(models) if name in models[:index]]:
        yield Problem(keyword, models, f"has {repeated[0]!r} twice", "Remove one of them.")


def unknown_model(keyword: str, value: object, name: object, known: Collection[str]) -> Problem:
    """The problem of a model that there is not.

    Args:
        keyword: The argument.
        value: What was given.
        name: The name of the model in it.
        known: The names of the front door's models.
    """
    return Problem(keyword, value, f"is no model of this front door, which has {_listed(known)}", _fix(name, known))


def _fix(name: object, known: Collection[str]) -> str:
    if isinstance(name, str) and (model := name.partition(":")[0]) in known:
        return f"Write {model!r}: adapters belong to their model."
    near = get_close_matches(str(name), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else "Name one of them."


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in names)


def key_problems(keys: Any) -> Iterator[Problem]:
    """Problems of the names of a consumer's keys."""
    if isinstance(keys, str) or not isinstance(keys, Sequence):
        fix = f"Write ({keys!r},)." if isinstance(keys, str) else 'Write ("2026-11",).'
        yield Problem("keys", keys, f"must be a list of names, not {type_name(keys)}", fix)
        return
    if isinstance(hide_token(keys), Unknown) or any(isinstance(hide_token(name), Unknown) for name in keys):
        yield Problem("keys", UNKNOWN, "must be known at synth, as resources are named after it", "Write the names.")
        return
    if not 1 <= len(keys) <= MAX_KEYS:
        message = f"must have 1 or {MAX_KEYS} names: the key in use, and the one that clients move to"
        yield Problem("keys", keys, message, "Remove the keys that no client sends any more." if keys else "Name one.")
    for name in keys:
        if found := problem("keys", name, _KEY_NAME):
            yield found
    if repeated := [name for index, name in enumerate(keys) if name in keys[:index]]:
        yield Problem("keys", keys, f"has {repeated[0]!r} twice", "Remove one of them.")


def secret_problems(keys: Sequence[str]) -> Iterator[Problem]:
    """The problem of more keys in Secrets Manager than CloudFormation reads for one stack.

    Args:
        keys: The names of the keys of all consumers.
    """
    secrets = [key for key in keys if key != ORIGINAL_KEY]
    if len(secrets) > _MAX_SECRETS:
        yield Problem(
            "keys",
            Described(f"{len(secrets)} keys in Secrets Manager"),
            f"are more than the {_MAX_SECRETS} dynamic references that CloudFormation resolves in one template",
            "Distribute the consumers over front doors in several stacks.",
        )


def scope_problems(models_by_scope: Any) -> Iterator[Problem]:
    """Problems of the scopes of tokens, whatever models there are."""
    keyword = "access.models_by_scope"
    if not isinstance(models_by_scope, Mapping):
        message = f"must be a mapping from scopes to lists of models, not {type_name(models_by_scope)}"
        yield Problem(keyword, models_by_scope, message, 'Write {"llm:llama": ["llama"]}.')
        return
    if not models_by_scope:
        message = "must have at least one scope: without one no token could use a model"
        yield Problem(keyword, models_by_scope, message, "Give one, or omit it: every token may then use every model.")
    for scope in models_by_scope:
        if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
            message = "must be printable ASCII without spaces, quotation marks and backslashes, as scopes of OAuth are"
            yield Problem(keyword, scope, message, "Write the scope as the provider does.")


def scope_model_problems(models_by_scope: Mapping[str, Any], known: Collection[str]) -> Iterator[Problem]:
    """Problems of the models that the scopes name."""
    for scope, models in models_by_scope.items():
        yield from model_problems(f"access.models_by_scope[{scope!r}]", models, known)


def _is_count(value: object) -> bool:
    return is_whole_number(value) and value >= 1
