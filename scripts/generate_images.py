"""Write constructs_lib/planning/images/images.json from the installed sagemaker-core (`make images`)."""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.resources
import json
import re
import sys
from pathlib import Path
from typing import Any

import botocore.loaders

TARGET = Path(__file__).parent.parent / "constructs_lib" / "planning" / "images" / "images.json"
FAMILIES = (
    "huggingface-llm",
    "huggingface-llm-neuronx",
    "vllm",
    "huggingface-vllm",
    "sglang",
    "huggingface-sglang",
    "djl-lmi",
)
ABOUT = (
    "Deep Learning Container images by family and version; accounts names a set of Regions and their accounts,"
    " suffixes has the URL suffix of each Region. Written by scripts/generate_images.py."
)


def generate(today: str) -> dict[str, Any]:
    """The catalogue: Regions with the suffix of their partition, and the versions of each image family.

    Args:
        today: Date (ISO 8601) to write into each row.
    """
    source = f"sagemaker-core {importlib.metadata.version('sagemaker-core')}"
    accounts: dict[str, dict[str, str]] = {}
    families = {family: _versions(_config(family), accounts, source, today) for family in FAMILIES}
    regions = sorted({region for known in accounts.values() for region in known})
    return {"about": ABOUT, "suffixes": _suffixes(regions), "accounts": accounts, "families": families}


def _config(family: str) -> dict[str, Any]:
    file = importlib.resources.files("sagemaker.core") / "image_uri_config" / f"{family}.json"
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    scope: dict[str, Any] = config.get("inference", config)  # some files have one scope only
    return scope


def _versions(
    config: dict[str, Any], accounts: dict[str, dict[str, str]], source: str, today: str
) -> list[dict[str, Any]]:
    rows = [
        {
            "version": version,
            "repository": entry["repository"],
            "tag": _tag(entry, config.get("processors", [])),
            "accounts": _name_of(entry["registries"], accounts),
            "source": source,
            "date": today,
        }
        for version, entry in config["versions"].items()
    ]
    return sorted(rows, key=lambda row: [int(part) for part in row["version"].split(".")])


def _tag(entry: dict[str, Any], processors: list[str]) -> str:
    """The tag, which names the processor, Python and CUDA only for the images that have more than the prefix."""
    if "container_version" not in entry:
        return str(entry["tag_prefix"])
    processor = processors[0]
    name = {"inf2": "neuronx"}.get(processor, processor)
    return "-".join((entry["tag_prefix"], name, *entry["py_versions"][:1], entry["container_version"][processor]))


def _name_of(registries: dict[str, str], accounts: dict[str, dict[str, str]]) -> str:
    """The name of a set of Regions and accounts. Most versions share one, so each distinct set is stored once."""
    for name, known in accounts.items():
        if known == registries:
            return name
    name = f"set-{len(accounts) + 1}"
    accounts[name] = registries
    return name


def _suffixes(regions: list[str]) -> dict[str, str]:
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    return {
        region: next(
            partition["dnsSuffix"] for partition in partitions if re.fullmatch(partition["regionRegex"], region)
        )
        for region in regions
    }


def _one_row_a_line(catalogue: dict[str, Any]) -> str:
    text = json.dumps(catalogue, indent=1)
    innermost = re.compile(r"\{[^{}]*\}")
    return innermost.sub(lambda found: json.dumps(json.loads(found.group())), text) + "\n"


def main() -> None:
    """Write the catalogue and print the number of versions and Regions."""
    catalogue = generate(datetime.datetime.now(tz=datetime.UTC).date().isoformat())
    TARGET.write_text(_one_row_a_line(catalogue), encoding="utf-8")
    for family, rows in catalogue["families"].items():
        sys.stderr.write(f"{family}: {len(rows)} versions, {len(catalogue['suffixes'])} Regions → {TARGET}\n")


if __name__ == "__main__":
    main()
