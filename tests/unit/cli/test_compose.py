import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.cli.compose import ComposeError, declared_services, stack_name, with_replicas

FILE = """\
# the shop
version: "3.8"
services:
  web:
    image: shop/web:3   # pinned
    deploy:
      replicas: 2  # floor
      resources: {limits: {cpus: "0.5"}}
  api:
    image: shop/api:9
    deploy:
      labels:
        swarm-monitor.rule: scale-cpu
  db:
    image: postgres
  logs:
    image: logs
    deploy: {mode: global}
"""


def test_a_written_count_is_replaced_and_nothing_else():
    """Comments, order and spelling of the file stay."""
    changed, notes = with_replicas(FILE, {"web": 10})
    assert changed == FILE.replace("replicas: 2  # floor", "replicas: 10  # floor")
    assert notes == ["web: 2 -> 10 replicas, as it runs now"]


def test_a_count_that_is_right_is_left_alone():
    """A file that already says what runs comes out as it went in."""
    assert with_replicas(FILE, {"web": 2}) == (FILE, [])


@pytest.mark.parametrize("name", ["api", "db"])
def test_a_missing_count_is_added(name):
    """A file without deploy.replicas means 1, so the count is written where none stands."""
    changed, notes = with_replicas(FILE, {name: 7})
    assert yaml.safe_load(changed)["services"][name]["deploy"]["replicas"] == 7
    assert notes == [f"{name}: 1 -> 7 replicas, as it runs now"]


def test_a_global_service_has_no_count():
    """Nothing is added to a service that runs once per node."""
    assert with_replicas(FILE, {"logs": 3}) == (FILE, [])


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: x, deploy: {replicas: 1}}}\n",
        "services: {web: {image: x}}\n",
        "services:\n  web: {image: x, deploy: {}}\n",
        "services:\n  web:\n    image: x\n    deploy:\n",
        "services:\n  web:\n    image: x\n    deploy: ~\n",
        (
            "x-d: &d\n  replicas: 3\n  labels: {a: b}\nservices:\n"
            "  web:\n    image: x\n    deploy: *d\n  api:\n    image: y\n    deploy: *d\n"
        ),
        "x-d: &d {labels: {a: b}}\nservices:\n  web:\n    image: x\n    deploy:\n      <<: *d\n",
    ],
)
def test_every_way_to_write_it_is_understood(text):
    """Flow style, empty values, anchors and merges: only the count of the asked service changes."""
    changed, _ = with_replicas(text, {"web": 6})
    old, new = yaml.safe_load(text)["services"], yaml.safe_load(changed)["services"]
    assert new["web"]["deploy"]["replicas"] == 6
    assert new.get("api") == old.get("api")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", "no services"),
        ("services: [a]\n", "no services"),
        ("services: {web: {\n", "not YAML"),
        ("x-w: &w {image: x}\nservices:\n  web: *w\n", "deploy of its own"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(text, words):
    """Nothing is printed that could be deployed by mistake."""
    with pytest.raises(ComposeError, match=words):
        with_replicas(text, {"web": 6})


@example({"api": 1})
@given(
    st.dictionaries(st.sampled_from(["web", "api", "db", "logs"]), st.integers(0, 500), max_size=4)
)
def test_whatever_runs_the_rest_of_the_file_means_the_same(counts):
    """For any counts the file differs in them alone, and asking again changes nothing."""
    changed, _ = with_replicas(FILE, counts)
    assert with_replicas(changed, counts) == (changed, [])


def test_names_are_read():
    """The stack's name and its services are found where compose puts them."""
    assert declared_services(FILE) == ["web", "api", "db", "logs"]
    assert (stack_name(FILE), stack_name("name: shop\nservices: {}\n")) == (None, "shop")
