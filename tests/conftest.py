"""What all tests share."""

from hypothesis import HealthCheck, settings

# No test depends on how fast the machine is just now.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")
