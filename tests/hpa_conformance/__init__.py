"""Cases of the HorizontalPodAutoscaler, run through the core that decides in production.

The cases are data: inputs and expected outputs of its unit tests. Nothing here decides; the
adapters only turn pods into tasks, milli-units into whole numbers and the core's own reasons
into the controller's words. Run a file of cases with `python -m tests.hpa_conformance FILE`.
"""
