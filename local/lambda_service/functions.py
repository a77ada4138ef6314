"""The functions of the account by name, which follow their definitions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.lambda_service.environment import FunctionConfig
    from local.lambda_service.function import Function


class Functions:
    """Functions that are unpacked when they are invoked first, and again when their definition has changed.

    Args:
        make: Makes a function.
    """

    def __init__(self, make: Callable[[FunctionConfig], Function]) -> None:
        self._make = make
        self._configs: Mapping[str, FunctionConfig] = {}
        self._functions: dict[str, Function] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def follow(self, configs: Mapping[str, FunctionConfig]) -> None:
        """Exchanges the definitions. A function that has changed or gone still ends what it has begun."""
        for name in [name for name, function in self._functions.items() if configs.get(name) != function.config]:
            task = asyncio.create_task(self._functions.pop(name).retire())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        self._configs = configs

    def find(self, name: str) -> Function:
        """A function.

        Raises:
            KeyError: There is none of this name.
        """
        if name not in self._functions:
            self._functions[name] = self._make(self._configs[name])
        return self._functions[name]

    async def close(self) -> None:
        """Stops all sandboxes."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(function.close() for function in self._functions.values()))
        self._functions.clear()
