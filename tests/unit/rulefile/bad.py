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


TASK = "      action: restart_task\n"


def rebalance(text: str) -> str:
    return f"{HEAD}  - name: web\n    services: [web]\n    rebalance: {text}\n"


def node(text: str) -> str:
    return f"{HEAD}  - name: web\n    nodes: [w1]\n    node: {text}\n"


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
    "schedules further in": scale("    scale", "    schedules: []\n    scale"),
    "after deploy": SCALE + "      after_deploy_reset: ignore\n",
    "metrics none": scale("        - {type: cpu, target: 60%}\n", ""),
    "metrics empty": scale("\n        - {type: cpu, target: 60%}\n", " []\n"),
    "metrics mapping": scale("\n        - {type: cpu, target: 60%}\n", " {type: cpu}\n"),
    "metric text": metric("cpu"),
    "metric disk": metric("{type: disk, target: 60%}"),
    "metric CPU": metric("{type: CPU, target: 60%}"),
    "metric no target": metric("{type: cpu}"),
    "metric both": metric("{type: cpu, target: 60%, cores: 1}"),
    "metric no type": metric("{target: 60%}"),
    "metric null": metric(""),
    "metric type null": metric("{type: , target: 60%}"),
    "metric query for cpu": metric("{type: cpu, target: 60%, query: up}"),
    "metric name": metric("{type: cpu, target: 60%, name: my-load}"),
    "metric name number": metric("{type: cpu, target: 60%, name: 2}"),
    "metric name word": metric("{type: cpu, target: 60%, name: max}"),
    "metric name twice": metric(
        "{type: cpu, target: 60%, name: a}\n        - {type: memory, target: 60%, name: a}"
    ),
    "metric name of another": metric(
        "{type: memory, target: 60%, name: cpu}\n        - {type: cpu, target: 60%}"
    ),
    "metric window number": metric("{type: cpu, target: 60%, window: 30}"),
    "metric window short": metric("{type: cpu, target: 60%, window: 1s}"),
    "metric window long": metric("{type: cpu, target: 60%, window: 1d}"),
    "metric rising longer": metric("{type: cpu, target: 60%, rising_window: 20s}"),
    "metric rising word": metric("{type: cpu, target: 60%, rising_window: none}"),
    "activation of other kind": metric("{type: cpu, target: 60%, activation: 0.1}"),
    "activation cores": metric("{type: cpu, cores: 1, activation: 5%}"),
    "activation memory": metric("{type: memory, target: 60%, activation: 50MiB}"),
    "activation memory share": metric("{type: memory, target: 1GiB, activation: 5%}"),
    "activation without target": metric("{type: cpu, activation: 5%}"),
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
    "count": SCALE + "      count: running\n",
    "warm up number": SCALE + "      warm_up: 30\n",
    "warm up spelling": SCALE + "      warmup: 30s\n",
    "cooldown number": direction("{cooldown: 60}"),
    "cooldown long": direction("{cooldown: 2d}"),
    "cooldown misplaced": SCALE + "      cooldown: 1m\n",
    "changes": SCALE + "      max_direction_changes: 0\n",
    "fallback number": SCALE + "      fallback: 3\n",
    "fallback nothing": SCALE + "      fallback: {after: 1m}\n",
    "fallback over": SCALE + "      fallback: {replicas: 6, after: 1m}\n",
    "fallback under": SCALE + "      fallback: {replicas: 0, after: 1m}\n",
    "fallback after": SCALE + "      fallback: {replicas: 3, after: 60}\n",
    "fallback threshold": SCALE + "      fallback: {replicas: 3, failureThreshold: 3}\n",
    "keda": scale("      metrics:", "      triggers:"),
}

PROM = "{type: prometheus, query: sum(q), target: 100%s}"
HTTP = "{type: http, url: 'http://queue/stats', path: 'q[0].n', target: 100%s}"
INPUT = "{type: prometheus, query: sum(q), name: queue}\n        - "
FORMULA = INPUT + "{type: formula, formula: %s, target: 5}"

