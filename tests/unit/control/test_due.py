from monitor.control.due import DueKeys


def test_keys_come_in_the_order_they_became_due():
    """Whoever has waited longest is served first, whatever was touched last."""
    due = DueKeys()
    for key, at in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        due.touch(key, at)
    assert [due.take(5.0), due.take(5.0), due.take(5.0), due.take(5.0)] == ["b", "c", "a", None]


def test_nothing_is_due_before_its_time():
    """A key that is due later is not taken, but told of."""
    due = DueKeys()
    due.touch("a", 3.0)
    assert due.take(2.9) is None
    assert due.next_at() == 3.0


def test_a_key_touched_often_is_taken_once_an_interval():
    """A storm of hints about one service costs one decision a second."""
    due = DueKeys(min_interval=1.0)
    taken = []
    for tick in range(500):
        due.touch("a", tick / 100)
        if due.take(tick / 100):
            taken.append(tick / 100)
    assert taken == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_later_touch_never_postpones():
    """An earlier due time stands when a later one is asked for."""
    due = DueKeys()
    due.touch("a", 1.0)
    due.touch("a", 9.0)
    assert due.take(1.0) == "a"
    assert due.take(9.0) is None


def test_a_forgotten_key_is_not_due_any_more():
    """A removed service leaves nothing behind."""
    due = DueKeys()
    due.touch("a", 1.0)
    due.forget("a")
    assert due.take(2.0) is None
    assert due.next_at() is None


def test_a_key_put_off_again_and_again_leaves_nothing_behind():
    """A thousand resting services, brought forward each second and put off for a quarter minute:
    no more is held than twice what is due, and they come in their order."""
    due = DueKeys(min_interval=0.0)
    keys = [f"s{number}" for number in range(1_000)]
    for second in range(30):
        for key in keys:
            due.touch(key, float(second))
        assert [due.take(float(second)) for _ in keys] == keys
        assert due.take(float(second)) is None
        for key in keys:
            due.touch(key, 100.0)
        assert len(due._heap) <= 2 * len(keys) + 64
    assert [due.take(100.0) for _ in keys] == keys
    assert due.take(100.0) is None
