"""Tests on virtual time: write them as `tests.simulated.virtual` says.

Everything in this folder is marked `simulated`; nothing here waits in real time.
"""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.simulated)