NUMBERS = {
    "no query": metric("{type: prometheus, target: 100}"),
    "query empty": metric("{type: prometheus, query: ' ', target: 100}"),
    "query null": metric("{type: prometheus, query: , target: 100}"),
    "query number": metric("{type: prometheus, query: 5, target: 100}"),
    "query of grafana": metric("{type: prometheus, query: 'rate(a[$__interval])', target: 1}"),
    "query near miss": metric("{type: prometheus, query: 'a{b=\"$servce\"}', target: 1}"),
    "query expr": metric("{type: prometheus, expr: up, target: 100}"),
    "target quoted": metric("{type: prometheus, query: up, target: '100'}"),
    "target share": metric("{type: prometheus, query: up, target: 60%}"),
    "target size": metric("{type: prometheus, query: up, target: 10MiB}"),
    "target duration": metric("{type: prometheus, query: up, target: 300ms}"),
    "target power": metric("{type: prometheus, query: up, target: 1e3}"),
    "target zero": metric("{type: prometheus, query: up, target: 0}"),
    "target negative": metric("{type: prometheus, query: up, target: -5}"),
    "target infinite": metric("{type: prometheus, query: up, target: .inf}"),
    "target true": metric("{type: prometheus, query: up, target: true}"),
    "target huge": metric("{type: prometheus, query: up, target: 99999999999999999}"),
    "no target": metric("{type: prometheus, query: up}"),
    "per": metric(PROM % ", per: task"),
    "per without target": metric("{type: prometheus, query: up, per: total}"),
    "activation share": metric(PROM % ", activation: 5%"),
    "threshold": metric("{type: prometheus, query: up, threshold: 100}"),
    "empty is": metric(PROM % ", empty_is: zero"),
    "address bare": metric(PROM % ", address: 'prom:9090'"),
    "address scheme": metric(PROM % ", address: 'ftp://prom'"),
    "address password": metric(PROM % ", address: 'http://me:secret@prom:9090'"),
    "address api": metric(PROM % ", address: 'http://prom:9090/api/v1/query'"),
    "address port": metric(PROM % ", address: 'http://prom:99999'"),
    "address no host": metric(PROM % ", address: 'http://:9090'"),
    "address replaced": metric(PROM % ", address: 'http://$service:9090'"),
    "address number": metric(PROM % ", address: 9090"),
    "url for prometheus": metric(PROM % ", url: 'http://prom:9090'"),
    "timeout number": metric(PROM % ", timeout: 5"),
    "timeout long": metric(PROM % ", timeout: 2m"),
    "interval short": metric(PROM % ", interval: 500ms"),
    "window for prometheus": metric(PROM % ", window: 1m"),
    "auth text": metric(PROM % ", auth: secret"),
    "auth token": metric(PROM % ", auth: {bearer_token: abc}"),
    "auth both": metric(PROM % ", auth: {bearer_token_file: /t, username: me}"),
    "auth half": metric(PROM % ", auth: {username: me}"),
    "auth nothing": metric(PROM % ", auth: {}"),
    "auth name of a secret": metric(PROM % ", auth: {bearer_token_file: token}"),
    "auth relative": metric(PROM % ", auth: {bearer_token_file: ./token}"),
    "auth user": metric(PROM % ", auth: {username: 'a:b', password_file: /p}"),
    "http no url": metric("{type: http, path: a, target: 1}"),
    "http fragment": metric("{type: http, url: 'http://a/#top', path: a, target: 1}"),
    "http near miss": metric("{type: http, url: 'http://$services/', path: a, target: 1}"),
    "http path dollar": metric("{type: http, url: 'http://a/', path: $.a, target: 1}"),
    "http path open": metric("{type: http, url: 'http://a/', path: 'a[0', target: 1}"),
    "http path number": metric("{type: http, url: 'http://a/', path: 0, target: 1}"),
    "http empty": metric(HTTP % ", empty_is: 0"),
    "http jsonpath": metric("{type: http, url: 'http://a/', jsonpath: a, target: 1}"),
    "pending activation": metric("{type: tasks_pending, activation: 1}"),
    "pending query": metric("{type: tasks_pending, target: 1, query: up}"),
    "network number": metric("{type: network_receive, target: 100}"),
    "network bits": metric("{type: network_transmit, target: 80Mbit/s}"),
    "network share": metric("{type: network_receive, target: 60%}"),
    "network unit": metric("{type: network_receive, target: 10M/s}"),
    "network of": metric("{type: network_receive, target: 10MiB, of: limit}"),
    "network no target": metric("{type: network_receive}"),
    "network activation": metric("{type: network_receive, target: 10MiB, activation: 5}"),
    "formula none": metric("{type: formula, target: 5}"),
    "formula no target": metric(INPUT + "{type: formula, formula: queue / 2}"),
    "formula unknown name": metric(FORMULA % "queu / 2"),
    "formula own name": metric(FORMULA % "formula + queue"),
    "formula of formula": metric(
        FORMULA % "queue" + "\n        - {type: formula, formula: formula * 2, target: 5}"
    ),
    "formula of numbers": metric("{type: formula, formula: 1 + 2, target: 5}"),
    "formula syntax": metric(FORMULA % "'queue +'"),
    "formula python": metric(FORMULA % '\'__import__("os").system("x")\''),
    "formula function": metric(FORMULA % "sqrt(queue)"),
    "formula expression": metric(INPUT + "{type: formula, expression: queue, target: 5}"),
    "input unused": metric(
        "{type: prometheus, query: up, name: a}\n        - {type: cpu, target: 60%}"
    ),
    "input unused named": metric("{type: cpu, name: load}"),
    "min zero pending": scale("min: 1", "min: 0").replace(
        "{type: cpu, target: 60%}", "{type: tasks_pending, target: 1}"
    ),
    "min zero formula of cpu": scale("min: 1", "min: 0").replace(
        "- {type: cpu, target: 60%}",
        "- {type: cpu, name: load}\n        - {type: formula, formula: load, target: 5}",
    ),
}


