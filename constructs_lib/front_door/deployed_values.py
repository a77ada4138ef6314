"""Values that only the deployment knows, which files in a layer refer to by number. Pure Python: no aws_cdk here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# How the CDK writes a value that is known only at deployment, within a string.
TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file as the function reads it.

    Attributes:
        text: The content of the file.
        deployed_values: The values that only the deployment knows, each with a token, in the order in which this file
            and those before it number them.
    """

    text: str
    deployed_values: tuple[str, ...]


def render_file(content: dict[str, object], taken: tuple[str, ...] = ()) -> RenderedFile:
    """A JSON file, with `{"deployed": n}` in place of each text that only the deployment knows.

    Args:
        content: What the file has.
        taken: The values that other files have numbered already.
    """
    numbers = {value: number for number, value in enumerate(taken)}

    def known(value: object) -> object:
        if isinstance(value, dict):
            return {name: known(each) for name, each in value.items()}
        if isinstance(value, list):
            return [known(each) for each in value]
        if isinstance(value, str) and TOKEN.search(value):
            return {"deployed": numbers.setdefault(value, len(numbers))}
        return value

    text = json.dumps(known(content), separators=(",", ":"))
    return RenderedFile(text, tuple(numbers))
