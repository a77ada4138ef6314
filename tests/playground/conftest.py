from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib.front_door.playground_page import render_page
from tests.playground.api_stub import SOURCE, ApiStub, serve

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.playground.page import Page


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as it is deployed."""
    file = tmp_path_factory.mktemp("playground") / "index.html"
    file.write_text(render_page(SOURCE), encoding="utf-8")
    return file


@pytest.fixture
def stub(page_file: Path) -> Iterator[ApiStub]:
    with serve(ApiStub(page_file)) as served:
        yield served


@pytest.fixture
def page(chromium: Chrome, stub: ApiStub) -> Iterator[Page]:
    from tests.playground.page import Page

    playground = Page(chromium)
    chromium.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": stub.url.removesuffix("/prod"), "storageTypes": "all"}
    )
    yield playground
    assert playground.console_errors() == []


@pytest.fixture
def opened(page: Page, stub: ApiStub) -> Page:
    page.open(f"{stub.url}/")
    return page
