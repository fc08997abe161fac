"""`python -m tests.hpa_conformance FILE.json`: exit 1 if any case fails."""

import sys
from pathlib import Path

from tests.hpa_conformance.run import run_file


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m tests.hpa_conformance FILE.json", file=sys.stderr)
        return 2
    try:
        results = run_file(Path(arguments[0]))
    except (OSError, ValueError, KeyError) as error:
        print(f"{arguments[0]} is no file of cases: {error!r}", file=sys.stderr)
        return 2
    failed = [result for result in results if not result.passed]
    for result in failed:
        print(f"FAILED {result.name}\n  expected {result.expected}\n  got      {result.got}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
