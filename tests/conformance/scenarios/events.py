"""What an engine still tells of the past: the replay of events."""

from __future__ import annotations

from typing import Any

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import spec, to_replicas


def _moment(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


def _said(events: list[dict[str, Any]]) -> list[list[Any]]:
    return [[one["Action"], one["Actor"]["Attributes"]] for one in events]


async def replayed(play: Play) -> None:
    """`since` is inclusive, filters hold, and 256 events of all kinds are all there is."""
    client = play.client()
    await play.create(spec("replayed", replicas=0))
    await play.update("replayed", to_replicas(0))
    await play.update("replayed", lambda raw: raw.update(Labels={"a": "b"}))

    async def told() -> list[dict[str, Any]]:
        return play.tapes.of(["m1"], "service", "name", "replayed")

    first, second, last = await play.until("3 events", told, lambda found: len(found) == 3)
    end = _moment(last["timeNano"] + 1)

    async def since(begun: dict[str, Any], more: int = 0, **filters: list[str]) -> Any:
        begin = _moment(begun["timeNano"] + more)
        return _said(await client.past_events(begin, end, service=["replayed"], **filters))

    play.note("all", await since(first))
    play.note("since the second", await since(second))
    play.note("just after it", await since(second, 1))
    play.note("creations", await since(first, event=["create"]))
    play.note("of another type", await since(first, type=["node"]))
    play.note("of another name", len(await client.past_events("0", end, service=["nonesuch"])))
    for number in range(260):
        raw = await play.service("replayed")
        raw["Spec"]["Labels"] = {"n": str(number)}
        await play.write(raw)
    events = await play.until("263 events", told, lambda found: len(found) >= 263)
    now = _moment(events[-1]["timeNano"] + 1)
    kept = await client.past_events("0", now)
    play.note("kept", len(kept))
    none = await play.client("w1").past_events("0", now, service=["replayed"])
    play.note("on a worker", len(none))
    await client.ask("DELETE", "/services/replayed")


SCENARIOS = (
    Scenario("replayed", "`since`, `until`, filters, and 256 events at most", replayed, alone=True),
)
