"""The pages on rules, held against the code."""

import re
from pathlib import Path

import pytest

from monitor.model.service import Service
from monitor.rulefile.label_limits import LabelCeilings
from monitor.rulefile.labels import label_rules
from monitor.rulefile.schema import json_schema
from tests.unit.build import service
from tests.unit.rulefile.helpers import parsed

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
RULES = sorted((ROOT / "docs" / "rules").glob("*.md"))
WITHOUT_EXAMPLE = {"labels.md"}


def blocks(page: Path) -> list[str]:
    """The YAML blocks that are whole rule files."""
    found = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    return [block for block in found if re.search(r"^rules:", block, re.MULTILINE)]


EXAMPLES = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in (*PAGES, ROOT / "README.md")
    for number, block in enumerate(blocks(page), 1)
]


@pytest.mark.parametrize("block", EXAMPLES)
def test_example_loads(block: str) -> None:
    """What a reader copies is accepted, without a warning."""
    result = parsed(block)
    assert [str(problem) for problem in result.problems] == []
    assert result.warnings == ()


@pytest.mark.parametrize("page", RULES, ids=lambda page: page.name)
def test_page_has_an_example_and_a_table(page: Path) -> None:
    """Each page shows at least one whole rule and a table."""
    assert blocks(page) or page.name in WITHOUT_EXAMPLE
    assert "\n|---" in page.read_text() or page.name == "capacity.md"


def test_every_field_is_explained() -> None:
    """Every field that the schema knows stands on one of the pages."""
    text = "".join(page.read_text() for page in RULES)
    schema = json_schema()
    fields = {
        field
        for model in (*schema["$defs"].values(), schema)
        for field in model.get("properties", ())
    }
    assert {f for f in fields if not re.search(rf"`(?:[a-z_]+\.)?{f}`|\b{f}:", text)} == set()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to another page, or to a heading of it, finds it."""
    for target in re.findall(r"\]\(([^)#:\s]*)(?:#[a-z-]+)?\)", page.read_text()):
        assert not target or (page.parent / target).exists(), target
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", page.read_text()):
        other = (page.parent / target) if target else page
        headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^a-z0-9 _-]", "", h.lower()).replace(" ", "-") for h in headings}
        assert anchor in slugs, f"{target}#{anchor}"


def test_labels_of_the_page_make_rules() -> None:
    """The compose file on the page of labels gives one rule that scales and one that restarts."""
    page = (ROOT / "docs" / "rules" / "labels.md").read_text()
    found = dict(re.findall(r"^ {12}(swarm-monitor\.\S+): \"?([^\"\n]+)\"?$", page, re.MULTILINE))
    assert len(found) == 7
    of: Service = service(labels=found)
    result = label_rules(of, LabelCeilings())
    assert result.problems == result.notices == ()
    assert [rule.name for rule in result.rules] == ["label:web", "label:web:restart"]
