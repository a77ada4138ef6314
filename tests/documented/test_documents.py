"""The commands of the documents for beginners, run one after the other in the emulated cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documented.blocks import ROOT, blocks_of
from tests.documented.documents import run_documents
from tests.documented.normalize import shows
from tests.documented.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("documented")]
DOCUMENTS = run_documents()


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS])
def test_commands_print_what_the_document_shows(path: Path, tmp_path: Path) -> None:
    wrong: list[str] = []
    with Session(tmp_path) as session:
        for block in blocks_of(path):
            ran = session.run(block)
            if ran is None:
                continue
            if ran.status:
                wrong.append(f"{block.place}: ended with {ran.status}\n{ran.printed}")
            elif block.output is not None and not shows(block.output, ran.printed):
                wrong.append(f"{block.place}: prints this (python -m tests.documented.update writes it)\n{ran.printed}")
    assert not wrong, "\n".join(wrong)
