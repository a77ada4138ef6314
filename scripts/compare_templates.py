"""Compare the templates of all stacks with those of an earlier commit.

`python -m scripts.compare_templates REVISION` synthesizes every stack at that commit and in this checkout, and prints
the differences. It ignores the order of keys, asset hashes, the function's handler and the path of its wrapper. With
`--words` it also ignores text that only people read: descriptions, metadata, summaries, names of saved queries, and the
parts of logical ids that are hashes of such text. A refactoring must pass without `--words`, a change of wording with
it.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# Adds the stack for existing endpoints to the app, under its present and its earlier context key.
_ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"
_CONTEXT_KEYS = ("front_door", "gateway")
_RENAMED = {"GatewayStack": "FrontDoorStack"}

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")
_PLACE = re.compile(r"\b(?:[a-z_]+\.)+handler\b|/var/task/front_door/\w+")
_FINGERPRINT = re.compile(r"(Deployment)[0-9a-f]{12}[0-9A-F]{8}\b")
_TEXTS = frozenset({"Description", "Metadata", "description", "summary", "QueryDefinitionName"})


def main(arguments: list[str] | None = None) -> int:
    """Compare the templates and print the differences.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        0 if the templates are equal, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.compare_templates", description=__doc__)
    parser.add_argument("revision", help="the commit to compare with, such as a hash or HEAD~3")
    parser.add_argument("--words", action="store_true", help="ignore text that only people read")
    options = parser.parse_args(arguments)
    before, after = templates_of(options.revision), templates(ROOT)
    differences = [line for name in sorted({*before, *after}) for line in compare(name, before, after, options.words)]
    for line in differences:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(after)} templates compared with {options.revision}: {_verdict(differences)}\n")
    return 1 if differences else 0


def templates_of(revision: str) -> dict[str, Any]:
    """The templates of a commit, synthesized in a worktree of its own with the packages of this environment."""
    with TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), revision], cwd=ROOT, check=True)
        try:
            return templates(tree)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def templates(tree: Path) -> dict[str, Any]:
    """The template of every stack of a checkout, by stack name.

    Raises:
        CalledProcessError: The app failed; its output is shown.
    """
    context = json.loads((tree / "cdk.json").read_text())["context"]
    with TemporaryDirectory() as out:
        environment = os.environ | {
            "CDK_OUTDIR": out,
            "CDK_CONTEXT_JSON": json.dumps(context | dict.fromkeys(_CONTEXT_KEYS, _ENDPOINTS)),
            "PYTHONPATH": str(tree),
        }
        subprocess.run([sys.executable, "app.py"], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)
        return {
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in Path(out).glob("*.template.json")
        }


def compare(name: str, before: dict[str, Any], after: dict[str, Any], words: bool) -> list[str]:
    """The lines in which one stack differs, as a unified diff.

    Args:
        name: The stack's name.
        before: The earlier templates by stack name.
        after: The present ones.
        words: Whether to ignore text that only people read.
    """
    if words:
        before = {_RENAMED.get(stack, stack): template for stack, template in before.items()}
    if name not in before or name not in after:
        renamed = words and name in _RENAMED
        return [] if renamed else [f"{name}: only {'now' if name in after else 'before'}"]
    old, new = (normalized(template[name], words).splitlines() for template in (before, after))
    return list(difflib.unified_diff(old, new, f"before/{name}", f"after/{name}", lineterm="", n=2))


def normalized(template: dict[str, Any], words: bool) -> str:
    """A template as text, without what is ignored."""
    text = json.dumps(_without_texts(template) if words else template, indent=1, ensure_ascii=False, sort_keys=True)
    text = _PLACE.sub("<code>", _ASSET.sub("<asset>", text))
    if not words:
        return text
    for old, new in _RENAMED.items():
        text = text.replace(old, new)
    return _FINGERPRINT.sub(r"\1<fingerprint>", text)


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(inner) for key, inner in value.items() if key not in _TEXTS}
    return [_without_texts(inner) for inner in value] if isinstance(value, list) else value


def _verdict(differences: list[str]) -> str:
    return "equal" if not differences else f"{len(differences)} lines differ"


if __name__ == "__main__":
    sys.exit(main())
