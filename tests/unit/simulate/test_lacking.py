"""What a simulated Swarm has not is refused with a sentence that says so."""

import pytest

from tests.unit.simulate.scene import served


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/services/web/logs", 501, "keeps no logs"),
        ("GET", "/services/nosuch/logs", 404, "service nosuch not found"),
        ("POST", "/containers/create", 501, "docker service create"),
        ("POST", "/images/create", 501, "has no images"),
        ("POST", "/volumes/create", 501, "no volumes"),
        ("GET", "/volumes/data", 404, "volume data not found"),
        ("POST", "/swarm/leave", 501, "stays as it is"),
        ("POST", "/v1.44/containers/x/wait", 501, "does not know POST /containers/x/wait"),
        ("POST", "/nothing", 404, "page not found"),
    ],
)
async def test_what_is_lacking_is_said(method: str, path: str, status: int, words: str) -> None:
    """The status is not that of a crash, and the message names what is lacking or what to do."""
    async with served() as scene:
        scene.swarm.create_service("web", image="web:1")
        found, answer = await scene.ask(method, path, **{} if method == "GET" else {"body": {}})
        assert found == status
        assert words in answer["message"]


async def test_networks_of_a_scenario_are_listed_and_used() -> None:
    """A service made without the API may name any network: it is there, in use, and kept."""
    async with served() as scene:
        scene.swarm.create_service("web", image="web:1", networks=["shop"])
        _, networks = await scene.ask("GET", "/networks", filters='{"name":["shop"]}')
        assert [(one["Name"], one["Driver"]) for one in networks] == [("shop", "overlay")]
        status, answer = await scene.ask("DELETE", "/networks/shop")
        assert (status, "in use by service" in answer["message"]) == (400, True)
        _, raw = await scene.ask("GET", "/services/web")
        version = str(raw["Version"]["Index"])
        path = f"/services/{raw['ID']}/update"
        assert (await scene.ask("POST", path, raw["Spec"], version=version))[0] == 200
        assert scene.swarm.service("web").spec == raw["Spec"]
