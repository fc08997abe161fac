"""Rule files that are wrong, and what is said about each."""

HEAD = "version: 1\nrules:\n"
SCALE = (
    HEAD + "  - name: web\n    services: [web]\n    scale:\n      min: 1\n      max: 5\n"
    "      metrics:\n        - {type: cpu, target: 60%}\n"
)
RESTART = (
    HEAD + "  - name: web\n    services: [web]\n    restart:\n"
    "      when: {memory_above: 90%, for: 5m}\n"
)


def scale(old: str, new: str) -> str:
    assert old in SCALE
    return SCALE.replace(old, new)


def restart(old: str, new: str) -> str:
    assert old in RESTART
    return RESTART.replace(old, new)


def metric(text: str) -> str:
    return scale("{type: cpu, target: 60%}", text)


def when(text: str) -> str:
    return restart("{memory_above: 90%, for: 5m}", text)


def direction(text: str) -> str:
    return SCALE + f"      scale_down: {text}\n"


YAML = {
    "empty": "",
    "only comments": "# nothing\n\n",
    "null document": "~\n",
    "nul byte": "version: 1\nrules: [\x00]\n",
    "escape": "version: 1\nrules: []\n# \x1b[2J\n",
    "direction override": "version: 1\nrules: [] # \u202e\n",
    "tab indentation": "version: 1\nrules:\n\t- name: web\n",
    "alias": "version: 1\nrules: *x\n",
    "anchor": "version: 1\nrules: &x []\n",
    "merge key": "version: 1\nrules:\n  - <<: {name: a}\n",
    "tag": "version: 1\nrules: !!python/object:os.system []\n",
    "custom tag": "version: 1\nrules: !include x.yml\n",
    "second document": "version: 1\nrules: []\n---\nversion: 1\n",
    "directive": "%YAML 1.1\n---\nversion: 1\nrules: []\n",
    "key twice": "version: 1\nversion: 1\nrules: []\n",
    "deep": "version: 1\nrules: " + "[" * 30 + "]" * 30 + "\n",
    "list as key": "version: 1\n? [a]\n: b\n",
    "open list": "version: 1\nrules: [\n",
    "open mapping": "version: 1\nrules:\n  - {name: web\n",
    "open quote": 'version: 1\nrules: "x\n',
    "two colons": "version: 1\nrules: a: b\n",
    "no colon": "version: 1\nrules\n",
    "indentation": "version: 1\nrules:\n  - name: a\n   services: [b]\n",
    "at sign": "version: @1\nrules: []\n",
    "bare star": "version: 1\nrules: [*]\n",
    "bad escape": 'version: 1\nrules: ["\\q"]\n',
}

TOP = {
    "text": "hello\n",
    "list": "- name: web\n",
    "no version": "rules: []\n",
    "no rules": "version: 1\n",
    "version 2": "version: 2\nrules: []\n",
    "version quoted": 'version: "1"\nrules: []\n',
    "rules empty": "version: 1\nrules:\n",
    "rules mapping": "version: 1\nrules: {name: web}\n",
    "rules of text": "version: 1\nrules: [web]\n",
    "unknown top": "version: 1\nrule: []\nrules: []\n",
}

RULE = {
    "no name": scale("  - name: web\n    services", "  - services"),
    "name number": scale("name: web", "name: 12"),
    "name blank": scale("name: web", "name: web load"),
    "name yes": scale("name: web", "name: true"),
    "services text": scale("services: [web]", "services: web"),
    "services empty": scale("services: [web]", "services: []"),
    "services null": scale("services: [web]", "services:"),
    "services of numbers": scale("services: [web]", "services: [1.10]"),
    "services with blanks": scale("services: [web]", 'services: ["web, api"]'),
    "services both": scale("services: [web]", "services: {stack: a, label: b}"),
    "services neither": scale("services: [web]", "services: {}"),
    "services unknown": scale("services: [web]", "services: {labels: b}"),
    "label empty": scale("services: [web]", 'services: {label: "=b"}'),
    "no services": scale("    services: [web]\n", ""),
    "mode dry-run": scale("    scale", "    mode: dry-run\n    scale"),
    "mode on": scale("    scale", "    mode: on\n    scale"),
    "nothing to do": HEAD + "  - name: web\n    services: [web]\n",
    "two things": SCALE + "    restart: {when: {memory_above: 90%, for: 5m}}\n",
    "exclude text": scale("    scale", "    exclude: db\n    scale"),
    "later kind": scale("    scale", "    node: {}\n    scale"),
    "min further out": scale("    scale", "    min: 1\n    scale"),
    "name twice": SCALE + "  - name: web\n    services: [api]\n    scale: {}\n",
}

