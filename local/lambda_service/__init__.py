"""An emulation of Lambda: runs deployed code in sandboxes, each a process with its own Runtime API."""

from local.lambda_service.errors import BadPrelude, FunctionError, FunctionThrottled, FunctionTimeout
from local.lambda_service.function import Concurrency, Function, FunctionConfig
from local.lambda_service.functions import Functions
from local.lambda_service.response import StreamedResponse

__all__ = [
    "BadPrelude",
    "Concurrency",
    "Function",
    "FunctionConfig",
    "FunctionError",
    "FunctionThrottled",
    "FunctionTimeout",
    "Functions",
    "StreamedResponse",
]
