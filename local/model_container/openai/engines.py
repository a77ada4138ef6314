"""The engines that speak OpenAI's protocol: what starts each with the environment of a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from local.model_container.openai import server, vllm_arguments


@dataclass(frozen=True, slots=True)
class Image:
    """What a container is started from.

    Args:
        tag: The tag of its image.
        has_artifact: Whether the model has weights from S3.
    """

    tag: str = ""
    has_artifact: bool = False

    @property
    def version(self) -> str | None:
        """The version of the engine in the tag; None if it has none, as AWS's own builds of vLLM."""
        found = re.match(r"(\d+\.\d+(?:\.\d+)?)", self.tag)
        return None if found is None else found[1]


def _vllm(environment: Mapping[str, str], image: Image) -> web.Application:
    settings = vllm_arguments.read_settings(
        environment,
        version=image.version,
        has_artifact=image.has_artifact,
        # AWS's own builds and Hugging Face's images have the middleware; those with a version and an Ubuntu of AWS not.
        has_routes=not re.search(r"ubuntu[\d.]+-sagemaker", image.tag) and bool(image.tag),
    )
    return server.create_app(settings)


ENGINES: dict[str, Callable[[Mapping[str, str], Image], web.Application]] = {"vllm": _vllm}
