"""Promises 6, 8 and 12: who acts, by which rules, and how an agent ends."""

import re

from monitor.fleet.lease import HELD
from monitor.fleet.lease_labels import CONFIG
from tests.simulated.dst.history import Learned, Leased, Life, Ruled, Sent, Twice
from tests.simulated.dst.judging import Case, Verdict

RENEWED_AGO = HELD + 5.0
"""Seconds: a holder may act 8 s from when it sent a renewal that may have taken 5 s."""

STOPS_WITHIN = 10.0
AWAITED = 10.0
"""Seconds before its end in which what an agent sent must not be left behind."""

_PLACE = re.compile(r"^[^:]+:\d+:\d+: \S")


def one_actor(case: Case) -> Verdict:
    """6."""
    verdict = Verdict(6)
    for twice in case.history.of(Twice):
        verdict.check(False, twice.at, f"two agents could act: {twice.who}")
    holders: dict[int, str] = {}
    highest = 0
    for one in case.sent:
        verdict.check(one.term is not None, one.at, f"{one.decision} was sent without the lease")
        if one.term is None:
            continue
        text = f"{one.decision} under term {one.term}, after one of {highest}"
        verdict.check(one.term >= highest, one.at, text)
        highest = max(highest, one.term)
        first = holders.setdefault(one.term, one.process)
        text = f"{first} and {one.process} both wrote in term {one.term}"
        verdict.check(first == one.process, one.at, text)
        _by_the_store(case, verdict, one)
    written: dict[int, str] = {}
    for lease in case.history.of(Leased):
        if lease.holder and not lease.released:
            first = written.setdefault(lease.term, lease.holder)
            text = f"{first} and {lease.holder} both held term {lease.term}"
            verdict.check(first == lease.holder, lease.at, text)
    return verdict


def _by_the_store(case: Case, verdict: Verdict, one: Sent) -> None:
    """The Swarm's own store must name who writes, unless somebody removed the lease."""
    if case.removed(one.at - 2 * RENEWED_AGO, one.at):
        return
    text = f"{one.decision} by {one.process}, while {one.holder or 'nobody'} held the lease"
    verdict.check(one.holder == one.process, one.at, text)
    age = one.at - one.written_at
    text = f"{one.decision} under a lease last renewed {age:.1f} s ago"
    verdict.check(age <= RENEWED_AGO, one.at, text)


def rules(case: Case) -> Verdict:
    """8."""
    verdict = Verdict(8)
    for one in case.history.of(Ruled):
        text = f"{one.process} decides by rules {one.decides[:8]} and says it has {one.after[:8]}"
        verdict.check(one.decides == one.after, one.at, text)
        if one.good:
            continue
        text = f"{one.process} has rules {one.after[:8]} after a bad file, had {one.before[:8]}"
        verdict.check(one.after == one.before, one.at, text)
        told = bool(one.problems) and all(_PLACE.match(text) for text in one.problems)
        verdict.check(told, one.at, f"{one.process} says of a bad file: {one.problems}")
    for sent in case.sent:
        different = [other for other in sent.others if other != sent.digest]
        text = f"{sent.decision} though another manager's agent has rules {different}"
        verdict.check(not different, sent.at, text)
    return verdict


def stops(case: Case) -> Verdict:
    """12."""
    verdict = Verdict(12)
    told: dict[str, Life] = {}
    for one in case.history.of(Life):
        asked = told.get(one.process)
        if one.what == "told to stop":
            told[one.process] = one
        elif one.what in ("frozen", "thawed"):
            told.pop(one.process, None)  # a frozen process hears no signal
        elif asked is not None and one.what in ("ended", "killed"):
            took = one.at - asked.at
            late = one.what == "killed" and took > STOPS_WITHIN
            text = f"{one.process} had not stopped {took:.1f} s after it was told to"
            verdict.check(not late and took <= STOPS_WITHIN + 0.01, one.at, text)
            if one.what == "ended" and asked.note == "holds":
                _gave_up(case, verdict, one)
            if one.what == "ended":
                _waited(case, verdict, one)
            told.pop(one.process)
    ends = {one.process: one.at for one in case.history.of(Life) if one.what == "ended"}
    for sent in case.sent:
        if sent.process in ends:
            text = f"{sent.decision} after {sent.process} had ended"
            verdict.check(sent.at <= ends[sent.process], sent.at, text)
    return verdict


def _waited(case: Case, verdict: Verdict, ended: Life) -> None:
    """Where nothing was in its way it knows what became of each of its writes."""
    if ended.note:
        return
    awaited = {one.decision for one in case.history.of(Learned) if one.awaited}
    for sent in case.sent:
        if sent.process == ended.process and ended.at - AWAITED < sent.at <= ended.at:
            text = f"{ended.process} ended and did not wait for {sent.decision}"
            verdict.check(sent.decision in awaited, ended.at, text)


def _gave_up(case: Case, verdict: Verdict, ended: Life) -> None:
    """Where its engine let it: `note` says what was in its way."""
    if ended.note:
        return
    newest: Leased | None = None
    for lease in case.history.of(Leased):
        if lease.at <= ended.at + 1.0:
            newest = lease
    if newest is None or any(
        one.name == CONFIG and newest.at <= one.at <= ended.at for one in case.removals
    ):
        return  # what a person removed is kept by nobody
    kept = newest.holder == ended.process and not newest.released
    verdict.check(not kept, ended.at, f"{ended.process} ended and kept the lease")
