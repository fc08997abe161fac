"""What a service was before its last deploys, through scales, restarts and rollbacks."""

import copy
import json
import os
import stat
from pathlib import Path

import pytest

from monitor.model.service import Service, ServiceMode, UpdateState
from monitor.store.deploy_files import DeployFiles
from monitor.store.deploy_keeper import DeployKeeper
from monitor.store.deploys import KEPT, before, with_service
from tests.simulated.virtual import virtual
from tests.unit.build import raw_spec, service


def spec(image: int, replicas: int = 2, force: int = 0, **container: object) -> dict:
    made = raw_spec(replicas)
    made["TaskTemplate"]["ForceUpdate"] = force
    made["TaskTemplate"]["ContainerSpec"] |= {"Image": f"work:{image}", **container}
    return made


def at(spec: dict, version: int = 10, previous: dict | None = None, **fields: object) -> Service:
    raw = {"ID": "s1", "Spec": spec}
    if previous is not None:
        raw["PreviousSpec"] = previous
    return service(version=version, raw=raw, **fields)


def seen(*specs: dict | Service) -> tuple[dict, ...]:
    past: tuple = ()
    for one in specs:
        past = with_service(past, one if isinstance(one, Service) else at(one))
    return past


def images(past: tuple) -> list[str]:
    return [one["TaskTemplate"]["ContainerSpec"]["Image"][5:] for one in past]


def test_scales_and_restarts_are_no_deploys():
    """After any number of them the deploy before is still the one to go back to."""
    past = seen(spec(1), spec(2), spec(2, 5), spec(2, 5, 1), spec(2, 7, 2))
    assert images(past) == ["1", "2"]
    found = before(past, spec(2, 9, 3))
    assert found == spec(1)
    assert before(seen(spec(1), spec(1, 4)), spec(1, 4)) is None


def test_of_a_deploy_its_last_form_is_kept():
    """What was changed beside the tasks since, labels or update settings, belongs to it."""
    labelled = spec(1, 6) | {"Labels": {"tier": "front"}}
    assert before(seen(spec(1), labelled, spec(2, 6)), spec(2, 6)) == labelled


def test_any_other_change_of_the_tasks_is_a_deploy():
    """An environment, a limit, a mount: not the image alone."""
    assert before(seen(spec(1, Env=["A=1"]), spec(1, Env=["A=2"])), spec(1, Env=["A=2"])) == spec(
        1, Env=["A=1"]
    )


def test_what_was_given_up_is_nothing_to_go_back_to():
    """After a rollback the next one goes further back, not to the bad deploy again."""
    past = seen(spec(1), spec(2), spec(3), spec(2, 8))
    assert images(past) == ["1", "2"]
    assert before(past, spec(2, 8)) == spec(1)


def test_a_deploy_nobody_saw_is_taken_from_the_services_own_previous_spec():
    """As at the first look, or when an agent was away for a while."""
    assert images(seen(at(spec(2), previous=spec(1)))) == ["1", "2"]
    assert images(seen(spec(1), at(spec(3), previous=spec(2)))) == ["1", "2", "3"]
    assert images(seen(at(spec(2, 4), previous=spec(2, 3)))) == ["2"]


@pytest.mark.parametrize("state", [UpdateState.ROLLBACK_COMPLETED, UpdateState.ROLLBACK_STARTED])
def test_the_previous_spec_after_a_rollback_is_the_one_that_was_given_up(state):
    """A rollback by hand lets the two specs change places."""
    assert images(seen(at(spec(1), previous=spec(2), update_state=state))) == ["1"]


def test_a_service_that_is_deployed_again_and_again_keeps_a_few():
    """The newest; its file stays small."""
    past = seen(*[spec(number) for number in range(20)])
    assert images(past) == [str(number) for number in range(20 - KEPT, 20)]


def test_files_are_for_their_owner_alone_and_come_back(tmp_path: Path):
    """Specs hold passwords: mode 0600 in a folder of mode 0700, whatever the umask."""
    folder = tmp_path / "data" / "deploys"
    files = DeployFiles(folder)
    before_umask = os.umask(0)
    try:
        assert files.load() == ({}, 0)
        files.write("s1", (spec(1), spec(2)))
        files.write("s1", (spec(2), spec(3)))
    finally:
        os.umask(before_umask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "s1.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["s1.json"]
    assert files.load() == ({"s1": (spec(2), spec(3))}, 0)
    files.write("s1", ())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"format": 2, "specs": []}', b'{"format": 1, "specs": [1]}'],
)
def test_a_file_that_cannot_be_read_spoils_no_other(tmp_path: Path, content: bytes):
    """Cut off, of another release, or somebody else's: it is passed over and counted."""
    files = DeployFiles(tmp_path)
    files.write("s1", (spec(1),))
    (tmp_path / "s2.json").write_bytes(content)
    (tmp_path / "s3.new").write_bytes(b'{"format": 1')
    (tmp_path / "notes.txt").write_text("mine")
    assert files.load() == ({"s1": (spec(1),)}, 1)
    assert not (tmp_path / "s3.new").exists()
    assert (tmp_path / "notes.txt").exists()


def test_an_id_never_leaves_the_folder(tmp_path: Path):
    """Whatever a manager calls its services."""
    DeployFiles(tmp_path / "in").load()
    DeployFiles(tmp_path / "in").write("../out", (spec(1),))
    assert not (tmp_path / "out.json").exists()


@virtual()
async def test_the_keeper_without_a_folder_knows_what_it_saw():
    """And forgets services that are gone; jobs have nothing to go back to."""
    keeper = DeployKeeper(None)
    keeper.seen([at(spec(1), 10)])
    assert keeper.before(at(spec(1), 10)) is None
    keeper.seen([at(spec(2), 11)])
    keeper.seen([at(spec(9), 11)])  # a version says it all
    assert keeper.before(at(spec(2, 7), 12)) == spec(1)
    keeper.seen([service(id="job", mode=ServiceMode.REPLICATED_JOB)])
    assert keeper.known() == {"s1"}
    keeper.gone(["s1", "other"])
    assert keeper.known() == frozenset()


async def test_the_keeper_comes_back_with_what_it_kept(tmp_path: Path):
    """Also with a deploy that came before its folder was read, or while it was away."""
    import asyncio

    from tests.unit.fleet.build import until

    def content() -> list[str]:
        path = tmp_path / "s1.json"
        return images(json.loads(path.read_text())["specs"]) if path.exists() else []

    for number, expected in ((1, ["1"]), (2, ["1", "2"])):
        keeper = DeployKeeper(tmp_path)
        keeper.seen([at(spec(number), number)])
        assert keeper.known() == frozenset()
        running = asyncio.create_task(keeper.run())
        await until(lambda expected=expected: content() == expected)
        running.cancel()
        await asyncio.wait([running])
    keeper.gone(["s1"])
    running = asyncio.create_task(keeper.run())
    await until(lambda: keeper.known() == {"s1"})
    keeper.gone(["s1"])
    await until(lambda: content() == [])
    running.cancel()
    await asyncio.wait([running])


def test_what_is_kept_is_never_changed():
    """Raw specs come from the mirror and are shared with it."""
    given = spec(1)
    copied = copy.deepcopy(given)
    seen(given, spec(2), spec(1))
    assert given == copied
