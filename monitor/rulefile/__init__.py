"""Rule files: YAML in, rules out, or problems that say file, line, column and what to write."""
