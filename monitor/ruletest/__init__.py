"""Unit tests of rules: series in, expectations at times, the production code on virtual time."""
