"""Rules, a load and a decorator that the tests of whole fleets share."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from inspect import Signature, signature
from typing import Any

from monitor.model.rule import Backoff, Basis, Budget, ConditionKind, Quantity, TaskCondition
from tests.simulated.agents import Agents, agents
from tests.simulated.hosts import run_on_hosts
from tests.unit.build import restart_rule, scale_rule

MIB = 1024**2
ON_WORKERS = ("node.role==worker",)
WINDOW = 30.0
"""Seconds: the longest window of QUICK, which keeps tests of scaling down short."""

_RULE = scale_rule(max=9)
QUICK = replace(_RULE, max=8, scale_down=replace(_RULE.scale_down, stabilization_window=WINDOW))
COOLDOWN = 60.0
COOLING = replace(_RULE, scale_up=replace(_RULE.scale_up, cooldown=COOLDOWN))
LEAK = restart_rule(
    when=TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(0.9, Basis.LIMIT), 10.0),
    budget=Budget(2, 600.0),
    backoff=Backoff(0.0, 0.0),
)
FAST_ROLLOUT = {"Parallelism": 0, "Monitor": 10**9}


def fleet_of(
    *rules: Any, limit: float = 600.0, **parts: Any
) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Callable[..., None]]:
    """The test gets a fleet under these rules, ready, and its arguments."""

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @wraps(test)
        def run(**kwargs: Any) -> None:
            async def whole() -> None:
                async with agents(*rules, **parts) as made:
                    await test(made, **kwargs)

            run_on_hosts(whole(), limit=limit)

        _, *others = signature(test).parameters.values()  # `made` is no fixture
        run.__signature__ = Signature(others)  # type: ignore[attr-defined]
        return run

    return decorate


async def busy(made: Agents, cores: float = 2.0, replicas: int = 2, **parts: Any) -> str:
    """`web` on the workers; at 2 cores it needs 8 replicas."""
    service_id = await made.service("web", replicas=replicas, constraints=ON_WORKERS, **parts)
    made.swarm.set_load("web", cores)
    return service_id


async def scaled_up(made: Agents) -> None:
    await busy(made)
    await made.until(lambda: made.replicas() == 8)
