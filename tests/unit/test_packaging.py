"""The Dockerfile and the stack files speak of things that are there, and fit each other."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from monitor import __version__
from monitor.cli.main import app

ROOT = Path(__file__).parents[2]
STACKS = ("stack.yml", "deploy/monitoring.yml", "deploy/token.yml", "deploy/socket-proxy.yml")
STACKS += ("deploy/notify.yml",)


def known_variables() -> set[str]:
    """Environment variables that `run` reads."""
    run = get_command(app).commands["run"]
    names: set[str] = {"SWARM_MONITOR_REVISION"}
    for option in run.params:
        given = option.envvar or ()
        names.update([given] if isinstance(given, str) else given)
    return names


def stack(name: str = "stack.yml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return found


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_sets_only_what_the_agent_reads(name: str) -> None:
    """A variable with a slip in its name would be silently without effect."""
    environment = stack(name)["services"].get("agent", {}).get("environment", {})
    assert set(environment) <= known_variables()


def test_the_agent_is_told_where_its_mounts_are() -> None:
    """Every folder and file that a variable of the stack names is mounted there."""
    service = stack()["services"]["agent"]
    environment = service["environment"]
    mounted = {volume["target"] for volume in service["volumes"]}
    for name in ("CGROUP_ROOT", "PROC_ROOT", "DATA"):
        assert environment[f"SWARM_MONITOR_{name}"] in mounted
    secrets = {f"/run/secrets/{secret['target']}" for secret in service["secrets"]}
    assert environment["SWARM_MONITOR_SECRET_FILE"] in secrets
    rules = {config["target"].rpartition("/")[0] for config in service["configs"]}
    assert rules == {environment["SWARM_MONITOR_RULES"]}


def test_the_stack_is_as_careful_as_it_says() -> None:
    """On every node once, read-only, without capabilities, the host's files read-only."""
    service = stack()["services"]["agent"]
    assert service["deploy"]["mode"] == "global"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    for volume in service["volumes"]:
        if volume["type"] == "bind" and volume["source"] != "/var/run/docker.sock":
            assert volume["read_only"] is True
    assert all(secret["external"] for secret in stack()["secrets"].values())
    # The agent stops within 10 s; killed before that it would keep the lease.
    assert int(service["stop_grace_period"].removesuffix("s")) > 10


def test_the_stack_has_each_shipped_rule_file() -> None:
    """One config for each file of rules/, mounted under its name, named by the files' hash."""
    shipped = {p.name for p in (ROOT / "rules").glob("*.yml") if not p.match("*.test.yml")}
    service = stack()["services"]["agent"]
    configs = stack()["configs"]
    assert {config["target"].rpartition("/")[2] for config in service["configs"]} == shipped
    for config in service["configs"]:
        entry = configs[config["source"]]
        assert entry["file"] == f"rules/{config['target'].rpartition('/')[2]}"
        assert "${RULES_HASH" in entry["name"]


@pytest.mark.parametrize("name", STACKS)
def test_configs_are_there_and_fit_into_the_swarm(name: str) -> None:
    """Every file of a config exists, and is below the 500 kB that older engines take."""
    for config in stack(name).get("configs", {}).values():
        assert (ROOT / config["file"]).stat().st_size < 500_000
        assert re.search(r"\$\{(RULES|DEPLOY)_HASH", config["name"])


@pytest.mark.parametrize("name", STACKS)
def test_what_services_refer_to_is_declared(name: str) -> None:
    """Configs, secrets, networks and volumes of services are declared in it or in stack.yml."""
    whole = stack(name)
    for service in whole["services"].values():
        for kind in ("configs", "secrets", "networks"):
            wanted = {
                entry if isinstance(entry, str) else entry["source"]
                for entry in service.get(kind, ())
            }
            assert wanted <= {*whole.get(kind, {}), *stack().get(kind, {})}


def test_the_image_holds_what_is_built_and_sets_what_is_read() -> None:
    """Every file that the Dockerfile copies exists and is let through to the builder."""
    text = (ROOT / "Dockerfile").read_text()
    let_through = (ROOT / ".dockerignore").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
        assert f"!{name}\n" in let_through, name
    assert set(re.findall(r"SWARM_MONITOR_[A-Z_]+(?==)", text)) <= known_variables()


def test_the_version_is_the_same_everywhere() -> None:
    """Project, package, image label and the stack's default image have one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    label = re.search(r'image\.version="([^"]+)"', (ROOT / "Dockerfile").read_text())
    image = re.search(r":-swarm-monitor:([^}]+)}", stack()["services"]["agent"]["image"])
    assert label is not None
    assert image is not None
    assert {project, __version__, label[1], image[1]} == {project}


def test_the_dockerfile_needs_no_special_builder() -> None:
    """It builds where only the engine's own builder is there."""
    text = (ROOT / "Dockerfile").read_text()
    for special in ("# syntax", "--mount", "<<EOF", "--chmod", "--link", "--start-interval"):
        assert special not in text
