"""Puts the playground's files into one HTML page. Pure Python: no aws_cdk here.

The page is one file, so that its content security policy can name each script and style by its hash and allow nothing
else. It needs no bundler: the modules in `scripts/` have named imports and exports without aliases, one import a line,
and share no top-level name, so that they work as one module when they are put one after the other.
"""

from __future__ import annotations

import re
from pathlib import Path

# What an inlined file must not contain: it would end the element or comment that contains it.
_END = {"style": r"</style", "script": r"</script|<!--[\s\S]*<script", "comment": r"--!?>"}
_STYLESHEET = re.compile(r'<link rel="stylesheet" href="(?P<path>[^"]+)">')
_SCRIPT = re.compile(r'<script(?P<attributes>[^>]*?) src="(?P<path>[^"]+)"></script>')
_IMPORT = re.compile(r'^import \{ [\w$]+(?:, [\w$]+)* \} from "\./(?P<name>[\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)
_MODULE_SYNTAX = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def render_page(folder: Path) -> str:
    """The page as one file: `page.html` with its stylesheet, its scripts, and the licences of others' scripts.

    Args:
        folder: The playground's source.

    Raises:
        ValueError: A file cannot be inlined.
    """
    page = (folder / "page.html").read_text(encoding="utf-8")
    page = _STYLESHEET.sub(lambda tag: _element("style", "", _read(folder / tag["path"])), page)
    return _SCRIPT.sub(lambda tag: _script(folder / tag["path"], tag["attributes"]), page)


def _script(file: Path, attributes: str) -> str:
    if "module" in attributes:
        return _element("script", attributes, "".join(_modules(file, [])))
    licenses = "\n".join(_read(license_) for license_ in sorted((file.parent / "licenses").iterdir()))
    return _comment(f"{file.name}\n{licenses}") + _element("script", attributes, _read(file))


def _modules(file: Path, done: list[Path]) -> list[str]:
    """The code of a module after that of the modules that it imports, each once."""
    done.append(file)
    code = _read(file)
    parts = []
    for name in _IMPORT.findall(code):
        if (imported := file.parent / name) not in done:
            parts += _modules(imported, done)
    plain = _EXPORT.sub("", _IMPORT.sub("", code))
    if other := _MODULE_SYNTAX.search(plain):
        raise ValueError(f"{file}: cannot inline {other[0]!r}; write named imports and exports without aliases.")
    return [*parts, plain]


def _element(tag: str, attributes: str, content: str) -> str:
    _refuse_end(tag, content)
    return f"<{tag}{attributes}>{content}</{tag}>"


def _comment(content: str) -> str:
    _refuse_end("comment", content)
    return f"<!--\n{content}-->\n"


def _refuse_end(kind: str, content: str) -> None:
    if found := re.search(_END[kind], content, re.IGNORECASE):
        raise ValueError(f"Cannot inline a {kind} that contains {found[0][:20]!r}.")


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")
