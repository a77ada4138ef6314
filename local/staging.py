"""Where builds that stage weights find them: at the hub that the user names, else at a small one with placeholders."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.deployment.prerequisites import PLACEHOLDER, STAGING_REQUEST
from local.hub import Hub, Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB = "STAGING_HUB"
"""The variable with the URL of the hub that builds stage weights from, in the place of the one in their project."""

_WEIGHTS = b"\x08\0\0\0\0\0\0\0{}      "  # an empty file in the format of safetensors
_FILES = {"config.json": b"{}", "model.safetensors": _WEIGHTS, "tokenizer.json": b"{}", "tokenizer_config.json": b"{}"}


@dataclass
class _Placeholder(Repository):
    """A repository that has the commit that is asked for, with files that only the emulated containers take."""

    revision: str = ""

    @property
    def commit(self) -> str:
        """The name of the commit."""
        return self.revision


class Hubs:
    """The hub of builds. Without the variable `STAGING_HUB` nothing is downloaded from anywhere else."""

    def __init__(self) -> None:
        self._placeholders: Hub | None = None

    def variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The staging request of a build with the URL of its hub; nothing if the build stages none.

        Args:
            variables: The variables of the build.
        """
        if STAGING_REQUEST not in variables:
            return {}
        request = json.loads(variables[STAGING_REQUEST])
        return {STAGING_REQUEST: json.dumps({**request, "hub": os.environ.get(HUB) or self._placeholder(request)})}

    def close(self) -> None:
        """Stops the hub with placeholders."""
        if self._placeholders is not None:
            self._placeholders.__exit__(None, None, None)

    def _placeholder(self, request: Mapping[str, str]) -> str:
        if self._placeholders is None:
            self._placeholders = Hub([], tokens={PLACEHOLDER: ()})
            self._placeholders.__enter__()
        self._placeholders.add(_Placeholder(request["repository"], _FILES, revision=request["revision"]))
        return self._placeholders.url
