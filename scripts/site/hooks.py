"""What MkDocs calls while it builds the site (mkdocs.yml, `hooks`)."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from posixpath import dirname
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from scripts.site import command_line, file_search, lists, outside, routes

_GENERATED = {
    "reference/command_line.md": command_line.text,
    "reference/routes.md": routes.text,
}
"""Pages of which the generated part follows what is in the file."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts pages in the places of the patterns of the menu."""
    pages = [path.relative_to(config.docs_dir).as_posix() for path in sorted(Path(config.docs_dir).rglob("*.md"))]
    pages += outside.PAGES.values()
    named = set(_named(config.nav))
    config.nav = _expanded(config.nav or [], [page for page in pages if page not in named])
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the documents outside of docs/, a page for each file that one links to, and the script of the search."""
    files.append(File.generated(config, file_search.SCRIPT, content=file_search.text()))
    for document, page in outside.PAGES.items():
        files.append(File.generated(config, page, content=(outside.ROOT / document).read_text(encoding="utf-8")))
    for path in outside.linked_sources():
        page = outside.page_of(path)
        files.append(
            File.generated(config, page, content=outside.source_text(path), inclusion=InclusionLevel.NOT_IN_NAV)
        )
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Adds what is generated, and makes links to files outside of docs/ links to their pages."""
    name = page.file.src_uri
    if name in _GENERATED:
        markdown += "\n" + _GENERATED[name]()
    return lists.with_lists(outside.with_links(markdown, name)) + outside.files_beside(name)


def _named(nav: Any) -> Iterator[str]:
    for entry in nav if isinstance(nav, list) else [nav]:
        if isinstance(entry, dict):
            for below in entry.values():
                yield from _named(below)
        elif "*" not in entry:
            yield entry


def _expanded(nav: list[Any], pages: list[str]) -> list[Any]:
    entries: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            ((title, below),) = entry.items()
            below = _expanded(below, pages) if isinstance(below, list) else below
            # A heading without a page is left out.
            entries += [{title: below}] if below else []
        elif "*" in entry:
            entries += [page for page in pages if fnmatch(page, entry) and dirname(page) == dirname(entry)]
        else:
            entries.append(entry)
    return entries
