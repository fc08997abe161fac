"""How many examples the property tests try: all by default, few and always the same for mutants."""

import os

from hypothesis import Phase, settings

FEW = os.environ.get("FEW_EXAMPLES") == "1"


def many(count: int = 300) -> settings:
    """For mutants a failure is enough, whatever the smallest example of it is."""
    if FEW:
        phases = (Phase.explicit, Phase.generate)
        return settings(
            max_examples=60, deadline=None, derandomize=True, database=None, phases=phases
        )
    return settings(max_examples=count, deadline=None)
