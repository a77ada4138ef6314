"""The composition root: which stacks there are, where they go, and what checks their templates.

Synthesis is offline: no AWS call, no network. Context (`cdk.json`, or `-c key=value`):

- `hf_token_secret`: name of the Secrets Manager secret that holds the Hugging Face token.
- `front_door`: endpoints that exist already, for a stack `FrontDoorStack` with one URL for all of them:
  `llama=my-endpoint,falcon=my-other-endpoint`, or JSON (`stacks/front_door_context.py`). Default: no such stack.
- `cloud_watch_role`: `off` when the account already has a role for API Gateway logs.
- `playground`: `on` to show the playground at `GET /` of every front door.
- `stacks`: names of stacks, separated by commas, of which the app is to consist. Default: all of `stacks/presets.py`,
  and `FrontDoorStack` where there is one.
- `nag`: `off` to synthesize without cdk-nag.

With `--exclusively` (`cdk synth -e LlamaTgiStack`) only the selected stacks are built; without it the CDK CLI does not
tell the app what is selected, and builds all of them.
"""

from __future__ import annotations

import gc
import os
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import App, Environment

BUNDLING_STACKS = "aws:cdk:bundling-stacks"
_FRONT_DOOR = "FrontDoorStack"
_SWITCH = {"on": True, "true": True, "off": False, "false": False}


def build(app: App, env: Environment) -> None:
    """Add the stacks that are asked for and, unless it is switched off, the checks of cdk-nag.

    Args:
        app: The app.
        env: Account and Region of the stacks; without them the templates fit every Region.

    Raises:
        SystemExit: The context names a stack that there is not, or endpoints as they cannot be.
    """
    from stacks.presets import PRESETS

    presets = {preset.__name__: preset for preset in PRESETS}
    endpoints = app.node.try_get_context("front_door")
    for name in _asked(app, [*presets, *([_FRONT_DOOR] if endpoints is not None else [])]):
        if name == _FRONT_DOOR:
            _add_front_door(app, endpoints, env)
            continue
        presets[name](
            app,
            name,
            hf_token_secret=app.node.get_context("hf_token_secret"),
            cloud_watch_role=_is_on(app, "cloud_watch_role"),
            playground=_is_on(app, "playground", default=False),
            env=env,
        )
    if _is_on(app, "nag"):
        _add_nag(app)


def _add_front_door(app: App, endpoints: object, env: Environment) -> None:
    from stacks.front_door_context import read_front_door
    from stacks.front_door_stack import FrontDoorStack

    FrontDoorStack(
        app,
        _FRONT_DOOR,
        endpoints=read_front_door(endpoints),
        cloud_watch_role=_is_on(app, "cloud_watch_role"),
        playground=_is_on(app, "playground", default=False),
        env=env,
    )


def _asked(app: App, names: list[str]) -> list[str]:
    """The stacks that are worth their time: those of the context `stacks`, of them what `--exclusively` selects."""
    stated = str(app.node.try_get_context("stacks") or "").replace(",", " ").split()
    unknown = sorted(set(stated) - set(names))
    if unknown:
        hint = f" {_FRONT_DOOR} needs endpoints: -c front_door=llama=my-endpoint." * (_FRONT_DOOR in unknown)
        raise SystemExit(
            f"stacks={','.join(unknown)}: the app has no stack of this name. Choose one of: {', '.join(names)}.{hint}"
        )
    known = [name for name in names if name in stated or not stated]
    # The CLI tells the app what is selected only with --exclusively, by the stacks whose assets it needs. Where it
    # selects nothing, as for `cdk list`, or what there is not, it has to see all of them.
    patterns = app.node.try_get_context(BUNDLING_STACKS) or []
    return [name for name in known if any(fnmatch(name, pattern) for pattern in patterns)] or known


def main() -> None:
    """Synthesize the app for where the CDK CLI would deploy to; without credentials it does not say."""
    # The CDK's modules make a million objects and keep them all: looking for garbage among them takes longer than
    # everything that this app does.
    gc.disable()
    from aws_cdk import App, Environment

    app = App()
    build(
        app,
        Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")),
    )
    app.synth()
    gc.freeze()  # nor look for it once more on the way out, which Python does even when it is disabled


def _is_on(app: App, key: str, *, default: bool = True) -> bool:
    """Whether a context switch says `on` rather than `off` (or JSON's true and false in cdk.json).

    Raises:
        SystemExit: It says something else.
    """
    value = app.node.try_get_context(key)
    if value is None:
        return default
    switched = _SWITCH.get(str(value).lower())
    if switched is None:
        raise SystemExit(f"{key}={value}: must be on or off.")
    return switched


def _add_nag(app: App) -> None:
    # Loading the packs takes as long as a small synthesis; `-c nag=off` spares it.
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


if __name__ == "__main__":
    main()
