"""The CDK app: its stacks, the account and Region they are deployed to, and cdk-nag's checks of their templates.

Synthesis is offline: it calls neither AWS nor any other host. Context values (in `cdk.json`, or `-c key=value`):

- `hf_token_secret`: name of the Secrets Manager secret that holds the Hugging Face token.
- `front_door`: adds `FrontDoorStack`, one URL for existing endpoints: `llama=my-endpoint,falcon=my-other-endpoint`, or
  JSON (see `stacks/front_door_context.py`). Default: no such stack.
- `cloud_watch_role`: `off` if the account already has a role for API Gateway logs. Default: `on`.
- `playground`: `on` to serve the playground at `GET /` of every front door. Default: `off`.
- `cors`: the origins whose pages may call every front door, separated by commas (`http://localhost:3000`), or `*`.
  Default: none.
- `detailed_observability`: `on` for SageMaker's detailed metrics, which are billed by volume. Default: `off`.
- `hardened`: `on` to add `HardenedLlamaTgiStack` and what it needs, `HardenedBaseStack` (see docs/front-door.md).
  Default: `off`.
- `acceptance`: `on` to add `AcceptanceStack` and `AcceptanceZeroStack`, which `make acceptance` deploys, probes and
  deletes, with `acceptance_model`, `acceptance_engine`, `acceptance_instance`, `acceptance_tokens` and
  `acceptance_step` (see docs/acceptance.md). Default: `off`.
- `smoke_test`: `off` to deploy without asking the model for a token at the end (see docs/how-to/updates.md).
  Default: `on`.
- `monitoring`: `on` to add alarms to every stack, and a topic that they notify. Default: `off`.
- `alarm_email`: the address that gets a mail of each alarm. Requires `monitoring`. Default: none.
- `staged`: the stacks that copy their weights from the hub into a bucket, each with the commit, and whose endpoints
  then have no network: `LlamaTgiStack=<commit>,…` (see docs/staging.md). Requires `staged_bucket`. Default: none.
- `staged_bucket`: name of that bucket, which exists. `staged_bucket_key`: ARN of its KMS key, if it has one.
- `cost_tags`: `off` to leave out the tags by which Cost Explorer groups costs. Default: `on`.
- `role_path`, `role_prefix`: the path of all IAM roles, such as `/team/`, and how their names begin. Default: none.
- `stacks`: comma-separated names of the only stacks to synthesize. Default: all.
- `nag`: `off` to synthesize without cdk-nag. Default: `on`.
"""

import gc
import os

from stacks.node_options import add_node_options, available_cpus

if __name__ == "__main__":
    add_node_options(os.environ, available_cpus())
    # Importing aws_cdk creates 125,000 objects that are never freed. Searching them for garbage takes 0.17 s of a synth
    # of 2.5 s while they are created, and 0.12 s at exit (see gc.freeze below).
    gc.disable()

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from typing import Any

from aws_cdk import App, Aspects, CloudFormationValidatePlugin, Environment, Validations

if __name__ == "__main__" and (validates := os.environ.get("CDK_VALIDATION") != "false"):
    # The CDK's own validation of templates takes a second to start, which Python needs for the following imports, none
    # of which sends a message to the CDK's process. Otherwise the CDK starts it in `synth`.
    validation = ThreadPoolExecutor().submit(CloudFormationValidatePlugin)

from constructs_lib import ConfigurationError, Cors, IamNames
from constructs_lib._functions import pack_functions
from stacks.acceptance_settings import NAMES as ACCEPTANCE
from stacks.acceptance_settings import read_acceptance
from stacks.front_door_context import read_front_door
from stacks.front_door_stack import FrontDoorStack
from stacks.monitoring import Monitoring
from stacks.presets import PRESETS
from stacks.staged import read_staged

# The context value in which the CDK CLI passes the stacks selected with `--exclusively` (`cdk deploy -e NAME`). It is
# `BUNDLING_STACKS` of aws-cdk-lib/cx-api, which the Python package does not export.
SELECTED_STACKS = "aws:cdk:bundling-stacks"

