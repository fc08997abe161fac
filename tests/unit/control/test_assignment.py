from monitor.control.assignment import Assignments, claims_on, names_nobody_has
from monitor.model.rule import RuleMode, RuleSet
from monitor.model.selector import Selector
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
