"""Reads a model's description from the Hugging Face hub, or from a folder that was downloaded from it."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from constructs_lib.cli.errors import FailedError
from constructs_lib.planning.models.facts import Gating
from constructs_lib.planning.validation.problem import Problem

HUB = "https://huggingface.co"
_TIMEOUT_SECONDS = 20
_LARGEST = 64 * 2**20
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True)
class Found:
    """What was read.

    Args:
        config: The config.json.
        weight_bytes: Size of the weights; None where nothing says it.
        licence: Licence by the model card.
        gating: Whether the hub wants a token.
        source: Where it was read.
    """

    config: Mapping[str, Any]
    weight_bytes: int | None
    licence: str
    gating: Gating
    source: str


def from_folder(folder: Path) -> Found:
    """Reads a folder with a model's files.

    Raises:
        FailedError: It has no config.json that can be read.
    """
    config = _json_object(str(folder / "config.json"), _file(folder / "config.json"))
    index = next((folder / name for name in _INDEXES if (folder / name).is_file()), None)
    total = _total_size(_json_object(str(index), _file(index))) if index else None
    sizes = next((files for pattern in _WEIGHTS if (files := list(folder.glob(pattern)))), [])
    return Found(
        config=config,
        weight_bytes=total or sum(file.stat().st_size for file in sizes) or None,
        licence=_licence_of_card(folder / "README.md"),
        gating="no",
        source="config.json of a downloaded folder",
    )


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or type(error).__name__}"
        raise FailedError(
            Problem(str(path), None, message, "Give the folder that has the model's config.json.")
        ) from error


def _licence_of_card(card: Path) -> str:
    """`license:` in the front matter of the model card."""
    if not card.is_file():
        return "unknown"
    front = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    named = re.search(r"^license:\s*(\S+)\s*$", front.group(1), re.MULTILINE) if front else None
    return named.group(1).strip("'\"") if named else "unknown"


class _KeepsTokenHome(HTTPRedirectHandler):
    """Files may come from another host, which has no business with the token."""

    def redirect_request(self, req: Request, *arguments: Any) -> Request | None:
        onward = super().redirect_request(req, *arguments)
        if onward is not None and urlsplit(onward.full_url).netloc != urlsplit(req.full_url).netloc:
            onward.remove_header("Authorization")
        return onward


class Hub:
    """The hub, or a mirror of it.

    Args:
        environment: HF_ENDPOINT names a mirror, HF_TOKEN (or HUGGING_FACE_HUB_TOKEN) has the token.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._endpoint = (environment.get("HF_ENDPOINT") or HUB).rstrip("/")
        self._token = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN")
        if urlsplit(self._endpoint).scheme not in ("http", "https"):
            fix = f"Unset HF_ENDPOINT, or set it to an address such as {HUB}."
            raise FailedError(Problem("HF_ENDPOINT", self._endpoint, "is no address of a hub", fix))

    def read(self, hub_id: str, revision: str = "main") -> Found:
        """Reads a model's description.

        Args:
            hub_id: Repository on the hub.
            revision: Commit, tag or branch.

        Raises:
            FailedError: The hub is out of reach, refuses, or has no such model.
        """
        folder = f"{self._endpoint}/{quote(hub_id)}/resolve/{quote(revision, safe='')}"
        config = self._get(f"{folder}/config.json", hub_id)
        if config is None:
            raise FailedError(self._not_there(hub_id, revision))
        info = (
            self._get(f"{self._endpoint}/api/models/{quote(hub_id)}/revision/{quote(revision, safe='')}", hub_id) or {}
        )
        indexes = (self._get(f"{folder}/{name}", hub_id) for name in _INDEXES)
        total = next((size for index in indexes if index and (size := _total_size(index))), None)
        return Found(
            config=config,
            weight_bytes=total or _total_of_tensors(info),
            licence=_licence(info),
            gating="yes" if info.get("gated") else "no",
            source=f"{self._endpoint}/{hub_id} at {revision}",
        )

    def _not_there(self, hub_id: str, revision: str) -> Problem:
        message = f"has no config.json at {revision} on {self._endpoint}"
        return Problem("model", hub_id, message, "Check the id on its hub page; only transformers models have one.")

    def _get(self, url: str, hub_id: str) -> dict[str, Any] | None:
        """A JSON object from the hub; None where there is none."""
        headers = {"User-Agent": "tgi-endpoint-cdk", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(url, headers=headers)  # noqa: S310 - the scheme is checked above
        try:
            with build_opener(_KeepsTokenHome).open(request, timeout=_TIMEOUT_SECONDS) as response:
                content = response.read(_LARGEST + 1)
        except HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise FailedError(self._refusal(error, hub_id)) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            raise FailedError(self._unreachable(error)) from error
        if len(content) > _LARGEST:
            raise FailedError(Problem("model", hub_id, f"has a description of more than {_LARGEST} bytes", ""))
        return _json_object(url, content)

    def _refusal(self, error: HTTPError, hub_id: str) -> Problem:
        if error.code in (401, 403) and not self._token:
            fix = "Check the id. If it is gated or private, set HF_TOKEN to a token of someone who may read it."
            return Problem("model", hub_id, f"is not served by {self._endpoint} without a token ({error.code})", fix)
        if error.code in (401, 403):
            fix = "Ask for access on its hub page with the account of HF_TOKEN, or use the token of another account."
            return Problem("model", hub_id, f"is not served to the account of HF_TOKEN ({error.code})", fix)
        fix = "Try again later." if error.code == 429 or error.code >= 500 else "Check HF_ENDPOINT."
        return Problem("model", hub_id, f"could not be read: {self._endpoint} answered {error.code}", fix)

    def _unreachable(self, error: Exception) -> Problem:
        reason = getattr(error, "reason", error)
        words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        fix = "Check the network and HF_ENDPOINT, or give a folder with the model's config.json."
        return Problem("hub", self._endpoint, f"is out of reach: {words}", fix)


def _json_object(place: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise FailedError(Problem(place, None, f"is no JSON: {error}", "")) from error
    if not isinstance(value, dict):
        raise FailedError(Problem(place, None, "is no JSON object", ""))
    return value


def _total_size(index: Mapping[str, Any]) -> int | None:
    metadata = index.get("metadata")
    size = metadata.get("total_size") if isinstance(metadata, Mapping) else None
    return int(size) if isinstance(size, int | float) and size > 0 else None


def _total_of_tensors(info: Mapping[str, Any]) -> int | None:
    """The hub counts the parameters of safetensors files by their type."""
    tensors = info.get("safetensors")
    counts = tensors.get("parameters") if isinstance(tensors, Mapping) else None
    if not isinstance(counts, Mapping) or not all(isinstance(count, int) for count in counts.values()):
        return None
    return sum(_BYTES.get(kind, 1) * count for kind, count in counts.items()) or None


def _licence(info: Mapping[str, Any]) -> str:
    card = info.get("cardData")
    named = [card.get("license_name"), card.get("license")] if isinstance(card, Mapping) else []
    return next((str(name) for name in named if name and isinstance(name, str)), "unknown")