HARDENED = ("HardenedBaseStack", "HardenedLlamaTgiStack")
"""The stacks that `-c hardened=on` adds."""

# The context value that keeps the CDK from recording where each resource is created; `cdk --debug` turns that on again.
# It is `DISABLE_CREATION_STACK_TRACES` of aws-cdk-lib/cx-api.
NO_CREATION_TRACES = "aws:cdk:disable-creation-stack-traces"

Context = Mapping[str, Any]


def build(app: App, env: Environment) -> None:
    """Add the stacks, and cdk-nag unless the context turns it off.

    Args:
        app: The app.
        env: Account and Region of the stacks. Without them the templates fit every account and Region.

    Raises:
        SystemExit: A context value is invalid.
        ConfigurationError: As SystemExit, for an origin in `cors`.
    """
    presets = {preset.__name__: preset for preset in PRESETS}
    # One message to the CDK's process, where asking it for each value is one each.
    context = app.node.get_all_context()
    endpoints = context.get("front_door")
    cloud_watch_role, playground = _is_on(context, "cloud_watch_role"), _is_on(context, "playground", default=False)
    cors, detailed = _cors(context), _is_on(context, "detailed_observability", default=False)
    smoke_test, monitoring = _is_on(context, "smoke_test"), _monitoring(context)
    cost_tags = _is_on(context, "cost_tags")
    of_models: Any = {
        "hf_token_secret": _token_secret(context),
        "detailed_observability": detailed,
        "smoke_test": smoke_test,
    }
    of_all: Any = {
        "cloud_watch_role": cloud_watch_role,
        "playground": playground,
        "cors": cors,
        "monitoring": monitoring,
        "cost_tags": cost_tags,
        "env": env,
    }
    keys = ("staged", "staged_bucket", "staged_bucket_key")
    staged = read_staged(*(context.get(key) for key in keys), names=presets)
    hardened = HARDENED if _is_on(context, "hardened", default=False) else ()
    acceptance = ACCEPTANCE if _is_on(context, "acceptance", default=False) else ()
    names = [*presets, *hardened, *acceptance, *(["FrontDoorStack"] if endpoints is not None else [])]
    chosen = _stack_names(context, names)
    for name in chosen:
        if name == "FrontDoorStack":
            FrontDoorStack(app, name, endpoints=read_front_door(endpoints), **of_all)
        elif name not in (*HARDENED, *ACCEPTANCE):
            presets[name](app, name, staged=staged.get(name), **of_models, **of_all)
    if set(HARDENED) & set(chosen):
        _add_hardened(app, chosen, **of_models, **of_all)
    if set(ACCEPTANCE) & set(chosen):
        _add_acceptance(app, context, chosen, detailed_observability=detailed, smoke_test=smoke_test, **of_all)
    _name_roles(app, context)
    if _is_on(context, "nag"):
        # Importing cdk_nag loads its rules into the CDK's Node process: 0.25 s that `-c nag=off` saves.
        from cdk_nag import AwsSolutionsChecks, ServerlessChecks

        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def _token_secret(context: Context) -> Any:
    """The secret that the context `hf_token_secret` names; cdk.json has one.

    Raises:
        SystemExit: It names none.
    """
    if context.get("hf_token_secret") is None:
        raise SystemExit(
            "hf_token_secret: missing. Name the secret of the token: -c hf_token_secret=hugging-face-token."
        )
    return context["hf_token_secret"]


def _add_hardened(app: App, chosen: list[str], **options: Any) -> None:
    """The stack that hardened ones share, and those of them that are chosen."""
    # Imported here, as few synths have them.
    from stacks.hardened import HardenedBaseStack, HardenedLlamaTgiStack

    base = HardenedBaseStack(app, env=options["env"])
    if "HardenedLlamaTgiStack" in chosen:
        HardenedLlamaTgiStack(app, base=base, **options)


