"""Content of a model that attacks the page: it never executes, loads anything or becomes an element of its choice."""

from __future__ import annotations

import pytest

from tests.playground.api_stub import ApiStub, chat, in_pieces
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")

# Whatever executes changes the title; whatever loads reaches the stub.
RUN = "document.title='executed'"
HTML = [
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'\n\n<div onmouseover="{RUN}" style="position:fixed;inset:0">over everything</div>\n\n',
    f"<svg onload={RUN}><script>{RUN}</script></svg>",
    f"<iframe srcdoc=\"<script>parent.{RUN}</script>\"></iframe><iframe src='/prod/stolen'></iframe>",
    "<style>* { display: none }</style><link rel=stylesheet href=/prod/stolen>",
    "<form action=/prod/stolen><input name=key autofocus><button>Log in</button></form>",
    "<meta http-equiv=refresh content='0;url=/prod/stolen'><base href=https://evil.example/>",
    f"<details open ontoggle={RUN}><template shadowrootmode=open><script>{RUN}</script></template></details>",
    f"<!--><img src=x onerror={RUN}>--> <![CDATA[<img src=x onerror={RUN}>]]> <?php <img src=x onerror={RUN}> ?>",
    f'```html"><img src=x onerror={RUN}>\n<script>{RUN}</script>\n```',
    f"`</code><script>{RUN}</script>`",
    f"| <img src=x onerror={RUN}> |\n|---|\n| <script>{RUN}</script> |",
    f"# <svg/onload={RUN}>\n\n> <script>{RUN}</script>\n\n- <math><mtext><img src=x onerror={RUN}>",
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;img src=x onerror={RUN}&#62;",
    f"</div></section></main><script>{RUN}</script>",
]
LINKS = [
    f"[run](javascript:{RUN})",
    f"[run](<java\nscript:{RUN}>)",
    f"[run](JaVaScRiPt:{RUN})",
    f"[run](&#106;avascript&colon;{RUN})",
    f"[run](&#x01;javascript:{RUN})",
    f"[run](java&Tab;script:{RUN})",
    f"[run](javascript&#58;{RUN})",
    f"<javascript:{RUN}>",
    f"[run][x]\n\n[x]: javascript:{RUN}",
    f"![run](javascript:{RUN})",
    "[run](data:text/html,<script>document.title='executed'</script>)",
    "[run](vbscript:msgbox)",
    "[run](file:///etc/passwd)",
    "[run](blob:https://evil.example/1)",
    "[run](ms-settings:privacy)",
    "[run](//evil.example/path)",
    "[run](/prod/v1/models)",
    "[run](?x#y)",
    '[run](https://a.example "x\\" onmouseover=\\"document.title=1")',
    "[run](https://a.example/\\\"onmouseover=\\\"document.title='executed')",
]
IMAGES = [
    "![pixel](stolen?secret=1)",
    "![pixel](/prod/stolen?secret=1)",
    "![pixel](data:image/svg+xml,<svg onload=\"document.title='executed'\"/>)",
    "![pixel](data:image/gif;base64,R0lGODlhAQABAAAAACw=)",
    "[![pixel](/prod/stolen)](/prod/stolen)",
]
# Everything that the page can make of a model's text.
ALLOWED = {
    *("h3", "h4", "h5", "h6", "p", "blockquote", "pre", "code", "div", "span", "hr", "br", "ol", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "a", "button", "em", "strong", "s"),
}
FOUND = """
const all = [...document.querySelectorAll(".assistant .markdown *")];
return [all.map((node) => node.localName), all.flatMap((node) => node.getAttributeNames()),
  all.map((node) => node.getAttribute("href")).filter(Boolean)];
"""


def attack(page: Page, stub: ApiStub, content: str) -> tuple[set[str], set[str], list[str]]:
    """The elements, attributes and links that became of the content, after a click on everything."""
    stub.stream = in_pieces(chat(*content), 400)
    page.say("Go on.")
    page.wait_for_response()
    page.chrome.execute_script("for (const node of document.querySelectorAll('.markdown :not(a)')) node.click()")
    elements, attributes, links = page.chrome.execute_script(FOUND)
    return set(elements), set(attributes), links


