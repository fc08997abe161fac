"""Messages to people: what each form says, what becomes of them when a receiver does not want."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.agent.clock import SystemClock
from monitor.notify.forms import HELD_FOR, MOST_TEXT, alertmanager, slack, webhook
from monitor.notify.line import MOST, OLDEST, PER_MINUTE, Line
from monitor.notify.message import Kind, Message
from monitor.notify.notifier import AGAIN_AFTER, QUIET, Notifier
from monitor.notify.post import LONGEST_WAIT, Answer, http_post
from monitor.notify.target import TargetError, parse_targets
from monitor.simulate.clock import VirtualClock
from tests.simulated.virtual import virtual
from tests.unit.fleet.build import until
from tests.unit.notify.receiver import receiving

SECRET = "T00000000-very-secret-path"


def message(number: int = 1, **fields: Any) -> Message:
    made = Message(
        key=f"action/leak/web{number}",
        kind=Kind.ACTION,
        text=f"web{number}: task t1 is restarted: memory at 95% <of> its limit",
        since=1_700_000_000.0,
        ended=1_700_000_000.0,
        rule="leak",
        service_name=f"web{number}",
        action="restart_task",
        reason="condition_met",
        outcome="applied",
        node="m1",
    )
    return replace(made, **fields)


PROBLEM = message(
    kind=Kind.PROBLEM, key="problem/leak/web", ended=None, action="", outcome="", reason="budget"
)


def test_the_webhook_says_everything() -> None:
    """Each field by its name, times in UTC."""
    said = webhook(message(dropped=3))
    assert said["status"] == "event"
    assert said["since"] == said["ended"] == "2023-11-14T22:13:20.000+00:00"
    assert (said["rule"], said["service_name"], said["dropped"]) == ("leak", "web1", 3)
    assert webhook(PROBLEM)["status"] == "firing"
    assert webhook(replace(PROBLEM, ended=1.0))["status"] == "resolved"
    assert len(webhook(message(text="x" * 9000))["text"]) == MOST_TEXT


def test_slacks_form_is_text_that_links_to_nothing() -> None:
    """Names come from whoever deploys: `<!channel>` must not call everybody."""
    said = slack(message(text="<!channel> a & b"))["text"]
    assert said == ":arrows_counterclockwise: &lt;!channel&gt; a &amp; b"
    assert "over: " in slack(replace(PROBLEM, ended=2.0))["text"]
    assert "2 messages before this one were lost" in slack(message(dropped=2))["text"]


def test_an_alert_keeps_its_labels_from_beginning_to_end() -> None:
    """Alertmanager knows by them which alert it is; what is empty is no label."""
    (begins,), (ends,) = alertmanager(PROBLEM), alertmanager(replace(PROBLEM, ended=1_700_000_100))
    assert begins["labels"] == ends["labels"] == {
        "alertname": "SwarmMonitorProblem",
        "severity": "warning",
        "rule": "leak",
        "service_name": "web1",
        "reason": "budget",
    }  # fmt: skip
    assert begins["endsAt"] == "2023-11-14T23:13:20.000+00:00"
    assert ends["endsAt"] == "2023-11-14T22:15:00.000+00:00"
    (event,) = alertmanager(message())
    assert event["endsAt"] > event["startsAt"]


@pytest.mark.parametrize(
    "text", ["", "slack", "slack=", "mail=a@b", "webhook=ftp://x/y", "webhook=nothing"]
)
def test_what_is_no_target_is_said_before_the_start(text: str) -> None:
    """With what to write instead, and without the address."""
    with pytest.raises(TargetError, match=r"write .*https?://"):
        parse_targets((text,))


def test_targets_have_names_and_secrets_stay_in_their_files(tmp_path: Path) -> None:
    """Of two of a form the second has a number; the file is read at each use, with headers."""
    place = tmp_path / "url"
    place.write_text(f"https://hooks.example.com/{SECRET}\nAuthorization: Bearer abcdefgh\n")
    one, two, three = parse_targets(
        (f"slack={place}", "slack=http://h/x", "alertmanager=http://am:9093/pre/")
    )
    assert [target.name for target in (one, two, three)] == ["slack", "slack-2", "alertmanager"]
    address = one.address()
    assert address.headers == {"Authorization": "Bearer abcdefgh"}
    assert str(three.address().url) == "http://am:9093/pre/api/v2/alerts"
    for shown in (repr(one), repr(address), address.shown):
        assert SECRET not in shown
        assert "abcdefgh" not in shown
    assert address.scrub(f"no such hook /{SECRET}, token abcdefgh") == "no such hook ***, token ***"
    place.write_text("http://elsewhere/\n")
    assert one.address().shown == "http://elsewhere"
    for content, words in (
        (b"", "no URL"),
        (b"http://h/\nnonsense\n", "headers"),
        (b"\xff", "UTF-8"),
    ):
        place.write_bytes(content)
        with pytest.raises(TargetError, match=words):
            one.address()
    place.unlink()
    with pytest.raises(TargetError, match="cannot be read: no such file"):
        one.address()


async def test_all_forms_arrive_and_are_retried(tmp_path: Path) -> None:
    """A receiver shows what comes; what it turns away for now comes again, for good not."""
    async with receiving() as receiver:
        place = tmp_path / "url"
        place.write_text(f"{receiver.url('/' + SECRET)}\nX-Key: sesame-open\n")
        targets = parse_targets(
            (f"slack={place}", f"webhook={receiver.url()}", f"alertmanager={receiver.url('')}")
        )
        notifier = Notifier(targets, SystemClock())
        running = asyncio.create_task(notifier.run())
        notifier.tell(message())
        await until(lambda: len(receiver.arrived) == 3)
        found = {one.path: one for one in receiver.arrived}
        assert found[f"/{SECRET}"].headers["X-Key"] == "sesame-open"
        assert found[f"/{SECRET}"].content == slack(message())
        assert found["/hook"].content == webhook(message())
        assert found["/api/v2/alerts"].content == alertmanager(message())
        await notifier.finish()
        running.cancel()
        await asyncio.wait([running])
        with capture_logs() as logs:
            line = Line(targets[0], SystemClock())
            receiver.arrived.clear()
            receiver.answers = [(503, {}, f"{SECRET} is busy"), (404, {}, f"no {SECRET}")]
            async with http_post() as post:
                sending = asyncio.create_task(line.run(post))
                for number in (1, 2):
                    line.put(message(number))
                await until(lambda: line.counts.sent == 1)
                sending.cancel()
                await asyncio.wait([sending])
        assert [one["text"][-3:] for one in receiver.contents] == ["mit", "mit", "st)"]
        assert "1 messages before" in receiver.contents[2]["text"]
        assert (line.counts.failed, line.counts.dropped) == (2, {"rejected": 1})
        assert SECRET not in str(logs)
        assert "sesame" not in str(logs)
        assert len(logs) == 3


async def test_a_receiver_that_is_away_is_a_sentence() -> None:
    """Nothing is raised, and it is worth another try."""
    async with receiving() as receiver:
        (target,) = parse_targets((f"webhook={receiver.url()}",))
    async with http_post() as post:
        answer = await post(target.address(), {})
    assert answer.why
    assert answer.again


class Outbox:
    """A post that answers as told, on virtual time."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[float, Any]] = []

    async def post(self, address: Any, content: Any) -> Answer:
        self.sent.append((asyncio.get_running_loop().time(), content))
        return self.answers.pop(0) if self.answers else Answer()

    @asynccontextmanager
    async def opened(self) -> Any:
        yield self.post


