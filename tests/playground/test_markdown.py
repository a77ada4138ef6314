"""Markdown of a response: what it becomes, and how it is rendered while it arrives."""

from __future__ import annotations

import threading

import pytest

from tests.playground.api_stub import ApiStub, Send, chat, event
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")

# The elements of the latest response, with only the attributes that matter; the page's own buttons and bars left out.
STRUCTURE = """
const strip = (node) => {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.matches("button")) return "";
  const names = ["href", "start", "class"].filter((name) => node.hasAttribute(name) && node.getAttribute(name) !== "");
  const attributes = names.map((name) => ` ${name}=${node.getAttribute(name)}`).join("");
  const tag = node.nodeName.toLowerCase();
  const content = [...node.childNodes].map(strip).join("");
  return `<${tag}${attributes}>${content}` + (["br", "hr"].includes(tag) ? "" : `</${tag}>`);
};
return [...[...document.querySelectorAll(".markdown")].at(-1).childNodes].map(strip).join("");
"""


def render(page: Page, stub: ApiStub, markdown: str) -> str:
    stub.stream = lambda send: send(chat(markdown))
    page.say("Go on.")
    page.wait_for_response()
    return str(page.chrome.execute_script(STRUCTURE))


@pytest.mark.parametrize(
    ("markdown", "structure"),
    [
        ("# One\n\nTwo\nlines", "<h3>One</h3><p>Two<br>\nlines</p>"),
        ("**b** *i* ~~s~~ `a < b`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>a < b</code></p>"),
        ("- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol start=1><li>c</li></ol></li></ul>"),
        ("7. a\n\n   b", "<ol start=7><li><p>a</p><p>b</p></li></ol>"),
        ("> a\n\n---", "<blockquote><p>a</p></blockquote><hr>"),
        (
            "```python title\nx = '<b>'\n```",
            "<div class=code><p class=bar><span>python</span></p><pre><code>x = '<b>'</code></pre></div>",
        ),
        ("    indented", "<div class=code><p class=bar><span></span></p><pre><code>indented</code></pre></div>"),
        (
            "a|b|c\n-|:-:|--:\n1|2|3",
            (
                "<div class=scroll><table>"
                "<thead><tr><th>a</th><th class=center>b</th><th class=right>c</th></tr></thead>"
                "<tbody><tr><td>1</td><td class=center>2</td><td class=right>3</td></tr></tbody></table></div>"
            ),
        ),
        ("[a](https://a.example/x?y=1)", "<p><a href=https://a.example/x?y=1>a</a></p>"),
        ("<mailto:me@a.example>", "<p><a href=mailto:me@a.example>mailto:me@a.example</a></p>"),
        ("[a][1]\n\n[1]: http://a.example/", "<p><a href=http://a.example/>a</a></p>"),
        ("&copy; &lt;b&gt; \\*", "<p>© <b> *</p>"),
        ("a\r\nb\rc", "<p>a<br>\nb<br>\nc</p>"),
    ],
)
def test_markdown_becomes_elements(opened: Page, stub: ApiStub, markdown: str, structure: str) -> None:
    assert render(opened, stub, markdown) == structure


def test_the_markdown_of_the_user_stays_text(opened: Page) -> None:
    opened.say("**Hello** `you`")
    opened.wait_for_response()
    assert opened.all(".user .text") == ["**Hello** `you`"]
    assert opened.all(".user .text *") == []


def test_links_open_in_a_new_tab_without_a_referrer(opened: Page, stub: ApiStub) -> None:
    render(opened, stub, "[a](https://a.example)")
    link = opened.chrome.find_element("css selector", ".markdown a")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer nofollow")


def test_a_code_block_and_a_response_are_copied_exactly(opened: Page, stub: ApiStub) -> None:
    code = "if a < b && c:\n\tprint('<script>', \"é🎈\")\n\nend"
    markdown = f"Run *this*:\n\n```sh\n{code}\n```\n"
    render(opened, stub, markdown)
    assert opened.copy(".code .copy") == code
    assert opened.copy(".foot .copy") == markdown


def test_where_the_clipboard_is_denied_the_code_is_selected(opened: Page, stub: ApiStub) -> None:
    render(opened, stub, "```\none\ntwo\n```")
    opened.chrome.execute_script("navigator.clipboard.writeText = () => Promise.reject(new Error('denied'))")
    button = opened.chrome.find_element("css selector", ".code .copy")
    button.click()
    opened.until(lambda: button.text == "Selected")
    assert opened.chrome.execute_script("return getSelection().toString()") == "one\ntwo"


# Each has a place where a block that looks finished changes with the next characters.
STREAMS = {
    "a hash that begins no heading": "One\n#two\n# Three\n\nfour",
    "a line that makes a heading of the one above": "One\n===\nTwo\n--\nthree\n- - -\n",
    "a table": "Before\n\na | b\n--|--\n1 | 2\n\nafter | it\n",
    "lists": "- a\n\n- b\n  - c\n\n    d\n- e\n* f\n1. g\n2) h\n",
    "nested code": "1. x\n\n   ```js\n   let a = 1;\n\n   a += 1;\n   ```\n2. y\n\n````\n```\n````\nz",
    "emphasis over pieces": "**bold *both* and** __so__ on*\n\n`code ``\n` x\n\\",
    "line ends": "a\r\n\r\n> b\r\rc\r\n```\r\nd\r\n```\r\n",
    "a link that is defined before it is used": "[a]: https://a.example/long\n\nText\n\n[a] and [b]\n\nmore",
    "quotes": "> one\nlazy\n>\n> > two\n\n> three\n",
    "text beyond the plain": "é🎈\n\n漢字 **é**🎈 &amp; &am;\n\n\u0000<b>\n",
}


