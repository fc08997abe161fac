"""The Dockerfile and stack.yml speak of things that are there."""

import re
from pathlib import Path

import yaml
from typer.main import get_command

from monitor.cli.main import app

ROOT = Path(__file__).parents[2]


def known_variables() -> set[str]:
    """Environment variables that `run` reads."""
    run = get_command(app).commands["run"]
    names: set[str] = {"SWARM_MONITOR_REVISION"}
    for option in run.params:
        given = option.envvar or ()
        names.update([given] if isinstance(given, str) else given)
    return names


def test_the_stack_sets_only_what_the_agent_reads():
    """A variable with a slip in its name would be silently without effect."""
    service = yaml.safe_load((ROOT / "stack.yml").read_text())["services"]["agent"]
    assert set(service["environment"]) <= known_variables()
    assert service["deploy"]["mode"] == "global"
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    assert service["environment"]["SWARM_MONITOR_CGROUP_ROOT"] in mounted
    assert service["environment"]["SWARM_MONITOR_PROC_ROOT"] in mounted


def test_the_image_holds_what_is_built_and_sets_what_is_read():
    """Every file that the Dockerfile copies exists and is let through to the builder."""
    text = (ROOT / "Dockerfile").read_text()
    let_through = (ROOT / ".dockerignore").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
        assert f"!{name}\n" in let_through, name
    assert set(re.findall(r"SWARM_MONITOR_[A-Z_]+(?==)", text)) <= known_variables()
