"""Names of the service, the stack and the rule in queries and URLs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.model.scalar import JsonUrl, PrometheusQuery
from monitor.sources.substitute import Subject, in_query, in_url, substituted

SHOP = Subject("shop_web", "shop", "load")
VALUES = {"service": "a\"b\\c`d'e\nf", "stack": "shop", "rule": "load"}
NAMES = st.sampled_from(["$service", "${service}", "$stack", "$rule"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('up{job="$service"}', 'up{job="shop_web"}'),
        ("up{job='$service',s=~'${stack}.*',r=`$rule`}", "up{job='shop_web',s=~'shop.*',r=`load`}"),
        ('up{job=~"$service$"}', 'up{job=~"shop_web$"}'),
        ('up{job=~".*$"}', 'up{job=~".*$"}'),
        ('up{job="$services$service_x$Service$other${other}"}', None),
        ('up{job="$service-exporter"}', 'up{job="shop_web-exporter"}'),
        ('up{job="${service}_exporter"}', 'up{job="shop_web_exporter"}'),
        ('a{b="\\"$service"}', 'a{b="\\"shop_web"}'),
        ('a # "$service\n + b{c="$service"}', 'a # "$service\n + b{c="shop_web"}'),
        ("$service:requests:rate1m", "shop_web:requests:rate1m"),
    ],
)
def test_only_the_three_names_are_replaced(query: str, expected: str | None) -> None:
    """In any quotes, with or without braces; everything else with a dollar sign stays."""
    found = substituted(PrometheusQuery(query, timeout=1.0), SHOP)
    assert found == PrometheusQuery(query if expected is None else expected, timeout=1.0)


def test_a_value_stays_within_its_quotes() -> None:
    """Each kind of quotes has its own escapes; outside of them only a name's signs are left."""
    assert in_query('"$service"', VALUES) == '"a\\"b\\\\c`d\'e\\nf"'
    assert in_query("'$service'", VALUES) == "'a\"b\\\\c`d\\'e\\nf'"
    assert in_query("`$service`", VALUES) == "`a\"b\\cd'ef`"
    assert in_query("$service", VALUES) == "a_b_c_d_e_f"


def test_a_service_of_no_stack_has_an_empty_one() -> None:
    """Which is what the label of such a service is to Prometheus."""
    alone = Subject("web", None, "load")
    assert substituted(PrometheusQuery('a{s="$stack"}'), alone) == PrometheusQuery('a{s=""}')


def test_in_urls_values_are_percent_encoded() -> None:
    """So that they stay one part of the path or the query."""
    assert substituted(JsonUrl("http://tasks.$service/q?x=$rule", "n"), SHOP) == JsonUrl(
        "http://tasks.shop_web/q?x=load", "n"
    )
    values = {"service": "a/b?c&d=é %", "stack": "", "rule": ""}
    url = URL(in_url("http://h/q/$service?x=$service&y=1", values), encoded=True)
    assert url.raw_path == "/q/a%2Fb%3Fc%26d%3D%C3%A9%20%25"
    assert dict(url.query) == {"x": "a/b?c&d=é %", "y": "1"}


def test_nothing_to_replace_is_the_same_object() -> None:
    """So that sources of many services are one."""
    plain = PrometheusQuery('up{a=~"b"}')
    assert substituted(plain, SHOP) is plain


_LITERAL = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`")
_ESCAPES = {"n": "\n", "r": "\r"}


def literal(text: str) -> str:
    """What a PromQL string literal means, by the rules of its language."""
    assert _LITERAL.fullmatch(text), text
    if text[0] == "`":
        return text[1:-1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])


@given(
    value=st.text(max_size=20),
    quote=st.sampled_from("\"'`"),
    before=st.sampled_from(["", 'up{a="\\"x"} + ']),
    name=NAMES,
)
def test_no_value_breaks_out_of_its_quotes(value: str, quote: str, before: str, name: str) -> None:
    """The literal ends where it ended, and means the value."""
    values = dict.fromkeys(("service", "stack", "rule"), value)
    found = in_query(f"{before}{quote}{name}{quote}", values)
    assert found.startswith(before)
    meaning = literal(found[len(before) :])
    assert meaning == (re.sub(r"[`\r\n]", "", value) if quote == "`" else value)


@given(query=st.text("$ab{}\"'`\\# \n", max_size=30))
def test_a_query_without_the_names_is_left_alone(query: str) -> None:
    """Whatever quotes and backslashes it holds, closed or not."""
    assert in_query(query, VALUES) == query
