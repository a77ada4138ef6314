"""`python -m scripts.warm_up`: compiles the largest modules that app.py imports, while the CDK CLI is installed.

The first synth would compile them one after the other, on one processor. Compiling all packages takes minutes.
"""

from __future__ import annotations

import compileall
import importlib.util
import sys
from pathlib import Path

MODULES = (
    "aws_cdk.aws_ec2",
    "aws_cdk.aws_sagemaker",
    "aws_cdk",
    "aws_cdk.aws_lambda",
    "aws_cdk.aws_apigateway",
    "aws_cdk.aws_logs",
    "aws_cdk.aws_iam",
)


def main() -> int:
    """Compile them.

    Returns:
        0, or 1 if one cannot be compiled, whose error has been printed.
    """
    return 0 if all(compileall.compile_file(source_of(module), quiet=1) for module in MODULES) else 1


def source_of(module: str) -> Path:
    """The source file of a package of aws_cdk, which is not imported: that would start the CDK's Node process."""
    root = importlib.util.find_spec("aws_cdk")
    if root is None or root.origin is None:
        raise ModuleNotFoundError("aws_cdk is not installed: run `make demo`.")
    return Path(root.origin).parent.joinpath(*module.split(".")[1:], "__init__.py")


if __name__ == "__main__":
    sys.exit(main())
