"""Who may change something: whoever shows the operator's token."""

import asyncio
import hmac
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import structlog
from aiohttp import web

from monitor.model.scalar import Credentials
from monitor.sources.credentials import authorization
from monitor.sources.fault import SourceFault
from monitor.web.state import Refused

LOG_EVERY = 60.0
"""Seconds: refusals are logged no more often."""

_READING = 5.0
"""Seconds that reading the token's file may take."""

HOW_TO_SET = (
    "start the agent with --token-file FILE, or SWARM_MONITOR_TOKEN_FILE, and give the same "
    "token to the command"
)


class Refusal(StrEnum):
    """Why a request was turned away, safe as a metric label."""

    NONE_SET = "no_token_set"
    UNREADABLE = "token_unreadable"
    MISSING = "token_missing"
    WRONG = "token_wrong"


@dataclass(frozen=True, slots=True)
class TokenSource:
    """file: read at each use, so that a rotated token counts at once; goes before `direct`."""

    file: Path | None = None
    direct: str = field(default="", repr=False)

    def read(self) -> str | None:
        """The token, None where none is set. Raises SourceFault; never holds what is in it."""
        if self.file is None:
            return self.direct or None
        (token,) = authorization(Credentials(bearer_token_file=str(self.file))).secrets
        return token


class Door:
    """Lets requests with the right token in, and counts those without.

    refusals: by Refusal, all of them from the start.
    """

    def __init__(self, token: TokenSource | None = None) -> None:
        self._token = token or TokenSource()
        self.refusals: Counter[Refusal] = Counter(dict.fromkeys(Refusal, 0))
        self._log = structlog.get_logger("monitor.web")
        self._logged_at = float("-inf")
        self._unlogged = 0

    async def admit(self, request: web.Request, what: str) -> None:
        """what: for the sentences: `pausing`. Raises Refused (401 or 403) to all others."""
        try:
            async with asyncio.timeout(_READING):
                token = await asyncio.to_thread(self._token.read)
        except (SourceFault, TimeoutError) as fault:
            self._count(request, Refusal.UNREADABLE, str(fault))
            message = f"{what} needs a token, and this agent cannot read its own; its log says why"
            raise Refused(403, f"{message}.") from None
        if token is None:
            self._count(request, Refusal.NONE_SET)
            raise Refused(403, f"{what} needs a token, and this agent has none: {HOW_TO_SET}.")
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not shown.strip():
            self._count(request, Refusal.MISSING)
            raise Refused(401, f"{what} needs the agent's token: Authorization: Bearer TOKEN.")
        if not hmac.compare_digest(_bytes(shown.strip()), _bytes(token)):
            self._count(request, Refusal.WRONG)
            raise Refused(401, "The token is not this agent's.")

    def _count(self, request: web.Request, why: Refusal, detail: str = "") -> None:
        self.refusals[why] += 1
        self._unlogged += 1
        now = asyncio.get_running_loop().time()
        if now - self._logged_at >= LOG_EVERY:
            facts = {"detail": detail} if detail else {}
            self._log.warning(
                "a request that would change something was refused",
                reason=str(why),
                path=request.path,
                remote=request.remote,
                refused=self._unlogged,
                **facts,
            )
            self._logged_at, self._unlogged = now, 0


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
