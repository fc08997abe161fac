from monitor.control.assignment import Assignments, claims_on, names_nobody_has
from monitor.model.rule import RuleMode, RuleSet
from monitor.model.selector import Selector
from monitor.rulefile.label_limits import LabelCeilings
from monitor.rulefile.labels import label_rules
from tests.unit.build import restart_rule, scale_rule, service


def rules(*given):
    return RuleSet(given, "d")


def test_two_acting_scale_rules_on_one_service_are_rivals():
    """Each is told of the other, so that neither acts and both say why."""
    one, two = scale_rule(name="a"), scale_rule(name="b", selector=Selector(names=("w*",)))
    claims = claims_on(service(), rules(one, two))
    assert [claim.rivals for claim in claims] == [("b",), ("a",)]


def test_a_rule_on_dry_run_is_nobodys_rival():
    """It shows what another policy would have done beside the one that acts."""
    one, two = scale_rule(name="a"), scale_rule(name="b", mode=RuleMode.DRY_RUN)
    assert [claim.rivals for claim in claims_on(service(), rules(one, two))] == [(), ()]


def test_scale_rules_go_before_restart_rules():
    """Where both are due the scale comes first, whatever the order in the files."""
    claims = claims_on(service(), rules(restart_rule(), scale_rule()))
    assert [claim.rule.name for claim in claims] == ["r1", "leak"]


def test_a_rule_that_is_off_claims_nothing():
    """Off means as if it were not there."""
    assert claims_on(service(), rules(scale_rule(mode=RuleMode.OFF))) == ()


def test_a_name_is_matched_whole():
    """A rule for `web` is not about `web-admin`."""
    assert claims_on(service(name="web-admin"), rules(scale_rule())) == ()


def test_names_that_no_service_has_are_told_by_rule():
    """A typo in a service name shows; a glob that matches nothing does not."""
    rule = scale_rule(selector=Selector(names=("web", "wbe", "shop_*")))
    assert names_nobody_has(rules(rule), [service()]) == {"r1": ("wbe",)}


def test_new_rules_replace_what_was_cached():
    """After a reload no service is judged by an old rule."""
    assignments, of = Assignments(), service()
    assignments.use(rules(scale_rule()))
    assert len(assignments.of(of)) == 1
    assignments.use(rules())
    assert assignments.of(of) == ()


LABELS = {
    "swarm-monitor.scale.min": "1",
    "swarm-monitor.scale.max": "4",
    "swarm-monitor.scale.cpu": "60%",
    "swarm-monitor.restart.memory_above": "90%",
    "swarm-monitor.restart.for": "5m",
}


def labelled(*, labels=None, **fields):
    return service(labels=LABELS if labels is None else labels, **fields)


class Source:
    """Reads labels and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, of):
        self.asked += 1
        return label_rules(of, LabelCeilings())


def test_labels_of_a_service_claim_it():
    """Without a file that is about it, a service's labels are its rules."""
    assignments = Assignments(label_source=Source())
    claims = assignments.of(labelled())
    assert [claim.rule.name for claim in claims] == ["label:web", "label:web:restart"]
    assert [rule.name for rule in assignments.label_rules()] == ["label:web", "label:web:restart"]
    assert assignments.conflicts() == ()


def test_files_win_over_labels_and_the_conflict_is_told():
    """A file's scale rule scales alone; restart rules of both stand beside each other."""
    assignments = Assignments(label_source=Source())
    assignments.use(rules(scale_rule(name="load")))
    claims = assignments.of(labelled())
    assert [claim.rule.name for claim in claims] == ["load", "label:web:restart"]
    assert [claim.rivals for claim in claims] == [(), ()]
    (conflict,) = assignments.conflicts()
    assert conflict.startswith("service web: rule load")


def test_a_file_rule_that_is_off_leaves_the_labels_in_force():
    """Off in a file means as if that rule were not there."""
    assignments = Assignments(label_source=Source())
    assignments.use(rules(scale_rule(name="load", mode=RuleMode.OFF)))
    assert [c.rule.name for c in assignments.of(labelled())] == ["label:web", "label:web:restart"]
    assert assignments.conflicts() == ()


def test_labels_that_are_off_conflict_with_nobody():
    """Switching the labels off is how a conflict is ended without a deploy of other files."""
    assignments = Assignments(label_source=Source())
    assignments.use(rules(scale_rule(name="load")))
    assignments.of(labelled(labels=LABELS | {"swarm-monitor.mode": "off"}))
    assert assignments.conflicts() == ()


def test_labels_are_read_once_for_each_set_of_them():
    """A service that only changes its replicas costs no reading; changed labels do."""
    source = Source()
    assignments = Assignments(label_source=source)
    assignments.of(labelled())
    assignments.of(labelled(replicas=3, version=11))
    assignments.use(rules())
    assignments.of(labelled(replicas=4, version=12))
    assert source.asked == 1
    changed = LABELS | {"swarm-monitor.scale.max": "5"}
    assert assignments.of(labelled(labels=changed, version=13))[0].rule.max == 5
    assert source.asked == 2


def test_a_label_rule_is_withdrawn_with_its_label_or_by_a_file():
    """What was decided by labels that are gone, or that a file overrules, is not written."""
    assignments = Assignments(label_source=Source())
    rule = assignments.of(labelled())[0].rule
    assert assignments.withdrawn(rule) == ""
    assignments.use(rules())
    assert assignments.withdrawn(rule) == ""
    assignments.use(rules(scale_rule(name="load")))
    assert "label:web" in assignments.withdrawn(rule)
    assignments.use(rules())
    assignments.of(labelled(labels={}, version=11))
    assert "label:web" in assignments.withdrawn(rule)


def test_problems_of_labels_go_with_their_service():
    """A service that is gone leaves no problem behind."""
    assignments = Assignments(label_source=Source())
    bad = labelled(labels=LABELS | {"swarm-monitor.scale.max": "many"})
    assert assignments.of(bad) == ()
    (problem,) = assignments.label_problems()
    assert problem.startswith("label swarm-monitor.scale.max of service web: ")
    assignments.forget(bad.id)
    assert assignments.label_problems() == ()