@pytest.mark.parametrize("markdown", STREAMS.values(), ids=list(STREAMS))
def test_what_has_arrived_is_rendered_as_if_it_had_come_at_once(opened: Page, stub: ApiStub, markdown: str) -> None:
    rest = threading.Event()

    def stream(send: Send) -> None:
        for character in markdown:
            send(event(character))
            threading.Event().wait(0.012)  # long enough for most characters to be rendered alone
        assert rest.wait(30)
        send(event(finish_reason="stop") + b"data: [DONE]\n\n")

    stub.stream = stream
    opened.say("Slowly.")
    opened.until(lambda: opened.meta().startswith(f"about {len(markdown)} tokens"))
    arrived = opened.chrome.execute_script(STRUCTURE)
    rest.set()
    opened.wait_for_response()
    assert arrived == opened.chrome.execute_script(STRUCTURE)
    assert arrived == render(opened, stub, markdown)


@pytest.mark.parametrize(
    ("begin", "end", "structure"),
    [
        ("One\n#", "two", "<p>One<br>\n#two</p>"),
        ("One\n***", "two***", "<p>One<br>\n<em><strong>two</strong></em></p>"),
        ("One\n```", "two```", "<p>One<br>\n<code>two</code></p>"),
    ],
)
def test_a_line_that_has_not_ended_ends_no_paragraph(
    opened: Page, stub: ApiStub, begin: str, end: str, structure: str
) -> None:
    rest, complete = threading.Event(), threading.Event()

    def stream(send: Send) -> None:
        send(event(begin))
        assert rest.wait(30)
        send(event(end))
        assert complete.wait(30)
        send(chat())

    stub.stream = stream
    opened.say("Begin.")
    opened.until(lambda: opened.meta().startswith("about 1 token "))
    rest.set()
    opened.until(lambda: opened.meta().startswith("about 2 tokens "))
    assert opened.chrome.execute_script(STRUCTURE) == structure
    complete.set()
    opened.wait_for_response()


def test_a_link_that_is_defined_at_the_end_works_when_the_response_is_complete(opened: Page, stub: ApiStub) -> None:
    def stream(send: Send) -> None:
        for piece in ("See [a].\n\n", "More.\n\n", "Still more.\n\n", "[a]: https://a.example/\n"):
            send(event(piece))
            threading.Event().wait(0.1)
        send(chat())

    stub.stream = stream
    opened.say("Refer.")
    opened.wait_for_response()
    structure = opened.chrome.execute_script(STRUCTURE)
    assert structure == "<p>See <a href=https://a.example/>a</a>.</p><p>More.</p><p>Still more.</p>"


def test_what_is_on_the_screen_stays_the_same_elements_while_more_arrives(opened: Page, stub: ApiStub) -> None:
    rest = threading.Event()

    def stream(send: Send) -> None:
        send(event("First.\n\n```py\nfirst = 1\n"))
        assert rest.wait(30)
        for n in range(20):
            send(event(f"line_{n} = {n}\n"))
            threading.Event().wait(0.03)
        send(chat("```\n\nLast.\n"))

    stub.stream = stream
    opened.say("Code.")
    opened.until(lambda: opened.all(".code code") == ["first = 1"])
    opened.chrome.execute_script(
        "window.kept = ['.markdown > p', '.code', '.code code', '.code .copy']"
        "  .map((css) => document.querySelector(css));"
        "window.code = kept[2].firstChild; getSelection().selectAllChildren(kept[0]);"
    )
    rest.set()
    opened.wait_for_response()
    assert opened.chrome.execute_script("return kept.map((node) => node.isConnected)") == [True] * 4
    assert opened.chrome.execute_script("return code.isConnected && code.data.endsWith('line_19 = 19')")
    assert opened.chrome.execute_script("return getSelection().toString()") == "First."


LONG = {
    "paragraphs": "Some **words** of a `long` response, with a [link](https://a.example).\n\n",
    "one code block": "value = compute(value, other)  # again\n",
    "one list": "- An item with *some* words\n",
    "one paragraph": "words and more words [or not] ",
}


def seconds(page: Page) -> tuple[float, float]:
    """The time, and how long the page has been busy with tasks."""
    page.chrome.execute_cdp_cmd("Performance.enable", {})
    metrics = {
        row["name"]: row["value"] for row in page.chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    }
    return metrics["Timestamp"], metrics["TaskDuration"]


@pytest.mark.parametrize(
    "line",
    [pytest.param(line, id=name, marks=[pytest.mark.slow] * (name != "one list")) for name, line in LONG.items()],
)
def test_the_page_stays_responsive_during_a_response_of_20_000_tokens(opened: Page, stub: ApiStub, line: str) -> None:
    text = ("```py\n" if "=" in line else "") + line * (80_000 // len(line))
    pieces = [text[start : start + 4] for start in range(0, len(text), 4)]
    assert len(pieces) > 19_900

    def stream(send: Send) -> None:
        for start in range(0, len(pieces), 40):
            send(b"".join(event(piece) for piece in pieces[start : start + 40]))
            threading.Event().wait(0.01)
        send(chat())

    stub.stream = stream
    begin, busy_before = seconds(opened)
    opened.say("Much.")
    opened.until(lambda: len("".join(opened.all(".markdown"))) > 1000)
    opened.find("message").send_keys("Typed meanwhile")
    assert opened.find("message").get_property("value") == "Typed meanwhile"
    opened.wait_for_response()
    end, busy_after = seconds(opened)
    # A list is one block, which is rendered whole: in each frame, that would keep the page busy nearly all the time.
    assert (busy_after - busy_before) / (end - begin) < 0.8
    assert len(opened.all(".markdown")[0]) > 40_000
