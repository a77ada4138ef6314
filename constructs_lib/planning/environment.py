"""The container's environment: the caller's further variables, and the limits that SageMaker sets.

Source: botocore 1.44.5, sagemaker 2017-07-24, `CreateModel`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from constructs_lib.planning.engine import Engine, Environment
from constructs_lib.planning.validation.problem import HIDDEN, Described, Problem
from constructs_lib.planning.validation.unknown import Unknown

MAX_VARIABLES = 100
MAX_NAME_CHARACTERS = 1024
MAX_VALUE_CHARACTERS = 1024
MAX_BYTES = 32 * 1024

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_SECRET_NAME = re.compile(r"KEY|TOKEN(?!S|IZER)|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
_HUB_TOKEN = re.compile(r"hf_[A-Za-z0-9]{16,}")


def argument_of(engine: Engine, variable: str) -> str:
    """The argument that a variable comes from, as the caller writes it."""
    return engine.owner(variable) or f"environment[{variable!r}]"


def extra_variables(engine: Engine, environment: Mapping[str, str]) -> tuple[Environment, list[Problem]]:
    """The caller's further variables that are right, and the problems of the others."""
    right: Environment = {}
    problems: list[Problem] = []
    for name, value in environment.items():
        found = next(_variable_problems(engine, name, value), None)
        if found:
            problems.append(found)
        else:
            right[name] = value
    return right, problems


def _variable_problems(engine: Engine, name: object, value: object) -> Iterator[Problem]:
    keyword = f"environment[{name!r}]"
    if not isinstance(name, str):
        yield Problem(keyword, value, f"a name must be a string, not {type(name).__name__}", "Give a str.")
        return
    shown = HIDDEN if _SECRET_NAME.search(name) or isinstance(value, Unknown) else value
    canonical = name.upper().replace("-", "_")
    if refusal := engine.refusal(canonical):
        yield Problem(keyword, shown, refusal, "Leave it out.")
    if owner := engine.owner(canonical):
        yield Problem(keyword, shown, f"{canonical} is set by {owner}", f"Use {owner} instead.")
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS:
        yield Problem(
            keyword, shown, "a name must be letters, digits and underscores, no digit first", "Rename the variable."
        )
    yield from _value_problems(keyword, shown, value)


def _value_problems(keyword: str, shown: object, value: object) -> Iterator[Problem]:
    if isinstance(value, Unknown):
        return
    if not isinstance(value, str):
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        fix = f"Write {text!r}." if isinstance(value, bool | int | float) else "Give a str."
        yield Problem(keyword, shown, f"must be a string, not {type(value).__name__}", fix)
    elif _HUB_TOKEN.search(value):
        yield Problem(
            keyword,
            HIDDEN,
            "contains a Hugging Face token, which anyone allowed to describe the model could read",
            "Store it in Secrets Manager and use Model.from_hub(…, token=secret).",
        )
    elif "\x00" in value or re.search(r"[\ud800-\udfff]", value):
        yield Problem(keyword, shown, "must not contain NUL characters or invalid Unicode", "Remove them.")


def environment_problems(engine: Engine, environment: Environment, reserved: tuple[str, ...] = ()) -> Iterator[Problem]:
    """What SageMaker refuses of the container's environment.

    Args:
        engine: The engine, which knows where variables come from.
        environment: Every variable, but those of the hub token.
        reserved: Names of further variables that a construct adds.
    """
    count = len(environment) + len(reserved)
    if count > MAX_VARIABLES:
        yield Problem(
            "environment",
            Described(f"{count} variables"),
            f"SageMaker accepts at most {MAX_VARIABLES}",
            "Remove some of them.",
        )
    size = sum(_size(name) for name in (*reserved, *environment))
    for name, value in environment.items():
        if isinstance(value, Unknown):
            continue
        size += _size(value)
        if len(value) > MAX_VALUE_CHARACTERS:
            yield Problem(
                argument_of(engine, name),
                Described(f"{len(value)} characters"),
                f"SageMaker accepts at most {MAX_VALUE_CHARACTERS} characters in a variable",
                "Shorten it, or store it in a file beside the weights.",
            )
    if size > MAX_BYTES:
        yield Problem(
            "environment",
            Described(f"{size} bytes"),
            f"SageMaker accepts at most {MAX_BYTES} bytes of names and values together",
            "Shorten the values, or store them in a file beside the weights.",
        )


def _size(text: str) -> int:
    return len(text.encode("utf-8", errors="surrogatepass"))
