"""Authentication and framing, byte by byte."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.session import MAC_BYTES, MAX_FRAME, PROTOCOL, Session, Side
from tests.unit.fleet.build import SECRET, established, hello, sessions, shake_hands


def ended(kind: End) -> pytest.RaisesExc[StreamEnded]:
    return pytest.RaisesExc(StreamEnded, check=lambda end: end.kind is kind)


def test_both_sides_know_each_other_after_the_handshake() -> None:
    """Each side has the other's hello, and contents pass both ways in order."""
    manager, agent = established()
    assert manager.peer == hello("w1", 2)
    assert agent.peer == hello("m1", 1)
    for number in range(3):
        assert agent.open(manager.seal(b"down %d" % number)) == b"down %d" % number
        assert manager.open(agent.seal(b"up %d" % number)) == b"up %d" % number


def test_the_serving_side_proves_nothing_before_it_was_shown_a_proof() -> None:
    """Who merely connects gets a hello, which no secret can be guessed against."""
    manager, agent = sessions()
    (answer,) = agent.greet(*manager.start())
    assert json.loads(answer)["t"] == "hello"
    assert "mac" not in json.loads(answer)
    assert agent.start() == ()


@pytest.mark.parametrize("kind", ["seal", "open"])
def test_nothing_passes_before_both_sides_proved_themselves(kind: str) -> None:
    """Neither side gives or takes contents in any state of the handshake."""
    manager, agent = sessions()
    with ended(End.NO_SECRET):
        getattr(agent, kind)(b"x" * 40)
    (answer,) = agent.greet(*manager.start())
    with ended(End.NO_SECRET):
        getattr(agent, kind)(b"x" * 40)
    manager.greet(answer)
    with ended(End.NO_SECRET):
        getattr(manager, kind)(b"x" * 40)


def test_a_wrong_secret_is_noticed_by_the_serving_side() -> None:
    """The connecting side's proof does not fit, and no proof is given in return."""
    manager, agent = sessions(manager_secret=b"some other secret of 16 bytes")
    with ended(End.WRONG_SECRET):
        shake_hands(manager, agent)
    assert not agent.established
    assert not manager.established
    with ended(End.BAD_FRAME):  # nor does it listen to a second attempt
        agent.greet(b"{}")


def test_a_server_with_a_wrong_secret_is_noticed_by_the_connecting_side() -> None:
    """An impostor that accepts any proof cannot make one of its own."""
    manager, _ = sessions()
    impostor = Session(Side.AGENT, b"a guess, not the secret", hello("w1", 2))
    (answer,) = impostor.greet(*manager.start())
    manager.greet(answer)
    forged = impostor._proof(Side.AGENT)
    with ended(End.WRONG_SECRET):
        manager.greet(forged)
    assert not manager.established


def test_no_proof_is_no_secret() -> None:
    """Whatever comes where a proof is due ends the conversation."""
    for instead in (b"{}", b'{"t":"samples"}', b'{"t":"proof"}', b'{"t":"proof","mac":7}'):
        manager, agent = sessions()
        agent.greet(*manager.start())
        with ended(End.NO_SECRET):
            agent.greet(instead)


def test_hello_and_proof_sent_back_are_not_taken() -> None:
    """Whoever reflects what it hears is found out, with its hello or with its proof."""
    manager, _ = sessions()
    with ended(End.OTHER_NODE):
        manager.greet(*manager.start())
    blind = Session(Side.MANAGER, SECRET, hello("m1", 1))
    with ended(End.BAD_FRAME):
        blind.greet(*blind.start())
    manager, agent = sessions()
    (answer,) = agent.greet(*manager.start())
    (proof,) = manager.greet(answer)
    with ended(End.WRONG_SECRET):
        manager.greet(proof)


def test_a_recorded_proof_fits_no_other_conversation() -> None:
    """A new nonce on the serving side makes an old proof worthless."""
    manager, agent = sessions()
    (said,) = manager.start()
    (answer,) = agent.greet(said)
    (proof,) = manager.greet(answer)
    later = Session(Side.AGENT, SECRET, hello("w1", 3))
    later.greet(said)
    with ended(End.WRONG_SECRET):
        later.greet(proof)


@pytest.mark.parametrize("name", ["protocol", "release", "node", "boot", "nonce"])
def test_a_hello_changed_on_its_way_makes_the_proof_wrong(name: str) -> None:
    """Proofs cover every field of both hellos, so nobody in between can change one."""
    manager, agent = sessions()
    fields = json.loads(*manager.start())
    fields[name] = {"protocol": PROTOCOL + 1, "nonce": "07" * 32}.get(name, "changed")
    (answer,) = agent.greet(json.dumps(fields).encode())
    (proof,) = manager.greet(answer)
    with ended(End.WRONG_SECRET):
        agent.greet(proof)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_neighbouring_versions_and_unknown_fields_are_taken(step: int) -> None:
    """One version older or newer is understood, whatever else its hello says."""
    manager, agent = sessions(protocol=PROTOCOL + step)
    fields = json.loads(manager._said)
    fields["later"] = {"any": [1]}
    manager._said = json.dumps(fields).encode()
    shake_hands(manager, agent)
    assert agent.established
    assert agent.peer is not None
    assert agent.peer.protocol == PROTOCOL + step


