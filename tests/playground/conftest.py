from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.playground.api_stub import Stub, serving

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.playground.page import Page


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub()) as made:
        yield made


@pytest.fixture
def page(chromium: Chrome, stub: Stub) -> Iterator[Page]:
    from tests.playground.page import Page

    made = Page(chromium)
    yield made
    assert made.complaints() == []


@pytest.fixture
def opened(page: Page, stub: Stub) -> Page:
    page.open(f"{stub.url}/")
    return page
