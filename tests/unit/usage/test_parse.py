"""Numbers out of cgroup files."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.usage.cgroup_v1 import block_bytes
from monitor.usage.cgroup_v2 import io_bytes
from monitor.usage.network import sum_interfaces
from monitor.usage.parse import keyed, number, scaled
from tests.unit.usage.trees import NET_DEV, V1, V2


def test_a_number_is_read_with_its_line_feed() -> None:
    """A single-value file holds one number."""
    assert number(b"12345\n") == 12345


def test_max_and_garbage_are_no_numbers() -> None:
    """What is no unsigned number is None, however long it is."""
    for text in (b"max\n", b"", b"-1\n", b"1 2\n", b"1_000", b"9" * 5000, "٣".encode()):
        assert number(text) is None


def test_a_key_is_found_at_the_start_and_within() -> None:
    """The first line counts as well as any other."""
    assert keyed(b"anon 1\nfile 2\n", b"anon") == 1
    assert keyed(b"anon 1\nfile 2\n", b"file") == 2


def test_a_key_is_not_taken_for_the_end_of_another() -> None:
    """`inactive_file` is not `total_inactive_file`, nor `rss` `rss_huge`."""
    assert keyed(b"total_inactive_file 5\n", b"inactive_file") is None
    assert keyed(b"rss_huge 5\nrss 6\n", b"rss") == 6


@given(st.integers(min_value=0))
def test_a_cut_off_file_never_gives_a_wrong_number(cut: int) -> None:
    """A value is either the whole one or None, wherever the content ends."""
    content = V2["memory.stat"].encode()
    part = content[: cut % (len(content) + 1)]
    assert keyed(part, b"inactive_file") in (None, 2428800)
    assert keyed(part, b"anon") in (None, 45000000)


@given(st.integers(min_value=0))
def test_a_cut_off_block_file_never_gives_more_than_the_whole(cut: int) -> None:
    """Sums over devices hold whole lines alone."""
    one = V1["blkio"]["blkio.throttle.io_service_bytes_recursive"].encode()
    two = V2["io.stat"].encode()
    assert block_bytes(one[: cut % (len(one) + 1)])[0] in (None, 0, 4096, 5096)
    assert io_bytes(two[: cut % (len(two) + 1)])[1] in (None, 0, 8192, 10192)


@given(st.binary(max_size=300))
def test_garbage_never_raises(content: bytes) -> None:
    """Whatever a file holds, parsing gives a number or None."""
    for value in (number(content), keyed(content, b"anon"), *block_bytes(content)):
        assert value is None or value >= 0
    assert io_bytes(content) >= (0, 0)
    assert sum_interfaces(content).receive_bytes >= 0


def test_no_io_file_is_not_no_io() -> None:
    """A missing file is unknown; an empty one is zero."""
    assert io_bytes(None) == (None, None)
    assert io_bytes(b"") == (0, 0)
    assert block_bytes(b"") == (None, None)
    assert block_bytes(b"Total 0\n") == (0, 0)


def test_interfaces_are_summed_without_lo() -> None:
    """All interfaces but the loopback count, also where no blank follows the colon."""
    network = sum_interfaces(NET_DEV.encode())
    assert (network.receive_bytes, network.receive_packets) == (123457789, 110)
    assert (network.receive_errors, network.receive_dropped) == (1, 2)
    assert (network.transmit_bytes, network.transmit_packets) == (2005, 21)
    assert (network.transmit_errors, network.transmit_dropped) == (3, 4)


def test_a_counter_is_the_same_number_from_files_as_from_the_daemon() -> None:
    """49419501 ns times 1e-9 is more than the same over 1e9: a rounding apart is no agreement."""
    assert scaled(49_419_501, 1e9) == 49_419_501 / 1_000_000_000 == 0.049419501
    assert 49_419_501 * 1e-9 != 0.049419501
