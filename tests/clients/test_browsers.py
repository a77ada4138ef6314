"""JavaScript's client libraries in pages of another origin, in the browsers that the system has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.browsers import BROWSERS, FOLDER, PACKAGES, Page
from tests.clients.installation import install_npm
from tests.e2e.deployed_cloud import Cloud, Serve

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browsers"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    install_npm(FOLDER, PACKAGES)
    with Page() as served:
        yield served


@pytest.fixture(scope="module")
def front_door(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A front door that allows the page and another origin, so that gateway responses allow the request's."""
    origins = f"cors={page.origin},https://app.example.com"
    with Serve(tmp_path_factory.mktemp("serve") / "log", "--context", origins) as serve:
        yield Cloud.of(serve)


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("script", ["openai.mjs", "huggingface.mjs"])
def test_a_package_works_in_a_page_of_an_allowed_origin(
    page: Page, front_door: Cloud, tmp_path: Path, browser: str, script: str
) -> None:
    report = page.run(browser, script, front_door, tmp_path)
    assert report, "nothing was checked"
    failed = {name: outcome for name, outcome in report.items() if outcome}
    assert not failed, "\n".join(f"{name}: {outcome}" for name, outcome in failed.items())


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_page_of_another_origin_reads_nothing(front_door: Cloud, tmp_path: Path, browser: str) -> None:
    with Page() as other:
        report = other.run(browser, "other_origin.mjs", front_door, tmp_path)
    assert report == {"reads nothing of the function": ""}