def assert_harmless(page: Page, stub: ApiStub) -> None:
    assert page.chrome.title == "Playground"
    assert page.chrome.current_url == f"{stub.url}/"
    assert page.find("message").is_displayed()
    assert not [path for path in stub.paths if "stolen" in path or path.startswith("/x")]


@pytest.mark.parametrize("content", [*HTML, *LINKS, *IMAGES])
def test_content_becomes_only_allowed_elements_and_never_runs_or_loads(
    opened: Page, stub: ApiStub, content: str
) -> None:
    elements, attributes, links = attack(opened, stub, content)
    assert elements <= ALLOWED
    assert attributes <= {"href", "target", "rel", "class", "tabindex", "type", "aria-label", "title", "start", "role"}
    assert all(link.startswith("https://a.example") for link in links)
    assert_harmless(opened, stub)


@pytest.mark.parametrize("content", HTML[:2])
def test_html_is_shown_as_it_was_written(opened: Page, stub: ApiStub, content: str) -> None:
    attack(opened, stub, content)
    assert opened.all(".assistant .text") == [content]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("![a chart](https://a.example/c.png)", "Image: a chart"),
        ("![](stolen?secret=1)", "Image: stolen?secret=1 (stolen?secret=1)"),
    ],
)
def test_an_image_is_named_but_not_loaded(opened: Page, stub: ApiStub, content: str, text: str) -> None:
    attack(opened, stub, content)
    assert opened.all(".assistant .text") == [text]
    assert_harmless(opened, stub)


@pytest.mark.parametrize("field", ["models", "error", "user"])
def test_text_from_elsewhere_is_not_parsed_either(page: Page, stub: ApiStub, field: str) -> None:
    markup = HTML[1]
    if field == "models":
        stub.models = [markup]
    page.open(f"{stub.url}/")
    if field == "error":
        stub.status, stub.body = 422, b'{"error": "%b"}' % markup.replace('"', "'").encode()
    page.say(markup)
    page.until(lambda: page.all(".turn .error") if field == "error" else page.wait_for_response())
    assert page.all("#turns img, select img") == []
    assert_harmless(page, stub)


def test_deep_nesting_and_repetition_do_not_stop_the_page(opened: Page, stub: ApiStub) -> None:
    content = (
        ">" * 5_000 + "\n\n" + "[" * 5_000 + "\n\n" + "- " * 500 + "\n\n" + "*a_" * 3_000 + "\n\n" + "![](" * 3_000
    )
    stub.stream = lambda send: send(chat(content))
    opened.say("Nest.")
    opened.wait_for_response()
    opened.say("Still there?")
    opened.until(lambda: len(stub.chats) == 2)


def test_the_policy_blocks_injected_code_html_and_other_hosts(opened: Page) -> None:
    errors = opened.chrome.execute_async_script(
        """
        const errors = [], attempt = (action) => { try { action(); } catch (error) { errors.push(error.name); } };
        attempt(() => { document.createElement("div").innerHTML = "<b></b>"; });
        attempt(() => { document.createElement("script").textContent = "1"; });
        attempt(() => { trustedTypes.createPolicy("default", { createHTML: (html) => html }); });
        const script = document.createElement("script");
        script.append("document.title = 'executed'");
        document.body.append(script);
        fetch("http://127.0.0.1:9/").catch((error) => arguments[0]([...errors, error.name]));
        """
    )
    assert errors == ["TypeError"] * 4
    assert opened.chrome.title == "Playground"
    messages = "\n".join(opened.console_errors())
    for directive in ("connect-src", "TrustedHTML", "TrustedScript", "trusted-types"):
        assert directive in messages


@pytest.mark.parametrize("mark", ["*", "_"])
def test_rows_of_marks_do_not_crash_the_tab(opened: Page, stub: ApiStub, mark: str) -> None:
    stub.stream = lambda send: send(chat(f"{mark * 50_000}a{mark * 50_000}"))
    opened.say("Emphasize.")
    assert opened.wait_for_response() == "a"
    count = "return document.querySelectorAll('.assistant .text *').length"
    assert opened.chrome.execute_script(count) <= 101