SCALING = {
    "min quoted": scale("min: 1", 'min: "1"'),
    "min float": scale("min: 1", "min: 2.0"),
    "min octal": scale("min: 1", "min: 010"),
    "min power": scale("max: 5", "max: 1e3"),
    "min hex": scale("max: 5", "max: 0x10"),
    "min underscore": scale("max: 5", "max: 1_000"),
    "min negative": scale("min: 1", "min: -1"),
    "min word": scale("min: 1", "min: one"),
    "min zero": scale("min: 1", "min: 0"),
    "min null": scale("min: 1", "min:"),
    "min true": scale("min: 1", "min: true"),
    "max huge": scale("max: 5", "max: 99999999999999999999999"),
    "max over": scale("max: 5", "max: 20000"),
    "max less": scale("min: 1", "min: 9"),
    "no max": scale("      max: 5\n", ""),
    "kubernetes names": scale("max: 5", "maxReplicas: 5"),
    "schedules": SCALE + "      schedules: []\n",
    "after deploy": SCALE + "      after_deploy_reset: wait\n",
    "metrics none": scale("        - {type: cpu, target: 60%}\n", ""),
    "metrics empty": scale("\n        - {type: cpu, target: 60%}\n", " []\n"),
    "metrics mapping": scale("\n        - {type: cpu, target: 60%}\n", " {type: cpu}\n"),
    "metric text": metric("cpu"),
    "metric prometheus": metric("{type: prometheus, query: 'up', target: 100, per: replica}"),
    "metric disk": metric("{type: disk, target: 60%}"),
    "metric CPU": metric("{type: CPU, target: 60%}"),
    "metric no target": metric("{type: cpu}"),
    "metric both": metric("{type: cpu, target: 60%, cores: 1}"),
    "metric window": metric("{type: cpu, target: 60%, window: 30s}"),
    "target number": metric("{type: cpu, target: 60}"),
    "target fraction": metric("{type: cpu, target: 0.6}"),
    "target blank": metric("{type: cpu, target: 60 %}"),
    "target zero": metric("{type: cpu, target: 0%}"),
    "target over": metric("{type: cpu, target: 5000%}"),
    "target size for cpu": metric("{type: cpu, target: 700MiB}"),
    "target unit": metric("{type: memory, target: 700M}"),
    "target case": metric("{type: memory, target: 700mib}"),
    "target text": metric("{type: memory, target: much}"),
    "memory cores": metric("{type: memory, cores: 1}"),
    "cores milli": metric("{type: cpu, cores: 500m}"),
    "cores quoted": metric('{type: cpu, cores: "0.5"}'),
    "cores zero": metric("{type: cpu, cores: 0}"),
    "cores share": metric("{type: cpu, cores: 50%}"),
    "cores nan": metric("{type: cpu, cores: .nan}"),
    "of absolute": metric("{type: memory, target: 700MiB, of: limit}"),
    "of request": metric("{type: cpu, target: 60%, of: request}"),
    "window number": direction("{stabilization_window: 300}"),
    "window zero": direction("{stabilization_window: 0}"),
    "window sexagesimal": direction("{stabilization_window: 1:30}"),
    "window words": direction("{stabilization_window: 5 minutes}"),
    "window upper case": direction("{stabilization_window: 30S}"),
    "window long": direction("{stabilization_window: 2h}"),
    "window negative": direction("{stabilization_window: -5s}"),
    "window typo": direction("{stabilisation_window: 5m}"),
    "window kubernetes": direction("{stabilizationWindowSeconds: 300}"),
    "window misplaced": SCALE + "      stabilization_window: 5m\n",
    "tolerance number": direction("{tolerance: 0.1}"),
    "policies empty": direction("{policies: []}"),
    "policy type": direction("{policies: [{type: pods, value: 4, period: 15s}]}"),
    "policy value": direction("{policies: [{type: percent, value: 50%, period: 15s}]}"),
    "policy period": direction("{policies: [{type: percent, value: 50, period: 1h}]}"),
    "policy incomplete": direction("{policies: [{type: percent}]}"),
    "missing samples": SCALE + "      missing_samples: zero\n",
}

RESTARTING = {
    "no when": HEAD
    + "  - name: web\n    services: [web]\n    restart: {action: restart_service}\n",
    "when text": when("memory"),
    "when empty": when("{}"),
    "when two": when("{memory_above: 90%, cpu_above: 90%, for: 5m}"),
    "when no for": when("{memory_above: 90%}"),
    "when for number": when("{memory_above: 90%, for: 5}"),
    "when for zero": when("{memory_above: 90%, for: 0s}"),
    "when number": when("{memory_above: 90, for: 5m}"),
    "when cores": when("{cpu_above: 1500m, for: 5m}"),
    "when cpu size": when("{cpu_above: 1GiB, for: 5m}"),
    "when of": when("{memory_above: 1GiB, of: limit, for: 5m}"),
    "when any empty": when("{any: []}"),
    "when any and for": when("{any: [{memory_above: 90%, for: 5m}], for: 5m}"),
    "when list": when("[{memory_above: 90%, for: 5m}]"),
    "when inner": when("{all: [{any: [{memory_above: 90%, for: 5}]}]}"),
    "when unknown": when("{memory: 90%, for: 5m}"),
    "action later": RESTART + "      action: restart_task\n",
    "action unknown": RESTART + "      action: kill\n",
    "budget zero": RESTART + "      budget: {count: 0, within: 1h}\n",
    "budget number": RESTART + "      budget: 3\n",
    "backoff reversed": RESTART + "      backoff: {initial: 2h, max: 1h}\n",
    "backoff long": RESTART + "      backoff: {initial: 2h}\n",
}

ALL = {
    f"{kind}: {name}": text
    for kind, group in (
        ("yaml", YAML),
        ("top", TOP),
        ("rule", RULE),
        ("scale", SCALING),
        ("restart", RESTARTING),
    )
    for name, text in group.items()
}
