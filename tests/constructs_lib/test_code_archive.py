"""The archives of the functions' code: the same from everywhere, as Lambda needs them."""

from __future__ import annotations

import stat
from pathlib import Path
from zipfile import ZipFile

import pytest

from constructs_lib._code_archive import code_archive
from constructs_lib._lambda_root import lambda_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "front_door"
    (folder / "deep").mkdir(parents=True)
    (folder / "main.py").write_text('"""Does something."""\n\nNAME = "é"  # a name\n', encoding="utf-8")
    (folder / "deep" / "__init__.py").write_text('"""Has no code."""\n')
    (folder / "deep" / "data.json").write_bytes(b'{"a": 1}\r\n')
    (folder / "start").write_text("#!/bin/sh\n")
    (folder / "start").chmod(0o700)
    return folder


def entries(archive: Path) -> dict[str, tuple[bytes, int]]:
    """The content and the mode of each file, in their order."""
    with ZipFile(archive) as opened:
        return {each.filename: (opened.read(each), each.external_attr >> 16) for each in opened.infolist()}


def copied(folder: Path, place: Path) -> Path:
    """The same files elsewhere, created in another order and with the modes of another umask."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            copy = place / folder.name / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o775 if path.stat().st_mode & stat.S_IXUSR else 0o664)
    return place / folder.name


def test_it_has_the_folder_with_compact_source_and_modes_that_let_lambda_read_it(folder: Path) -> None:
    found = entries(code_archive(folder).path)
    assert found == {
        "front_door/deep/data.json": (b'{"a": 1}\r\n', 0o100644),
        "front_door/main.py": ('\n\nNAME="é"\n'.encode(), 0o100644),
        "front_door/start": (b"#!/bin/sh\n", 0o100755),
    }
    assert list(found) == sorted(found)


def test_it_is_made_once(folder: Path) -> None:
    assert code_archive(folder) is code_archive(folder)


def test_two_folders_are_beside_each_other(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "back_door").mkdir()
    (tmp_path / "back_door" / "main.py").write_text("A = 1\n")
    names = list(entries(code_archive(tmp_path / "back_door", folder).path))
    assert {name.partition("/")[0] for name in names} == {"back_door", "front_door"}


def test_place_umask_and_time_change_neither_the_archive_nor_its_digest(folder: Path, tmp_path: Path) -> None:
    here, there = code_archive(folder), code_archive(copied(folder, tmp_path / "elsewhere"))
    assert here.path != there.path
    assert here.path.read_bytes() == there.path.read_bytes()
    assert here.digest == there.digest


@pytest.mark.parametrize("change", ["content", "name", "mode", "border"])
def test_every_change_of_a_file_changes_the_digest(folder: Path, tmp_path: Path, change: str) -> None:
    other = copied(folder, tmp_path / "elsewhere")
    data = other / "deep" / "data.json"
    if change == "content":
        data.write_bytes(b'{"a": 2}\r\n')
    elif change == "name":
        data.rename(data.with_name("date.json"))
    elif change == "mode":
        data.chmod(0o755)
    else:
        # The same bytes one after another, in other files.
        data.write_bytes(b'{"a": 1}\r\n#')
        (other / "start").write_text("!/bin/sh\n")
    assert code_archive(other).digest != code_archive(folder).digest


def test_a_link_to_a_file_is_the_file(folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path / "elsewhere")
    (other / "start").unlink()
    (other / "start").symlink_to(folder / "start")
    assert code_archive(other).digest == code_archive(folder).digest


def test_the_front_doors_wrapper_may_be_executed() -> None:
    found = entries(code_archive(lambda_root() / "front_door").path)
    assert {name for name, (_, mode) in found.items() if mode == 0o100755} == {"front_door/bootstrap"}
