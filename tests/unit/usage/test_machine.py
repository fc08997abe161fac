"""How full a node is: read, sent to the managers, and aged there."""

from pathlib import Path

import pytest

from monitor.fleet.messages import Malformed, Samples, Table, read
from monitor.fleet.rows import ReportEncoder, read_rows
from monitor.model.peer import UsageReport
from monitor.model.usage import Machine
from monitor.simulate.clock import VirtualClock
from monitor.usage.machine import MachineReader
from monitor.usage.remote import RemoteUsage

MEMINFO = "MemTotal: 1000 kB\nMemFree: 50 kB\nMemAvailable: 250 kB\nHugePages_Total: 0\n"


@pytest.mark.parametrize(
    ("content", "used"),
    [
        (MEMINFO, 0.75),
        (MEMINFO.replace("250", "2500"), 0.0),
        (MEMINFO.replace("1000", "0"), None),
        ("MemTotal: 1000 kB\n", None),
        ("MemTotal: much kB\n", None),
    ],
)
def test_what_the_kernel_would_give_up_is_not_in_use(tmp_path: Path, content, used):
    """Memory by MemAvailable; nothing where the kernel does not tell."""
    (tmp_path / "meminfo").write_text(content)
    found = MachineReader(tmp_path, tmp_path).read()
    assert found.memory == used
    assert found.disk is not None
    assert 0 <= found.disk <= 1


def test_nothing_is_told_where_there_is_no_machine(tmp_path: Path):
    """A missing /proc, or a disk that is away, is no full one and no empty one."""
    assert MachineReader(tmp_path / "none").read() == Machine()
    (tmp_path / "meminfo").write_text(MEMINFO)
    assert MachineReader(tmp_path, tmp_path / "none").read() == Machine(0.75, None)


@pytest.mark.parametrize("machine", [Machine(0.5, 0.25), Machine(None, 1.0), Machine()])
def test_it_comes_out_as_it_was_sent(machine):
    """With the usage of tasks, as fields that an older release ignores and never sends."""
    encoded = ReportEncoder().encode(UsageReport(1.0, 2.0, (), machine))
    table, samples = read(encoded.table), read(encoded.samples)
    assert isinstance(table, Table)
    assert isinstance(samples, Samples)
    report = read_rows(samples, table)
    assert report.machine == machine
    remote = RemoteUsage(VirtualClock(), node_of_task=lambda _: None)
    remote.take("n1", report, 7.0)
    assert remote.machines() == {"n1": (machine, 7.0)}
    remote.drop("n1")
    assert not remote.machines()


@pytest.mark.parametrize("value", ["1.5", "-0.1", '"full"', "true"])
def test_a_share_out_of_bounds_is_malformed(value):
    """No node is fuller than full."""
    with pytest.raises(Malformed):
        read(b'{"t":"samples","table":1,"sent_at":1,"wall":1,"rows":[],"disk":%s}' % value.encode())
