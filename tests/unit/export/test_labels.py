"""Docker labels by allow-list."""

from monitor.export.labels import MAX_LABELS, allowed_labels


def test_nothing_is_exported_without_an_allow_list() -> None:
    """No list, no labels."""
    assert allowed_labels({"a": "1"}, ()) == ()


def test_keys_and_globs() -> None:
    """Listed keys and globs pick labels; signs that Prometheus has not become `_`."""
    labels = {"com.shop.team": "x", "com.shop.tier": "y", "secret": "z"}
    assert allowed_labels(labels, ["com.shop.*"]) == (
        ("label_com_shop_team", "x"),
        ("label_com_shop_tier", "y"),
    )


def test_conflicts_are_numbered_in_the_order_of_keys() -> None:
    """Keys that come to one name are told apart, and never meet a key that is spelled so."""
    labels = {"a.b": "dot", "a-b": "dash", "a_b_conflict1": "own"}
    assert dict(allowed_labels(labels, ["*"])) == {
        "label_a_b_conflict1": "own",
        "label_a_b_conflict2": "dash",
        "label_a_b_conflict3": "dot",
    }


def test_a_hundred_thousand_labels_are_bounded() -> None:
    """A service with absurdly many labels exports the first few by name."""
    labels = {f"k{number:06d}": "v" for number in range(100_000)}
    assert len(allowed_labels(labels, ["*"])) == MAX_LABELS