def _add_acceptance(app: App, context: Context, chosen: list[str], **options: Any) -> None:
    """Those of the stacks for the acceptance test that are chosen."""
    # Imported here, as few synths have them.
    from stacks.acceptance import AcceptanceStack, AcceptanceZeroStack

    acceptance = read_acceptance(context)
    if ACCEPTANCE[0] in chosen:
        AcceptanceStack(app, acceptance=acceptance, **options)
    if ACCEPTANCE[1] in chosen:
        AcceptanceZeroStack(app, acceptance=acceptance, env=options["env"])


def _name_roles(app: App, context: Context) -> None:
    """Give IAM roles the path and the prefix in the context.

    Raises:
        SystemExit: IAM would refuse them.
    """
    path, prefix = context.get("role_path"), context.get("role_prefix")
    if path is not None or prefix is not None:
        try:
            Aspects.of(app).add(IamNames(path=path, prefix=prefix))
        except ConfigurationError as error:
            raise SystemExit("\n".join(f"role_{problem}" for problem in error.problems)) from None


def _stack_names(context: Context, names: list[str]) -> list[str]:
    """Those of `names` to synthesize: the ones in the context `stacks`, of these the ones selected exclusively."""
    chosen = str(context.get("stacks") or "").replace(",", " ").split()
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        hint = " FrontDoorStack requires endpoints: -c front_door=llama=my-endpoint." * ("FrontDoorStack" in unknown)
        hint += " Acceptance stacks require -c acceptance=on." * any(name in ACCEPTANCE for name in unknown)
        hint += " Hardened stacks require -c hardened=on." * any(name in HARDENED for name in unknown)
        raise SystemExit(
            f"stacks={','.join(unknown)}: the app has no stack of this name. Choose one of: {', '.join(names)}.{hint}"
        )
    candidates = [name for name in names if name in chosen or not chosen]
    # One stack takes less than half of the time of all (docs/measured.md). Without a selection (`cdk list`), or if it
    # matches nothing, the CLI needs all of them.
    patterns = context.get(SELECTED_STACKS) or []
    return [name for name in candidates if any(fnmatch(name, pattern) for pattern in patterns)] or candidates


def _cors(context: Context) -> Cors | None:
    """The origins in the context `cors`: text, or a list from cdk.json."""
    value = context.get("cors")
    origins = value if isinstance(value, list) else str(value or "").replace(",", " ").split()
    return Cors(allowed_origins=origins) if origins else None


def _monitoring(context: Context) -> Monitoring | None:
    """How stacks are monitored, by the contexts `monitoring` and `alarm_email`.

    Raises:
        SystemExit: The address is none, or there is one without monitoring.
    """
    email = context.get("alarm_email")
    if not _is_on(context, "monitoring", default=False):
        if email is not None:
            raise SystemExit(f"alarm_email={email}: requires monitoring. Add -c monitoring=on.")
        return None
    try:
        return Monitoring(alarm_email=None if email is None else str(email))
    except ValueError as error:
        raise SystemExit(str(error)) from None


def _is_on(context: Context, key: str, *, default: bool = True) -> bool:
    """Whether a context value is `on` or true rather than `off` or false.

    Raises:
        SystemExit: It is something else.
    """
    value = context.get(key)
    if value is None:
        return default
    switch = {"on": True, "true": True, "off": False, "false": False}.get(str(value).lower())
    if switch is None:
        raise SystemExit(f"{key}={value}: must be on or off.")
    return switch


if __name__ == "__main__":
    # Without this variable a trace has no line of Python.
    has_traces = "JSII_HOST_STACK_TRACES" in os.environ
    # In the rest of that second: every stack has these functions.
    pack_functions("front_door", "api_key_authorizer", "smoke_test")
    plugins = [validation.result()] if validates else []
    app = App(context={} if has_traces else {NO_CREATION_TRACES: True})
    Validations.of(app).add_plugins(*plugins)
    # The CDK CLI sets both variables if it has credentials.
    env = Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION"))
    build(app, env)
    app.synth()
    gc.freeze()
