"""Read a model's description from the Hugging Face hub, or from a folder that was downloaded from it."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from constructs_lib._weights_copier import is_commit
from constructs_lib.cli.errors import CommandError
from constructs_lib.cli.repository import ADAPTER, CONFIG, DIFFUSION, QUANTIZATION_FILES, repository_problem
from constructs_lib.planning.models.compression import has_quantization, with_quantization_file
from constructs_lib.planning.models.facts import Gating
from constructs_lib.planning.validation.problem import Problem

HUB = "https://huggingface.co"
_TIMEOUT_SECONDS = 20
_MAX_BYTES = 64 * 2**20
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True)
class ModelDescription:
    """What the hub or a folder says about a model.

    Args:
        config: Content of config.json, with what a quantize_config.json beside it says.
        settings_in_config: Whether config.json alone says how the weights are compressed.
        weight_bytes: Size of the weights. None: not known.
        licence: Licence in the model card, or "unknown".
        gating: Whether the hub requires a token.
        source: Where it was read.
    """

    config: Mapping[str, Any]
    settings_in_config: bool
    weight_bytes: int | None
    licence: str
    gating: Gating
    source: str


def from_folder(folder: Path) -> ModelDescription:
    """Read a folder with a model's files.

    Raises:
        CommandError: It has no readable config.json, or no model that TGI can load.
    """
    names = _names(folder)

    def read(name: str) -> dict[str, Any] | None:
        return _json_object(str(folder / name), _file(folder / name)) if name in names else None

    if problem := repository_problem(str(folder), names, read):
        raise CommandError(problem)
    config = _json_object(str(folder / CONFIG), _file(folder / CONFIG))
    index = next((folder / name for name in _INDEXES if (folder / name).is_file()), None)
    total = _total_size(_json_object(str(index), _file(index))) if index else None
    settings = _first(map(read, QUANTIZATION_FILES))
    sizes = next((files for pattern in _WEIGHTS if (files := list(folder.glob(pattern)))), [])
    return ModelDescription(
        config=with_quantization_file(config, settings),
        settings_in_config=has_quantization(config) and settings is None,
        weight_bytes=total or sum(file.stat().st_size for file in sizes) or None,
        licence=_licence_of_card(folder / "README.md"),
        gating="no",
        source="config.json of a downloaded folder",
    )


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir() if path.is_file()}
    except OSError as error:
        raise CommandError(_unreadable(folder, error)) from error


def _first(contents: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    return next((content for content in contents if content is not None), None)


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: OSError) -> Problem:
    message = f"cannot be read: {error.strerror or type(error).__name__}"
    return Problem(str(path), None, message, "Name the folder that has the model's config.json.")


def _licence_of_card(card: Path) -> str:
    """`license:` in the front matter of the model card."""
    if not card.is_file():
        return "unknown"
    front = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    licence = re.search(r"^license:\s*(\S+)\s*$", front.group(1), re.MULTILINE) if front else None
    return licence.group(1).strip("'\"") if licence else "unknown"


class _TokenFreeRedirects(HTTPRedirectHandler):
    """Follows redirects to other hosts without the token, which only the hub may see."""

    def redirect_request(self, req: Request, *arguments: Any) -> Request | None:
        onward = super().redirect_request(req, *arguments)
        if onward is not None and urlsplit(onward.full_url).netloc != urlsplit(req.full_url).netloc:
            onward.remove_header("Authorization")
        return onward


class Hub:
    """The hub, or a mirror of it.

    Args:
        environment: Environment variables: HF_ENDPOINT is the URL of a mirror, HF_TOKEN (or HUGGING_FACE_HUB_TOKEN) the
            token.
        otherwise: What else may be done when the hub cannot be reached, such as `, or wait`. Default: nothing.

    Raises:
        CommandError: HF_ENDPOINT is not an HTTP URL.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, *, otherwise: str = "") -> None:
        self._otherwise = otherwise
        self._endpoint = (environment.get("HF_ENDPOINT") or HUB).rstrip("/")
        self._token = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN")
        if urlsplit(self._endpoint).scheme not in ("http", "https"):
            fix = f"Unset HF_ENDPOINT, or set it to a URL such as {HUB}."
            raise CommandError(Problem("HF_ENDPOINT", self._endpoint, "is not an HTTP URL", fix))

    def read(self, hub_id: str, revision: str = "main") -> ModelDescription:
        """Read a model's description.

        Args:
            hub_id: Repository on the hub.
            revision: Commit, tag or branch.

        Raises:
            CommandError: The hub cannot be reached, refuses, or has no such model.
        """
        folder = f"{self._endpoint}/{quote(hub_id)}/resolve/{quote(revision, safe='')}"
        config = self._get(f"{folder}/{CONFIG}", hub_id)
        info = (
            self._get(f"{self._endpoint}/api/models/{quote(hub_id)}/revision/{quote(revision, safe='')}", hub_id) or {}
        )
        files = _files(info)

        def read(name: str) -> dict[str, Any] | None:
            """A JSON file of the repository; mirrors that serve only files have no list of them."""
            return self._get(f"{folder}/{name}", hub_id) if not files or name in files else None

        if config is None and not files:
            files = {name for name in (ADAPTER, DIFFUSION) if read(name) is not None}
        if files and (problem := repository_problem(hub_id, files, read, _base_model(info))):
            raise CommandError(problem)
        if config is None:
            raise CommandError(self._not_found(hub_id, revision))
        settings = _first(map(read, QUANTIZATION_FILES))
        total = next((size for index in map(read, _INDEXES) if index and (size := _total_size(index))), None)
        return ModelDescription(
            config=with_quantization_file(config, settings),
            settings_in_config=has_quantization(config) and settings is None,
            weight_bytes=total or _total_of_tensors(info),
            licence=_licence(info),
            gating="yes" if info.get("gated") else "no",
            source=f"{self._endpoint}/{hub_id} at {revision}",
        )

    def commit(self, hub_id: str, revision: str) -> str:
        """The commit that a branch or a tag is at.

        Args:
            hub_id: Repository on the hub.
            revision: Branch, tag or commit.

        Raises:
            CommandError: The hub cannot be reached, refuses, or has no such revision.
        """
        url = f"{self._endpoint}/api/models/{quote(hub_id)}/revision/{quote(revision, safe='')}"
        info = self._get(url, hub_id)
        if info is None:
            fix = "Check the id and the names of its branches and tags on its hub page."
            message = f"has no revision {revision!r} on {self._endpoint}, or is not there"
            raise CommandError(Problem("model", hub_id, message, fix))
        commit = info.get("sha")
        if not isinstance(commit, str) or not is_commit(commit):
            raise CommandError(Problem("model", hub_id, f"{self._endpoint} does not say which commit it is at", ""))
        return commit

    def _not_found(self, hub_id: str, revision: str) -> Problem:
        message = f"has no config.json at {revision} on {self._endpoint}"
        return Problem(
            "model", hub_id, message, "Check the id on its hub page; only transformers models have that file."
        )

    def _get(self, url: str, hub_id: str) -> dict[str, Any] | None:
        """A JSON object from the hub. None: the hub answered 404."""
        headers = {"User-Agent": "tgi-endpoint-cdk", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(url, headers=headers)  # noqa: S310 - the scheme is checked above
        try:
            with build_opener(_TokenFreeRedirects).open(request, timeout=_TIMEOUT_SECONDS) as response:
                content = response.read(_MAX_BYTES + 1)
        except HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise CommandError(self._refusal(error, hub_id)) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            raise CommandError(self._unreachable(error)) from error
        if len(content) > _MAX_BYTES:
            raise CommandError(Problem("model", hub_id, f"has a description larger than {_MAX_BYTES} bytes", ""))
        return _json_object(url, content)

    def _refusal(self, error: HTTPError, hub_id: str) -> Problem:
        if error.code in (401, 403) and not self._token:
            fix = "Check the id. If it is gated or private, set HF_TOKEN to the token of an account that has access."
            return Problem("model", hub_id, f"is not served by {self._endpoint} without a token ({error.code})", fix)
        if error.code in (401, 403):
            fix = "Request access on its hub page with the account of HF_TOKEN, or use the token of another account."
            return Problem("model", hub_id, f"is not served to the account of HF_TOKEN ({error.code})", fix)
        fix = "Try again later." if error.code == 429 or error.code >= 500 else "Check HF_ENDPOINT."
        return Problem("model", hub_id, f"could not be read: {self._endpoint} answered {error.code}", fix)

    def _unreachable(self, error: Exception) -> Problem:
        reason = getattr(error, "reason", error)
        detail = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        fix = f"Check the network and HF_ENDPOINT{self._otherwise}."
        return Problem("hub", self._endpoint, f"cannot be reached: {detail}", fix)


def _json_object(name: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise CommandError(Problem(name, None, f"is not valid JSON: {error}", "")) from error
    if not isinstance(value, dict):
        raise CommandError(Problem(name, None, "is not a JSON object", ""))
    return value


def _total_size(index: Mapping[str, Any]) -> int | None:
    metadata = index.get("metadata")
    size = metadata.get("total_size") if isinstance(metadata, Mapping) else None
    return int(size) if isinstance(size, int | float) and size > 0 else None


def _total_of_tensors(info: Mapping[str, Any]) -> int | None:
    """Size of the weights from the hub's count of parameters by type, which it has for safetensors files."""
    tensors = info.get("safetensors")
    counts = tensors.get("parameters") if isinstance(tensors, Mapping) else None
    if not isinstance(counts, Mapping) or not all(isinstance(count, int) for count in counts.values()):
        return None
    return sum(_BYTES.get(kind, 1) * count for kind, count in counts.items()) or None


def _files(info: Mapping[str, Any]) -> set[str]:
    siblings = info.get("siblings")
    names = [one.get("rfilename") for one in siblings if isinstance(one, dict)] if isinstance(siblings, list) else []
    return {name for name in names if isinstance(name, str)}


def _base_model(info: Mapping[str, Any]) -> str | None:
    """What the model card says that the model was made from; some cards list one model."""
    card = info.get("cardData")
    base = card.get("base_model") if isinstance(card, Mapping) else None
    named = base[0] if isinstance(base, list) and len(base) == 1 else base
    return named if isinstance(named, str) and named else None


def _licence(info: Mapping[str, Any]) -> str:
    card = info.get("cardData")
    names = [card.get("license_name"), card.get("license")] if isinstance(card, Mapping) else []
    return next((str(name) for name in names if name and isinstance(name, str)), "unknown")