def schedule(text: str) -> str:
    return SCALE + f"      schedules: [{text}]\n"


TIMES = '{cron: "0 8 * * *", duration: 8h%s}'

SCHEDULES = {
    "mapping": SCALE + "      schedules: {cron: x}\n",
    "text": schedule("daily"),
    "nothing": schedule("{}"),
    "sets nothing": schedule(TIMES % ""),
    "no duration": schedule('{cron: "0 8 * * *", min: 2}'),
    "duration number": schedule('{cron: "0 8 * * *", duration: 8, min: 2}'),
    "duration short": schedule('{cron: "0 8 * * *", duration: 30s, min: 2}'),
    "end": schedule('{cron: "0 8 * * *", end: "0 18 * * *", min: 2}'),
    "cron words": schedule("{cron: daily, duration: 8h, min: 2}"),
    "cron number": schedule("{cron: 8, duration: 8h, min: 2}"),
    "cron four fields": schedule('{cron: "0 8 * *", duration: 8h, min: 2}'),
    "cron hour": schedule('{cron: "0 25 * * *", duration: 8h, min: 2}'),
    "zone": schedule(TIMES % ", timezone: Europe/Berlim, min: 2"),
    "zone offset": schedule(TIMES % ', timezone: "+02:00", min: 2'),
    "zone spelling": schedule(TIMES % ", tz: UTC, min: 2"),
    "name": schedule(TIMES % ", name: office hours, min: 2"),
    "replicas and min": schedule(TIMES % ", replicas: 3, min: 2"),
    "replicas and max": schedule(TIMES % ", replicas: 3, max: 4"),
    "min over own max": schedule(TIMES % ", min: 4, max: 3"),
    "min over max": schedule(TIMES % ", min: 6"),
    "max under min": schedule(TIMES % ", max: 0"),
    "min zero": schedule(TIMES % ", min: 0"),
    "min quoted": schedule(TIMES % ', min: "2"'),
    "second": schedule(TIMES % ", min: 2" + ", " + TIMES % ", desiredReplicas: 2"),
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
    "action misspelt": RESTART + "      action: restart-task\n",
    "action unknown": RESTART + "      action: kill\n",
    "budget zero": RESTART + "      budget: {count: 0, within: 1h}\n",
    "budget number": RESTART + "      budget: 3\n",
    "backoff reversed": RESTART + "      backoff: {initial: 2h, max: 1h}\n",
    "backoff long": RESTART + "      backoff: {initial: 2h}\n",
    "breaker zero": RESTART + "      breaker: {after: 0}\n",
    "breaker number": RESTART + "      breaker: 5\n",
    "breaker of a notice": RESTART + "      action: notify\n      breaker: {after: 2}\n",
    "at once without tasks": RESTART + "      at_once: 2\n",
    "at once zero": RESTART + "      action: restart_task\n      at_once: 0\n",
    "quiet number": RESTART + "      quiet_after_deploy: 60\n",
    "exits number": when("{exits: 3}"),
    "exits no within": when("{exits: {count: 3}}"),
    "exits code": when("{exits: {code: 1, count: 3, within: 10m}}"),
    "exits codes number": when("{exits: {codes: 1, count: 3, within: 10m}}"),
    "exits codes large": when("{exits: {codes: [300], count: 3, within: 10m}}"),
    "exits for": when("{exits: {count: 3, within: 10m}, for: 5m}"),
    "oom kills none": when("{oom_kills: {count: 0, within: 1h}}"),
    "unhealthy for": when("{unhealthy_for: 1m, for: 5m}"),
    "unhealthy true": when("{unhealthy_for: true}"),
    "flapping times": when("{health_flapping: {times: 3, within: 1h}}"),
    "stuck running": when("{stuck_in: running, for: 5m}"),
    "stuck Starting": when("{stuck_in: Starting, for: 5m}"),
    "stuck nowhere": when("{stuck_in: hell, for: 5m}"),
    "stuck no for": when("{stuck_in: starting}"),
    "old number": when("{older_than: 7}"),
    "old of": when("{older_than: 7d, of: limit}"),
    "cpu below size": when("{cpu_below: 1GiB, for: 5m}"),
    "cron six": when('{cron: "0 0 4 * * *"}'),
    "cron inner": when("{cron: {expression: '0 25 * * *'}}"),
    "cron zone": when("{cron: {expression: '0 4 * * *', timezone: Berlin}}"),
    "cron for": when('{cron: "0 4 * * *", for: 5m}'),
    "cron macro": when('{cron: "@daily"}'),
    "number no bound": when("{prometheus: {query: up}, for: 5m}"),
    "number both": when("{prometheus: {query: up, above: 1, below: 0}, for: 5m}"),
    "number text": when("{prometheus: up, for: 5m}"),
    "number no for": when("{prometheus: {query: up, above: 1}}"),
    "number threshold": when("{prometheus: {query: up, threshold: 1}, for: 5m}"),
    "restarted glob": when('{restarted: "db*"}'),
    "restarted itself": when("{restarted: web}"),
    "restarted itself inside": when("{any: [{restarted: db}, {all: [{restarted: web}]}]}"),
    "restarted for": when("{restarted: db, for: 1m}"),
    "depends on": when("{depends_on: db}"),
    "task of a service": when("{exits: {count: 3, within: 10m}}") + TASK,
    "task of a moment": when('{cron: "0 4 * * *"}') + TASK,
    "task of some": when("{any: [{older_than: 7d}, {restarted: db}]}") + TASK,
    "task of all": when('{all: [{cron: "0 4 * * *"}, {restarted: db}]}') + TASK,
    "task preparing": when("{stuck_in: preparing, for: 5m}") + TASK,
}