@pytest.mark.parametrize("protocol", [PROTOCOL - 2, PROTOCOL + 2, 10**9])
def test_other_versions_are_refused_in_a_sentence(protocol: int) -> None:
    """Two versions apart is refused, with both numbers and what to do, even if little else fits."""
    _, agent = sessions()
    with ended(End.VERSION) as refused:
        agent.greet(json.dumps({"t": "hello", "protocol": protocol}).encode())
    assert str(PROTOCOL) in str(refused.value)
    assert "Update the older" in str(refused.value)


def test_a_hello_without_a_node_is_refused() -> None:
    """Who, and a whole nonce, must be said, in plain text of bounded length."""
    good = json.loads(*sessions()[0].start())
    for changed in (
        {"node": ""}, {"node": 3}, {"node": "x" * 200}, {"node": "a\nb"}, {"boot": "é"},
        {"nonce": ""}, {"nonce": "zz" * 32}, {"nonce": "00" * 31}, {"nonce": None},
        {"protocol": True}, {"protocol": "1"}, {"protocol": 1.0}, {"t": "hullo"},
    ):  # fmt: skip
        _, agent = sessions()
        with ended(End.BAD_FRAME):
            agent.greet(json.dumps(good | changed).encode())


def test_frames_repeated_left_out_or_reordered_end_the_session() -> None:
    """Only the next frame of the other side opens, and once."""
    _, agent = sessions()
    manager, agent = established()
    first, second = manager.seal(b"1"), manager.seal(b"2")
    with ended(End.BAD_FRAME):
        agent.open(second)
    with ended(End.NO_SECRET):  # it is over: not even the right one opens
        agent.open(first)
    manager, agent = established()
    first = manager.seal(b"1")
    assert agent.open(first) == b"1"
    with ended(End.BAD_FRAME):
        agent.open(first)


def test_frames_sent_back_or_from_another_session_do_not_open() -> None:
    """A frame opens on the other side of its own conversation alone."""
    manager, agent = established()
    with ended(End.BAD_FRAME):
        manager.open(manager.seal(b"1"))
    manager, agent = established()
    other = Session(Side.MANAGER, SECRET, hello("m1", 9), expects="w1")
    other_agent = Session(Side.AGENT, SECRET, hello("w1", 2))
    shake_hands(other, other_agent)
    with ended(End.BAD_FRAME):
        agent.open(other.seal(b"1"))
    assert manager.established


@settings(deadline=None)
@given(st.binary(max_size=64), st.integers(0, 200), st.integers(1, 255))
def test_no_changed_or_truncated_frame_opens(content: bytes, place: int, flip: int) -> None:
    """Each byte of a frame counts, and so does its length."""
    manager, agent = established()
    frame = bytearray(manager.seal(content))
    frame[place % len(frame)] ^= flip
    with ended(End.BAD_FRAME):
        agent.open(bytes(frame))
    manager, agent = established()
    frame = bytearray(manager.seal(content))
    with ended(End.BAD_FRAME):
        agent.open(bytes(frame[: place % len(frame)]))


def test_frames_above_a_mebibyte_are_neither_made_nor_taken() -> None:
    """The bound holds with the MAC counted in."""
    manager, agent = established()
    longest = bytes(MAX_FRAME - MAC_BYTES)
    assert agent.open(manager.seal(longest)) == longest
    with pytest.raises(ValueError, match="too many"):
        manager.seal(longest + b"1")
    content = longest + b"1"
    with ended(End.BAD_FRAME):
        agent.open(manager._mac(Side.MANAGER, 2, content) + content)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300) | st.just(b"[" * 4000), max_size=4))
def test_garbage_ends_a_handshake_and_nothing_else(frames: list[bytes]) -> None:
    """Whatever bytes come instead of a greeting, StreamEnded is all that is raised."""
    for session in sessions():
        for frame in frames:
            try:
                session.greet(frame)
            except StreamEnded:
                break
        assert not session.established


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["t", "protocol", "node", "boot", "release", "nonce", "mac"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.sampled_from(["hello", "proof", "01" * 32, PROTOCOL, "w1"]),
    )
)
def test_odd_greetings_establish_nothing(fields: dict[str, object]) -> None:
    """JSON of the right fields with the wrong values is no handshake either."""
    frame = json.dumps(fields).encode()
    for session in sessions():
        for _ in range(2):
            try:
                session.greet(frame)
            except StreamEnded:
                break
        assert not session.established


def test_a_greeting_is_short() -> None:
    """Above 4 KiB nothing is even parsed before the proof."""
    _, agent = sessions()
    with ended(End.BAD_FRAME):
        agent.greet(json.dumps({"t": "hello", "more": "x" * 4096}).encode())


def test_no_secret_or_key_is_in_what_is_sent() -> None:
    """What passes during a handshake holds neither the secret nor the key."""
    manager, agent = sessions()
    frames = [*manager.start()]
    frames += agent.greet(frames[0])
    frames += manager.greet(frames[1])
    frames += agent.greet(frames[2])
    manager.greet(frames[3])
    everything = b"".join(frames)
    for private in (SECRET, manager._key):
        assert private not in everything
        assert private.hex().encode() not in everything
