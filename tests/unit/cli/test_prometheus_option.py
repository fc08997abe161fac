"""`run --prometheus`: the address is checked at start."""

from pathlib import Path

import pytest

from monitor.cli.run import DEFAULT_DOCKER, DEFAULT_LISTEN, OptionError, RunOptions, settings_from


def options(prometheus: str | None) -> RunOptions:
    return RunOptions(
        docker=DEFAULT_DOCKER,
        rules=(),
        listen=DEFAULT_LISTEN,
        dry_run=False,
        log_format=None,
        log_level="info",
        cgroup_root=Path("/sys/fs/cgroup"),
        proc_root=Path("/proc"),
        service_labels=(),
        node_labels=(),
        task_labels="task",
        service_id=None,
        prometheus=prometheus,
    )


@pytest.mark.parametrize(
    "url", ["http://prometheus:9090", "https://mimir.example/prometheus", "http://[::1]:9090/"]
)
def test_a_servers_url_is_taken_as_it_is(url: str) -> None:
    """Also with a path of its own."""
    assert settings_from(options(url)).prometheus == url


def test_without_one_there_is_none() -> None:
    """An empty variable is as good as none."""
    assert settings_from(options(None)).prometheus is None
    assert settings_from(options("")).prometheus is None


@pytest.mark.parametrize(
    "url", ["prometheus:9090", "prometheus", "ftp://a", "http://", "http://a:99999", "http://[a"]
)
def test_anything_else_is_told_what_to_write(url: str) -> None:
    """Before the agent starts, not with the first rule that asks."""
    with pytest.raises(OptionError, match="write the server's URL, as in http://prometheus:9090"):
        settings_from(options(url))
