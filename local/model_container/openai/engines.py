"""The engines that speak OpenAI's protocol: what starts each with the environment of a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from local.model_container.openai import lmi, server, sglang, vllm_arguments


@dataclass(frozen=True, slots=True)
class Image:
    """What a container is started from.

    Args:
        repository: The last part of the name of its image.
        tag: The tag.
        has_artifact: Whether the model has weights from S3.
    """

    repository: str = ""
    tag: str = ""
    has_artifact: bool = False

    @property
    def version(self) -> str | None:
        """The version of the engine in the tag; None if it has none, as AWS's own builds of vLLM."""
        found = re.match(r"(\d+\.\d+(?:\.\d+)?)", self.tag)
        return None if found is None else found[1]


def _vllm(environment: Mapping[str, str], image: Image) -> web.Application:
    is_hugging_face = image.repository.startswith("huggingface-")
    settings = vllm_arguments.read_settings(
        environment,
        version=image.version,
        has_artifact=image.has_artifact,
        reads_lines=is_hugging_face,
        has_routes=is_hugging_face or image.tag.startswith("server-"),
    )
    return server.create_app(settings)


def _sglang(environment: Mapping[str, str], image: Image) -> web.Application:
    return sglang.create_app(sglang.read_settings(environment, version=image.version))


def _lmi(environment: Mapping[str, str], image: Image) -> web.Application:
    # A set of places in ModelStore.java of djl-serving d21927c: HF_MODEL_ID may name the folder that is loaded anyway.
    models = {(environment.get("HF_MODEL_ID") or "").rstrip("/"), "/opt/ml/model" if image.has_artifact else ""} - {""}
    return lmi.create_app(lmi.read_settings(environment, has_artifact=image.has_artifact), models=len(models))


ENGINES: dict[str, Callable[[Mapping[str, str], Image], web.Application]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "lmi": _lmi,
}
