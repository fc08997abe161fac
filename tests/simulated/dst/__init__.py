"""Whole fleets on virtual time, from one seed each: what is drawn, lived, recorded and judged.

plan      a seed becomes a plan: a list of timed faults, drawn up front, that can be stored
faults    what each kind of fault does to the world
world     the fleet, its services, loads, rules and the Prometheus server it asks
history   what happened, in the order in which it did
promises  the twelve promises, each judged on the history alone
shrink    the shortest list of faults that still breaks the same promise
run       the command: many seeds, or one plan again
"""
