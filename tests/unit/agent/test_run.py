"""How the process of an agent ends."""

import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.agent.run import run_agent
from monitor.agent.settings import Settings


@pytest.mark.parametrize("side", ["http", "fleet"])
def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path: Path, side: str) -> None:
    """Whichever of its two ports is taken, the agent ends with 1, one sentence and no traceback."""
    secret = tmp_path / "secret"
    secret.write_text("correct-horse-battery-staple")
    with socket.socket() as taken, capture_logs() as lines:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(
            docker=f"unix://{tmp_path}/none.sock",
            rules=(),
            host="127.0.0.1",
            port=port if side == "http" else 0,
            fleet_host="127.0.0.1",
            fleet_port=port if side == "fleet" else 0,
            secret_file=secret,
        )
        assert run_agent(settings) == 1
    errors = [line for line in lines if line["log_level"] == "error"]
    assert len(errors) == 1
    assert str(port) in errors[0]["event"]
    assert ("--fleet-listen" if side == "fleet" else "--listen") in errors[0]["event"]
    assert "exc_info" not in errors[0]
