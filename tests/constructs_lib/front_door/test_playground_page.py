"""The playground's files as one page."""

from __future__ import annotations

from pathlib import Path

import pytest

from constructs_lib.front_door.playground_page import render_page


def write(folder: Path, **files: str) -> Path:
    """A playground of these files, whose names have `__` for a slash and `_js` for a suffix."""
    for name, text in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        file = folder / f"{stem}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def modules(folder: Path, **files: str) -> str:
    tag = '<script type="module" src="scripts/main.js"></script>'
    return render_page(write(folder, page_html=tag, **{f"scripts__{name}": text for name, text in files.items()}))


def test_a_stylesheet_and_a_script_of_others_are_inlined_unchanged_with_their_licences(tmp_path: Path) -> None:
    page = render_page(
        write(
            tmp_path,
            page_html='<title>T</title>\n<link rel="stylesheet" href="style.css">\n'
            '<script src="vendor/a/a.js"></script>\n',
            style_css="p { color: red; }\n",
            vendor__a__a_js="export default 1; // \\1 \\g<0>\n",
            vendor__a__licenses__b_txt="Licence B\n",
            vendor__a__licenses__a_txt="Licence A\n",
        )
    )
    assert page == (
        "<title>T</title>\n<style>p { color: red; }\n</style>\n<!--\na.js\nLicence A\n\nLicence B\n-->\n"
        "<script>export default 1; // \\1 \\g<0>\n</script>\n"
    )


def test_modules_become_one_with_each_module_once_and_after_its_imports(tmp_path: Path) -> None:
    page = modules(
        tmp_path,
        main_js='import { two } from "./two.js";\nimport { one } from "./one.js";\n\ntwo(one);\n',
        two_js='import { one } from "./one.js";\n\nexport async function two() {}\nexport let state = one;\n',
        one_js="// One.\nexport const one = 1;\n",
    )
    assert page == (
        '<script type="module">// One.\nconst one = 1;\n\nasync function two() {}\nlet state = one;\n\n'
        "two(one);\n</script>"
    )


@pytest.mark.parametrize(
    "line",
    [
        'import { a as b } from "./one.js";',
        'import * as one from "./one.js";',
        'import one from "./one.js";',
        'import "https://a.example/x.js";',
        "export default 1;",
        "export { a };",
    ],
)
def test_a_module_that_could_not_be_put_into_one_is_rejected(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="named imports and exports without aliases") as caught:
        modules(tmp_path, main_js=f"{line}\n", one_js="export const a = 1;\n")
    assert f"main.js: cannot inline '{line}'" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("const a = '</script>';", "</script"),
        ("const a = '</SCRIPT ';", "</SCRIPT"),
        ("const a = '<!-- <script';", "<!-- <script"),
    ],
)
def test_a_script_that_would_end_its_element_is_rejected(tmp_path: Path, code: str, end: str) -> None:
    with pytest.raises(ValueError, match="Cannot inline a script") as caught:
        modules(tmp_path, main_js=code)
    assert str(caught.value) == f"Cannot inline a script that contains {end!r}."


def test_a_stylesheet_or_licence_that_would_end_its_element_is_rejected(tmp_path: Path) -> None:
    link = '<link rel="stylesheet" href="style.css">'
    with pytest.raises(ValueError, match="Cannot inline a style that contains '</style'"):
        render_page(write(tmp_path / "style", page_html=link, style_css="p::after { content: '</style>' }"))
    script = '<script src="vendor/a/a.js"></script>'
    files = {"page_html": script, "vendor__a__a_js": "1", "vendor__a__licenses__a_txt": "-->"}
    with pytest.raises(ValueError, match="Cannot inline a comment that contains '-->'"):
        render_page(write(tmp_path / "licence", **files))
