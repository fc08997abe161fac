"""Where the application keeps what its handlers need."""

import asyncio

from aiohttp import web

from monitor.web.door import Door
from monitor.web.state import WebState

STATE: web.AppKey[WebState] = web.AppKey("state", WebState)
DOOR: web.AppKey[Door] = web.AppKey("door", Door)
EXPLAINING: web.AppKey[asyncio.Semaphore] = web.AppKey("explaining", asyncio.Semaphore)
"""How many explanations may be under way."""
