"""Lists that are decoded only where they differ from the last ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.client import DockerEngine
from monitor.engine.elements import Elements, Known
from monitor.ports.errors import BadAnswer
from tests.unit.engine.wire import answer, wire_engine

TEXTS = st.text(max_size=5) | st.sampled_from(['{"ID":"a"},', "]", "\\", '"', "ü", "𝄞"])
VALUES = st.recursive(
    TEXTS | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.builds(
    lambda key, more: {"ID": key, "More": more}, st.sampled_from("abcdef"), VALUES
) | st.dictionaries(TEXTS, VALUES, max_size=2)
LISTS = st.lists(st.lists(OBJECTS, max_size=6), min_size=1, max_size=4)


async def read(known, body, sizes=(7,), whole=True):
    """What is made of a body that comes in pieces of these sizes, one after the other."""
    elements = Elements(lambda raw: (raw,), known, whole=whole)

    async def chunks():
        at = turn = 0
        while at < len(body):
            yield body[at : at + sizes[turn % len(sizes)]]
            at += sizes[turn % len(sizes)]
            turn += 1

    await elements.take(chunks(), 1 << 30)
    return [found for (found,) in await elements.result()]


@given(
    lists=LISTS,
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    spaces=st.sampled_from([(",", ":"), (", ", ": ")]),
    ascii_only=st.booleans(),
)
async def test_they_are_what_json_says(lists, sizes, spaces, ascii_only):
    """However an answer is cut into pieces, and whatever came before: the same elements."""
    known = Known()
    for values in lists:
        body = json.dumps(values, separators=spaces, ensure_ascii=ascii_only).encode()
        assert await read(known, body, tuple(sizes)) == values


def task(number, version=1):
    return {"ID": f"t{number}", "Version": {"Index": version}, "ServiceID": "s"}


async def test_a_list_that_repeats_itself_costs_no_decoding():
    """10,000 tasks of which none changed: nothing is decoded, nothing is made anew."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/tasks"] = [answer([task(number) for number in range(2000)])]
        first = await engine.tasks()
        assert (len(first), engine.decoded) == (2000, 2000)
        again = await engine.tasks()
        assert engine.decoded == 2000
        assert all(one is other for one, other in zip(first, again, strict=True))


async def test_what_changed_is_decoded_and_nothing_else():
    """One task more, one gone, one changed, all in another order: two are decoded."""
    known = Known()
    await read(known, json.dumps([task(number) for number in range(100)]).encode())
    before = known.decoded
    after = [task(100), *(task(number) for number in range(99, 0, -1))]
    after[50] = task(50, version=2)
    assert await read(known, json.dumps(after).encode(), (1000, 3)) == after
    assert known.decoded == before + 2
    assert len(known.entries) == 100


async def test_a_part_of_the_list_forgets_nothing():
    """One service's tasks say nothing of all others'."""
    known = Known()
    await read(known, json.dumps([task(1), task(2)]).encode())
    await read(known, json.dumps([task(2, version=2)]).encode(), whole=False)
    assert await read(known, json.dumps([task(1), task(2, version=2)]).encode())
    assert known.decoded == 3


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[", b'[{"ID":"a"}', b'[{"ID":"a"},', b'[{"ID":"a"},]', b'[{"ID":"a"} {}]'),
        *(b"[1]", b'[{"ID":"a"', b"{}", b"[,]", b'[{"ID":}]', b"[\xff]", b'[{"ID":"a"},\xc3'),
    ],
)
@pytest.mark.parametrize("known_before", [False, True])
async def test_what_is_no_list_of_objects_is_refused(body, known_before):
    """In whatever way it is broken, also where its elements are known."""
    known = Known()
    if known_before:
        await read(known, b'[{"ID":"a"}]')
    with pytest.raises(BadAnswer):
        await read(known, body, (3,))


async def test_a_huge_element_is_not_tried_with_every_piece():
    """An element of many pieces costs about twice its length in attempts, not its square."""
    value = {"ID": "a", "Data": "x" * 300_000}
    elements = Elements(lambda raw: (raw,), Known(), whole=True)
    tried = []
    decode = elements._decode
    elements._decode = lambda text, at: tried.append(len(text)) or decode(text, at)

    async def chunks():
        body = json.dumps([value]).encode()
        for at in range(0, len(body), 1000):
            yield body[at : at + 1000]

    await elements.take(chunks(), 1 << 30)
    assert (await elements.result())[0][0] == value
    assert sum(tried) < 5 * 300_000
