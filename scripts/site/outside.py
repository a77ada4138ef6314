"""What documents link to that is not in docs/: documents at the root, examples, scripts and tests.

The project has no address yet at which its files could be looked up, so the site has a page for each: the document
itself, the text of a file, or the files of a folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

ROOT = Path(__file__).resolve().parents[2]

PAGES = {
    **{f"{name}.md": f"project/{name.lower()}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")},
    "examples/README.md": "examples/overview.md",
    **{
        path.relative_to(ROOT).as_posix(): f"examples/{path.parent.name}.md"
        for path in sorted((ROOT / "examples").glob("*/README.md"))
    },
}
"""The documents outside of docs/, and the pages that they are on."""

_LINK = re.compile(r"(\]\()((?!https?:|mailto:|#)[^)\s#]+)(#[^)\s]*)?(\))")
_FENCE = re.compile(r"^[ ]*```.*?^[ ]*```[ ]*$", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".js": "javascript", ".json": "json", ".md": "markdown", ".yml": "yaml", ".yaml": "yaml"}
_LEFT_OUT = {"__pycache__", "node_modules", "cdk.out", ".venv", "package-lock.json"}
_MAX_FILES = 20
"""Files of a folder that are shown in full; of a larger folder it is their names."""


def page_of(path: str) -> str:
    """The page of a file or folder, below docs/.

    Args:
        path: Its path in the repository, without a slash at its end.
    """
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return PAGES.get(path) or PAGES.get(f"{path}/README.md") or f"source/{path}.md"


def path_of(page: str) -> str:
    """The path in the repository of a page that is a document.

    Args:
        page: The page.
    """
    return next((document for document, known in PAGES.items() if known == page), f"docs/{page}")


def linked_sources() -> list[str]:
    """The files and folders outside of docs/ that documents link to and that are no documents themselves."""
    documents = [*PAGES, *(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
    found = {
        target
        for document in documents
        for target in _targets((ROOT / document).read_text(encoding="utf-8"), document)
        if not target.startswith(("docs/", "..")) and (ROOT / target).exists()
        if page_of(target) not in PAGES.values()
    }
    return sorted(found)


def with_links(markdown: str, page: str) -> str:
    """A page whose links lead to the pages of what they name.

    Args:
        markdown: Its text, whose links are as the document has them.
        page: The page.
    """
    if page.startswith("source/"):
        return markdown
    document = path_of(page)

    def changed(link: re.Match[str]) -> str:
        opening, target, anchor, closing = link.groups(default="")
        path = normpath(join(dirname(document), target))
        # What does not exist stays as it is, so that MkDocs reports it.
        if not (ROOT / path).exists():
            return link[0]
        return f"{opening}{relpath(page_of(path), dirname(page) or '.')}{anchor}{closing}"

    return _outside_of_code(markdown, lambda text: _LINK.sub(changed, text))


def source_text(path: str) -> str:
    """The text of the page of a file or folder.

    Args:
        path: Its path in the repository.
    """
    place = ROOT / path
    if place.is_file():
        return f"# {path}\n\n{_code(place)}"
    title, files = f"# {path}\n\n", _files(place)
    if len(files) > _MAX_FILES:
        return title + "\n".join(f"- `{file.relative_to(place).as_posix()}`" for file in files) + "\n"
    return title + "\n".join(f"## {file.relative_to(place).as_posix()}\n\n{_code(file)}" for file in files)


def files_beside(page: str) -> str:
    """The files of the example that a page is about, as a section; nothing for another page.

    Args:
        page: The page.
    """
    document = path_of(page)
    if document.count("/") != 2 or not document.startswith("examples/"):
        return ""
    place = (ROOT / document).parent
    files = [file for file in _files(place) if file.name != "README.md"]
    sections = (f"### {file.relative_to(place).as_posix()}\n\n{_code(file)}" for file in files)
    return "\n## Files\n\n" + "\n".join(sections)


def _files(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.rglob("*") if file.is_file() and not _LEFT_OUT & set(file.relative_to(folder).parts)
    )


def _code(file: Path) -> str:
    return f"````{_LANGUAGES.get(file.suffix, 'text')}\n{file.read_text(encoding='utf-8').rstrip()}\n````\n"


def _targets(markdown: str, document: str) -> Iterator[str]:
    for _, target, _, _ in _LINK.findall(_FENCE.sub("", markdown)):
        yield normpath(join(dirname(document), target))


def _outside_of_code(markdown: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for block in _FENCE.finditer(markdown):
        parts += [change(markdown[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, change(markdown[end:])])