REBALANCING = {
    "no when": rebalance("{}"),
    "when empty": rebalance("{when: {}}"),
    "no for": rebalance("{when: {skew_above: 1}}"),
    "for alone": rebalance("{when: {for: 5m}}"),
    "for of a node": rebalance("{when: {node_joined: 1m, for: 5m}}"),
    "skew zero": rebalance("{when: {skew_above: 0, for: 5m}}"),
    "max skew": rebalance("{when: {maxSkew: 1, for: 5m}}"),
    "joined true": rebalance("{when: {node_joined: true}}"),
    "text": rebalance("yes"),
    "budget": rebalance("{when: {node_joined: 1m}, budget: 3}"),
    "of nodes": rebalance("{when: {node_joined: 1m}}").replace("services: [web]", "nodes: [web]"),
}

NODES = {
    "no when": node("{action: drain}"),
    "when empty": node("{when: {}}"),
    "memory size": node("{when: {memory_above: 1GiB, for: 5m}}"),
    "memory over": node("{when: {memory_above: 120%, for: 5m}}"),
    "memory no for": node("{when: {memory_above: 90%}}"),
    "disk number": node("{when: {disk_above: 90, for: 5m}}"),
    "down number": node("{when: {down_for: 5}}"),
    "down for": node("{when: {down_for: 5m, for: 5m}}"),
    "two": node("{when: {down_for: 5m, disk_above: 90%, for: 5m}}"),
    "any inside any": node("{when: {any: [{any: [{down_for: 5m}]}]}}"),
    "failing number": node("{when: {tasks_failing_here: 5}}"),
    "all": node("{when: {all: [{down_for: 5m}]}}"),
    "reboot": node("{when: {down_for: 5m}, action: reboot}"),
    "drain for a notice": node("{when: {down_for: 5m}, drain_for: 30m}"),
    "drain for seconds": node("{when: {down_for: 5m}, action: drain, drain_for: 5s}"),
    "with services": node("{when: {down_for: 5m}}").replace("nodes: [w1]", "services: [web]"),
    "role": node("{when: {down_for: 5m}}").replace("nodes: [w1]", "nodes: {role: boss}"),
    "neither": node("{when: {down_for: 5m}}").replace("nodes: [w1]", "nodes: {}"),
    "of a scale rule": scale("services: [web]", "services: [web]\n    nodes: [w1]"),
}

ALL = {
    f"{kind}: {name}": text
    for kind, group in (
        ("yaml", YAML),
        ("top", TOP),
        ("rule", RULE),
        ("scale", SCALING),
        ("number", NUMBERS),
        ("schedule", SCHEDULES),
        ("restart", RESTARTING),
        ("rebalance", REBALANCING),
        ("node", NODES),
    )
    for name, text in group.items()
}
