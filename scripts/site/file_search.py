"""What lets the site be searched in a folder, by file://, where a browser starts no worker: iframe-worker from npm."""

from __future__ import annotations

from mkdocs.exceptions import PluginError

from scripts.site.outside import ROOT

SCRIPT = "assets/iframe-worker.js"
"""Where the site has it; mkdocs.yml names it too, at `polyfills`."""

_PACKAGE = ROOT / "node_modules" / "iframe-worker"


def text() -> str:
    """The script as package-lock.json pins it, after its licence, which has to go where the script goes.

    Raises:
        PluginError: The package is not installed.
    """
    try:
        licence, script = ((_PACKAGE / name).read_text(encoding="utf-8") for name in ("LICENSE", "shim/index.js"))
    except FileNotFoundError as error:
        raise PluginError(f"{error.filename} is missing: `make docs` installs it, or `npm ci`.") from None
    return f"/*!\n{licence.strip()}\n*/\n{script}"
