"""Pure decisions: no I/O, no clock, no logging, no chance, no state.

`decide` judges one rule on one service; `remember`, `record_write` and `record_version` make the
history of the next decision out of this one. `record` keeps what a decision was made of, as plain
data, and `replay` makes the same decision of it again.
"""

from monitor.decide.conditions import not_written, written
from monitor.decide.dispatch import decide, metrics_of
from monitor.decide.guards import guard_recheck, guard_sentence, rollout_guard
from monitor.decide.history import after_absence, record_version, record_write, remember
from monitor.decide.node import decide_node
from monitor.decide.refusals import ambiguous
from monitor.decide.replay import Recorded, lean, record, replay

__all__ = [
    "Recorded",
    "after_absence",
    "ambiguous",
    "decide",
    "decide_node",
    "guard_recheck",
    "guard_sentence",
    "lean",
    "metrics_of",
    "not_written",
    "record",
    "record_version",
    "record_write",
    "remember",
    "replay",
    "rollout_guard",
    "written",
]
