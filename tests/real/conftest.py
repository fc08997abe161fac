"""Real Swarms as fixtures, one per test module, and the reasons why they cannot run here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.lab import Swarm, engine_root, missing_requirements
from tests.real.lab.image import missing_for_image

_HERE = Path(__file__).parent
_MISSING: pytest.StashKey[list[str]] = pytest.StashKey()
_SKIPPED: pytest.StashKey[int] = pytest.StashKey()

SwarmFactory = Callable[[int, int], Swarm]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder is a real test and needs no mark of its own."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.real)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip where the machine lacks something; fail where real tests are required."""
    if not item.path.is_relative_to(_HERE):
        return
    if os.environ.get("PYTEST_XDIST_WORKER"):
        pytest.fail("real tests run one at a time: leave out -n", pytrace=False)
    stash = item.config.stash
    if _MISSING not in stash:
        stash[_MISSING] = missing_requirements()
    missing: list[str] = stash[_MISSING]
    if not missing and item.get_closest_marker("fleet"):
        missing = missing_for_image()
    if not missing:
        return
    reason = "; ".join(missing)
    if os.environ.get("REQUIRE_REAL") == "1":
        pytest.fail(f"real tests are required (REQUIRE_REAL=1), but {reason}", pytrace=False)
    stash[_SKIPPED] = stash.get(_SKIPPED, 0) + 1
    pytest.skip(reason)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say it loudly when nothing was tried on a real engine."""
    skipped = config.stash.get(_SKIPPED, 0)
    if not skipped:
        return
    terminalreporter.section("REAL ENGINE TESTS DID NOT RUN", sep="!", red=True, bold=True)
    sentences: list[str] = config.stash[_MISSING]
    for sentence in sentences:
        terminalreporter.line(f"- {sentence}")
    terminalreporter.line(f"{skipped} tests on real engines were skipped for these reasons.")
    terminalreporter.line("scripts/test installs what is missing when root runs it on Debian.")


@pytest.fixture(scope="module")
def swarm_of() -> Iterator[SwarmFactory]:
    """`swarm_of(managers, workers)` starts a Swarm that lives as long as the test module."""
    with ExitStack() as stack:
        yield lambda managers, workers: stack.enter_context(Swarm.start(managers, workers))


@pytest.fixture(scope="module")
def one_node(swarm_of: SwarmFactory) -> Swarm:
    """A Swarm of one manager."""
    return swarm_of(1, 0)


@pytest.fixture(scope="module")
def three_managers(swarm_of: SwarmFactory) -> Swarm:
    """A Swarm of three managers: it survives the loss of one."""
    return swarm_of(3, 0)


@pytest.fixture(scope="module")
def five_nodes(swarm_of: SwarmFactory) -> Swarm:
    """A Swarm of three managers and two workers."""
    return swarm_of(3, 2)


def _tree(suite: str) -> Path:
    tree = engine_root.built(suite)
    if tree is None:
        reason = f"the tree of Debian {suite} is not built: scripts/thorough does it"
        if os.environ.get("REQUIRE_OTHER_ENGINE") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return tree


@pytest.fixture(scope="session")
def sid_tree() -> Path:
    """The file tree with the newest engine that Debian has (28.5); tests need mark other_engine."""
    return _tree("sid")


@pytest.fixture(scope="module")
def engine_28(sid_tree: Path) -> Iterator[Swarm]:
    """A Swarm of one manager on engine 28; tests that use it need the mark other_engine."""
    with Swarm.start(1, 0, roots={"m1": sid_tree}) as swarm:
        yield swarm


@pytest.fixture(scope="module")
def mixed_engines(sid_tree: Path) -> Iterator[Swarm]:
    """Manager m1 on this machine's engine, m2, m3 and worker w1 on engine 28."""
    with Swarm.start(3, 1, roots=dict.fromkeys(("m2", "m3", "w1"), sid_tree)) as swarm:
        yield swarm
