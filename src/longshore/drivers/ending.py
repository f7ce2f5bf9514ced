"""How a driver ends what it has begun."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def cancelled(running: Iterable["asyncio.Task[Any] | None"]) -> None:
    """Cancel what runs, and wait until all of it has ended, however it does. None stands for what never began."""
    begun = [each for each in running if each is not None]
    for each in begun:
        each.cancel()
    await asyncio.gather(*begun, return_exceptions=True)
