"""What the copier of weights says about itself: its request, and where it puts what.

Its source is beside that of the Lambda functions, which the wheel has in a folder of its own: it cannot be imported by
its name until it has been found.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from constructs_lib._lambda_root import lambda_root

_NAME = "weights_copier"


def _load() -> None:
    """Make the copier's folder the package of its name, as if the folder above it were on the path."""
    folder = lambda_root() / _NAME
    spec = spec_from_file_location(_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"There is no package {_NAME} in {folder.parent}.", name=_NAME)
    module = module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)


if _NAME not in sys.modules:
    _load()

from weights_copier.patterns import DEFAULT_EXCLUDE, DEFAULT_INCLUDE  # noqa: E402 - after it can be found
from weights_copier.places import Places, places_of  # noqa: E402
from weights_copier.request import (  # noqa: E402
    HUB,
    MAX_PREFIX,
    StagingRequest,
    is_bucket,
    is_commit,
    is_hub,
    is_prefix,
    is_repository,
    read_request,
    wrong_values,
)


def copier_job() -> ModuleType:
    """The module that copies, `weights_copier.job`.

    Raises:
        ModuleNotFoundError: boto3 is not installed.
    """
    return import_module(f"{_NAME}.job")


__all__ = [
    "DEFAULT_EXCLUDE",
    "DEFAULT_INCLUDE",
    "HUB",
    "MAX_PREFIX",
    "Places",
    "StagingRequest",
    "copier_job",
    "is_bucket",
    "is_commit",
    "is_hub",
    "is_prefix",
    "is_repository",
    "places_of",
    "read_request",
    "wrong_values",
]
