from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.playground.api_stub import ApiStub, serve

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.playground.page import Page


@pytest.fixture
def stub() -> Iterator[ApiStub]:
    with serve(ApiStub()) as served:
        yield served


@pytest.fixture
def page(chromium: Chrome, stub: ApiStub) -> Iterator[Page]:
    from tests.playground.page import Page

    playground = Page(chromium)
    yield playground
    assert playground.console_errors() == []


@pytest.fixture
def opened(page: Page, stub: ApiStub) -> Page:
    page.open(f"{stub.url}/")
    return page
