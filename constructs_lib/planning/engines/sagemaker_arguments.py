"""How the entrypoints of AWS's images for vLLM and SGLang make a server's arguments of variables, and what to write.

`SM_VLLM_MAX_MODEL_LEN=4096` becomes `--max-model-len 4096`. The rest depends on the age of the entrypoint.

Sources: aws/deep-learning-containers `scripts/docker/vllm/sagemaker_entrypoint.sh` at 6e3c3094, 1c1aacc0 and e0ecedea,
`scripts/docker/vllm/sagemaker_args.py` at dceae132, `scripts/docker/huggingface/vllm/sagemaker_entrypoint.sh` and
`scripts/docker/sglang/sagemaker_entrypoint.sh` at e0ecedea.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from constructs_lib.planning.engines.extra_arguments import KEYWORD
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

MODEL_FOLDER = "/opt/ml/model"
"""Where SageMaker mounts weights from S3."""

_PORT = "8080"


class Reading(IntEnum):
    """What an entrypoint makes of the value of a variable; the first two read the output of `env` line by line.

    `VALUES`, before 2026-03-17: one argument, whatever it is; none if it is empty. `BOOLEANS`, from then on: `true` is
    the flag alone, and `false` nothing at all, so that it does not switch off what is on by default. `ARRAYS`, from
    2026-08-19 on: the elements of a JSON array are an argument each, and so are JSON objects with blanks between them.
    """

    VALUES = 0
    BOOLEANS = 1
    ARRAYS = 2


@dataclass(frozen=True, kw_only=True)
class Entrypoint:
    """An entrypoint that makes arguments of the variables with a prefix.

    Args:
        prefix: What their names begin with, such as `SM_VLLM_`.
        reading: What it makes of a value.
        whole_arrays: Options of which `Reading.ARRAYS` leaves a JSON array one argument.
        ignored: Variables with the prefix that are not for the server.
    """

    prefix: str
    reading: Reading
    whole_arrays: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def variable(self, option: str) -> str:
        """The variable of an option, such as SM_VLLM_MAX_MODEL_LEN of `max_model_len` or `max-model-len`."""
        return f"{self.prefix}{option.upper().replace('-', '_')}"

    def option(self, variable: str) -> str:
        """The option of a variable, such as `max_model_len` of SM_VLLM_MAX_MODEL_LEN."""
        return variable.removeprefix(self.prefix).lower()

    def arguments(self, environment: Mapping[str, str]) -> list[str]:
        """The arguments of a container's variables, without those that the entrypoint adds by itself.

        Args:
            environment: The container's variables. Before `Reading.ARRAYS` arguments come in the order of `env`, for
                which the order of this mapping stands; later in that of the names.
        """
        variables = (
            _own(environment, self.prefix) if self.reading is Reading.ARRAYS else _lines(environment, self.prefix)
        )
        return [
            argument
            for name, value in variables
            if name not in self.ignored
            for argument in self._arguments(self.option(name), value)
        ]

    def variables(self, option: str, value: object, *, on_by_default: bool = False) -> dict[str, str | Unknown]:
        """The variables for a value of an option; none for what is so without a variable.

        Args:
            option: Its name, such as `max_model_len`.
            value: Its value: a bool for a flag, a sequence for several values, a mapping for a JSON object, else one.
            on_by_default: Whether it is a flag that is on unless `--no-…` switches it off.
        """
        if value is False:
            return self.variables(f"no_{option}", True) if on_by_default else {}
        if not isinstance(value, Unknown) and not self._meant(option, value):
            return {}
        return {self.variable(option): value if isinstance(value, Unknown) else self._text(option, value)}

    def problem(self, keyword: str, option: str, value: object) -> Problem | None:
        """Why no variable can give the server a value of an option; None if one can.

        Args:
            keyword: The argument of the caller that has the value, such as `options.max_model_len`.
            option: The option's name.
            value: Its value.
        """
        if isinstance(value, bool | Unknown):
            return None
        variables = self.variables(option, value)
        sent = [argument for name in variables for argument in (_flag(option), *self._meant(option, value))]
        if self.arguments({name: str(text) for name, text in variables.items()}) == sent:
            return None
        return Problem(keyword, value, *_why(value))

    def extra_problems(self, extra: object, *, when_off: str) -> Iterator[Problem]:
        """What of `extra_args` this entrypoint would not give the server.

        Args:
            extra: The further arguments, right by themselves; anything that is no mapping has none.
            when_off: What to write for a flag that should be off; `{name}` is its name.
        """
        for name, text in extra.items() if isinstance(extra, Mapping) else ():
            keyword, several = f"{KEYWORD}[{name!r}]", _array(text.strip()) if isinstance(text, str) else None
            if isinstance(text, str) and text.lower() == "false" and self.reading is not Reading.VALUES:
                message = "is nothing to the entrypoint of the image, which then leaves the argument out"
                yield Problem(keyword, text, message, when_off.format(name=name))
            elif several and self.reading < Reading.ARRAYS and (found := self.problem(keyword, name, several)):
                yield found

    def _arguments(self, option: str, text: str) -> list[str]:
        flag = _flag(option)
        if self.reading is not Reading.VALUES and (word := self._word(text)):
            return [flag] if word == "true" else []
        elements = self._elements(option, text)
        if elements is None:
            return [flag, text] if text else [flag]
        return [flag, *map(_argument, elements)] if elements else []

    def _word(self, text: str) -> str | None:
        word = (text.strip() if self.reading is Reading.ARRAYS else text).lower()
        return word if word in ("true", "false") else None

    def _elements(self, option: str, text: str) -> Sequence[object] | None:
        """The values that a text is taken apart into; None for one that stays one argument."""
        if self.reading is not Reading.ARRAYS or option in self.whole_arrays:
            return None
        stripped = text.strip()
        if stripped.startswith("["):
            return _array(stripped)
        objects = _objects(stripped) if stripped.startswith("{") else []
        return objects if len(objects) > 1 else None

    def _meant(self, option: str, value: object) -> list[str]:
        """The arguments that should follow the flag."""
        several = _several(value) if option not in self.whole_arrays else None
        return [_argument(value)] if several is None else [_argument(one) for one in several]

    def _text(self, option: str, value: object) -> str:
        if value is True:
            return "" if self.reading is Reading.VALUES else "true"
        if self.reading is not Reading.ARRAYS:
            return " ".join(self._meant(option, value))
        needs_array = isinstance(value, str) and self._arguments(option, value) != [_flag(option), value]
        return json.dumps([value]) if needs_array else _argument(value)


def vllm_arguments(entrypoint: Entrypoint, environment: Mapping[str, str], *, has_artifact: bool) -> list[str]:
    """The arguments with which vLLM's entrypoint starts the server.

    Args:
        entrypoint: The image's.
        environment: The container's variables.
        has_artifact: Whether there are weights in /opt/ml/model.
    """
    model: list[str] = []
    if entrypoint.reading is not Reading.VALUES and not environment.get(entrypoint.variable("model")):
        found = MODEL_FOLDER if has_artifact else environment.get("HF_MODEL_ID")
        model = ["--model", found] if found else []
    return ["--port", _PORT, *model, *entrypoint.arguments(environment)]


def sglang_arguments(entrypoint: Entrypoint, environment: Mapping[str, str]) -> list[str]:
    """The arguments with which SGLang's entrypoint starts the server.

    Args:
        entrypoint: The image's.
        environment: The container's variables.
    """
    arguments = entrypoint.arguments(environment)
    for option, default in (("port", _PORT), ("host", "0.0.0.0"), ("model_path", MODEL_FOLDER)):  # noqa: S104 - theirs
        if _flag(option) not in arguments:
            arguments += [_flag(option), default]
    return arguments


def _flag(option: str) -> str:
    return f"--{option.lower().replace('_', '-')}"


def _own(environment: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    for name in sorted(environment):
        if name.startswith(prefix):
            yield name, environment[name]


def _lines(environment: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """What the shell reads of each line that begins with the prefix, also of a value's second line."""
    for line in "\n".join(f"{name}={value}" for name, value in environment.items()).split("\n"):
        if line.startswith(prefix):
            name, _, value = line.partition("=")
            # With IFS='=' the shell takes a value's only `=` for the end of a field if nothing follows it.
            yield name, value[:-1] if value.endswith("=") and value.count("=") == 1 else value


def _array(text: str) -> list[object] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _objects(text: str) -> list[object]:
    """JSON objects with nothing but blanks between them; none if there is anything else."""
    decoder, position = json.JSONDecoder(), 0
    found: list[object] = []
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError:
            return []
        if not isinstance(value, dict):
            return []
        found.append(value)
        position += len(text[position:]) - len(text[position:].lstrip())
    return found


def _argument(value: object) -> str:
    """A value as one argument; JSON without blanks for what is neither text nor number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, separators=(",", ":"))


def _several(value: object) -> Sequence[object] | None:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else None


def _why(value: object) -> tuple[str, str]:
    if _several(value) is not None:
        message = "are several values, of which the entrypoint of this image makes one argument"
        return (message, "Give one, or choose a newer image.")
    if "\n" in _argument(value):
        message = "has several lines, of which the entrypoint of this image reads the first"
        return (message, "Write it in one line, or store it in a file beside the weights and give its path.")
    return ("is changed by the entrypoint of this image on its way to the server", "Write it in another way.")