WEBHOOK = parse_targets(("webhook=http://h/x",))
ALERTS = parse_targets(("alertmanager=http://h", "slack=http://h/x"))


def started(targets: Any, outbox: Outbox) -> tuple[Notifier, asyncio.Task[Any]]:
    notifier = Notifier(targets, VirtualClock(), outbox.opened)
    return notifier, asyncio.create_task(notifier.run())


@virtual()
async def test_a_flood_is_bounded_in_memory_and_in_rate() -> None:
    """The newest are kept, what was lost is counted and said, a minute brings its share."""
    outbox = Outbox()
    notifier, _ = started(WEBHOOK, outbox)
    for number in range(500):
        notifier.tell(message(number))
    (line,) = notifier.lines
    assert line.waiting == MOST
    await asyncio.sleep(59)
    assert len(outbox.sent) == PER_MINUTE
    assert outbox.sent[0][1]["dropped"] == 500 - MOST
    assert outbox.sent[1][1]["dropped"] == 0
    await asyncio.sleep(60)
    assert len(outbox.sent) == 2 * PER_MINUTE
    await asyncio.sleep(300)
    assert [said["service_name"] for _, said in outbox.sent] == [f"web{n}" for n in range(400, 500)]
    assert line.counts.dropped == {"full": 400}


