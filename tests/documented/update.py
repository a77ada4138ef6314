"""Writes what commands print into the documents that are run: `python -m tests.documented.update [document …]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.documented.blocks import ROOT, Block, blocks_of
from tests.documented.documents import run_documents
from tests.documented.normalize import rewritten
from tests.documented.session import Session


def main() -> int:
    """Run the documents, and write those whose outputs are others."""
    parser = argparse.ArgumentParser(prog="python -m tests.documented.update", description=__doc__)
    parser.add_argument("documents", nargs="*", type=Path, help="paths (default: all that are run)")
    parser.add_argument("--show", action="store_true", help="print all that commands print, and write nothing")
    arguments = parser.parse_args()
    for path in [one.resolve() for one in arguments.documents] or run_documents():
        sys.stderr.write(f"• {path.relative_to(ROOT)}\n")
        _update(path, only_show=arguments.show)
    return 0


def _update(path: Path, *, only_show: bool) -> None:
    before = text = path.read_text(encoding="utf-8")
    printed: list[tuple[Block, str]] = []
    with tempfile.TemporaryDirectory(prefix="documented-") as folder, Session(Path(folder)) as session:
        for block in blocks_of(path):
            ran = session.run(block)
            if ran is None:
                continue
            if only_show or ran.status:
                sys.stdout.write(f"── {block.place}, exit status {ran.status}\n{ran.printed}")
                sys.stdout.flush()
            printed.append((block, ran.printed))
    for block, new in reversed(printed):
        if block.output_span is not None and block.output is not None:
            start, end = block.output_span
            text = text[:start] + rewritten(block.output, new) + text[end:]
    if only_show or text == before:
        return
    if path.read_text(encoding="utf-8") != before:
        raise SystemExit(f"{path.relative_to(ROOT)} was changed while its commands ran: run this again.")
    path.write_text(text, encoding="utf-8")
    sys.stderr.write("  written\n")


if __name__ == "__main__":
    sys.exit(main())
