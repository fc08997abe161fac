"""Deliberate bugs of the agent by name: what must not escape the checkers of the promises.

    with BUGS["no re-list"].planted():
        result = one(draw(seed))

`python -m tests.simulated.dst.catch` finds the seeds that catch them.
"""

from tests.simulated.dst import bugs_further, bugs_listed, bugs_more, bugs_restarts
from tests.simulated.dst.bug import Bug

LISTED = tuple(bug.name for bug in bugs_listed.BUGS)
"""Those that every run of these tests must catch; the others came later."""

PARTS = (bugs_listed, bugs_more, bugs_restarts, bugs_further)
BUGS: dict[str, Bug] = {bug.name: bug for part in PARTS for bug in part.BUGS}
