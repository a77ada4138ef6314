"""`make docs`: the site has all that the documents have, and asks no other host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from scripts.site import outside

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [*outside.PAGES, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]
WITH_MORE = re.compile(r"docs/reference/|examples/\w[^/]*/")
"""Documents of which the site has more than the file."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]


def build(site: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    done = build(site)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return site


COUNTED = ("h1", "h2", "h3", "h4", "li", "ol", "ul", "table", "tr", "td", "pre", "img", "blockquote", "strong")


class Elements(HTMLParser):
    """Counts the elements of a page, and keeps what a browser would load for it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.loaded: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in COUNTED:
            self.counts[tag] += 1
        named = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "video"):
            self.loaded.add(named.get("src") or "")
        if tag == "link":
            self.loaded.add(named.get("href") or "")


def article(site: Path, document: str) -> str:
    page = site / Path(outside.page_of(document)).with_suffix(".html")
    html = page.read_text(encoding="utf-8")
    html = html[html.index("<article") : html.index("</article>")]
    return re.sub(r"<(nav|aside).*?</\1>", "", html, flags=re.DOTALL)


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if not WITH_MORE.match(name)])
def test_a_document_has_the_same_parts_on_the_site_as_on_github(site: Path, document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    github = Elements(MarkdownIt("commonmark").enable("table").render(text)).counts
    assert Elements(article(site, document)).counts == github


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(DOCUMENTS)
    loaded = {target for page in pages for target in Elements(page.read_text(encoding="utf-8")).loaded}
    assert {target for target in loaded if "//" in target} == set()
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert not [style for style in styles if re.search(r"url\(.?https?:|@import", style)]


def test_the_site_can_be_searched_in_a_folder(site: Path) -> None:
    assert '<script src="assets/iframe-worker.js">' in (site / "index.html").read_text(encoding="utf-8")
    script = (site / "assets/iframe-worker.js").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in script
    assert "window.IFrameWorker=" in script


def test_what_a_document_links_to_outside_of_docs_is_on_the_site(site: Path) -> None:
    clients = article(site, "docs/clients.md")
    assert 'href="source/tests/clients.html"' in clients
    assert 'href="source/tests/clients/python/dspy_client.py.html"' in clients
    source = (site / "source/tests/clients/python/dspy_client.py.html").read_text(encoding="utf-8")
    assert "<title>tests/clients/python/dspy_client.py" in source
    assert 'href="../project/changelog.html"' in article(site, "docs/reference/what_a_change_does.md")


def test_the_page_of_an_example_is_its_document_with_its_files(site: Path) -> None:
    page = article(site, "examples/async_batch/README.md")
    assert page == article(site, "examples/async_batch")
    assert 'id="apppy"' in page
    assert "AsyncTgiEndpoint" in page
    assert 'href="overview.html#install"' in article(site, "examples/two_engines/README.md")
    assert 'id="package-lockjson"' not in article(site, "examples/github-actions")


def test_a_broken_link_a_broken_anchor_and_a_page_in_no_menu_fail_the_build(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for path in ROOT.iterdir():
        if path.name not in ("docs", "mkdocs.yml", "scripts", "site"):
            (root / path.name).symlink_to(path)
    for folder in ("docs", "scripts"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "mkdocs.yml", root)
    (root / "docs" / "staging.md").write_text("# Staged\n[a](nothing.md) [b](memory.md#nothing) [c](../nothing.md)\n")
    (root / "docs" / "lost").mkdir()
    (root / "docs" / "lost" / "page.md").write_text("# Lost\n")
    done = build(tmp_path / "site", root)
    assert done.returncode == 1
    assert 'not included in the "nav" configuration:\n  - lost/page.md' in done.stderr
    assert "contains a link 'nothing.md', but the target is not found" in done.stderr
    assert "contains a link '../nothing.md', but the target" in done.stderr
    assert "contains a link 'memory.md#nothing', but the doc 'memory.md' does not contain an anchor" in done.stderr
