"""Where the application keeps what its handlers need."""

from aiohttp import web

from monitor.web.state import WebState

STATE: web.AppKey[WebState] = web.AppKey("state", WebState)