@virtual()
async def test_pauses_grow_and_what_is_too_old_is_given_up() -> None:
    """A receiver that is down for an hour gets what is new then, not what was."""
    outbox = Outbox(*[Answer("down", again=True)] * 500)
    notifier, _ = started(WEBHOOK, outbox)
    notifier.tell(message())
    await asyncio.sleep(OLDEST + 60)
    (line,) = notifier.lines
    assert line.counts.dropped == {"too_old": 1}
    times = [at for at, _ in outbox.sent]
    pauses = [later - sooner for sooner, later in pairwise(times)]
    assert pauses[0] <= 1.0
    assert max(pauses) <= 60.0
    assert sum(pauses[-3:]) > 80.0
    outbox.answers.clear()
    notifier.tell(message(2))
    await asyncio.sleep(1)
    assert outbox.sent[-1][1]["service_name"] == "web2"


@virtual()
async def test_a_receiver_that_asks_for_a_pause_gets_it() -> None:
    """Retry-After, as rate limits of webhooks send it, bounded."""
    outbox = Outbox(Answer("slow down", again=True, wait=LONGEST_WAIT))
    notifier, _ = started(WEBHOOK, outbox)
    notifier.tell(message())
    await asyncio.sleep(LONGEST_WAIT - 1)
    assert len(outbox.sent) == 1
    await asyncio.sleep(2)
    assert len(outbox.sent) == 2


@virtual(limit=4 * 3600)
async def test_a_problem_is_told_once_kept_alive_and_ended() -> None:
    """People hear of its beginning and its end, Alertmanager also that it goes on."""
    outbox = Outbox()
    notifier, _ = started(ALERTS, outbox)
    for _ in range(3):
        notifier.raise_problem(PROBLEM)
    await asyncio.sleep(2 * AGAIN_AFTER + 180)
    alerts = [said for _, said in outbox.sent if isinstance(said, list)]
    texts = [said for _, said in outbox.sent if isinstance(said, dict)]
    assert (len(alerts), len(texts)) == (3, 1)
    notifier.end_problem(PROBLEM.key)
    notifier.end_problem(PROBLEM.key)
    await asyncio.sleep(1)
    assert len(outbox.sent) == 6
    assert notifier.problems() == frozenset()
    assert HELD_FOR > AGAIN_AFTER


@virtual()
async def test_the_same_failure_is_told_once_in_a_while() -> None:
    """A write that fails each minute for a day is no message a minute."""
    outbox = Outbox()
    notifier, _ = started(WEBHOOK, outbox)
    for _ in range(5):
        notifier.tell(message(), once=True)
        notifier.tell(message(2), once=True)
    await asyncio.sleep(QUIET + 1)
    assert len(outbox.sent) == 2
    notifier.tell(message(), once=True)
    await asyncio.sleep(1)
    assert len(outbox.sent) == 3


@virtual()
async def test_the_end_waits_a_second_for_what_is_on_its_way() -> None:
    """An agent stops within its time whatever its receivers do."""

    class Never(Outbox):
        async def post(self, address: Any, content: Any) -> Answer:
            await asyncio.sleep(3600)
            return Answer()

    notifier, running = started(WEBHOOK, Never())
    notifier.tell(message())
    began = asyncio.get_running_loop().time()
    await notifier.finish()
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.0, abs=0.01)
    running.cancel()
