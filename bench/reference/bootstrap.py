"""Starts AWS's own runtime client as the managed Python runtime does; it finds the handler in the task root."""

import os
import sys

sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])

from awslambdaric.__main__ import main

main([__file__, os.environ["_HANDLER"]])
