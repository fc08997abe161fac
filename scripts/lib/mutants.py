"""What scripts/mutants does: mutmut in a copy of the project, its score, the survivors' changes."""

import argparse
import ast
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = "monitor/decide"
WORK = ROOT / "build" / "mutants"
COPIED = ("monitor", "docs", "tests/__init__.py", "tests/unit/__init__.py", "tests/unit/decide",
          "tests/hpa_conformance", "pyproject.toml", "README.md", "LICENSE")  # fmt: skip
HUNG = frozenset({36, 24, -24, 152, 255})  # exit codes of tests that took too long
KILLED = HUNG | {1, 3}  # or failed
LEAST = 90.0
MINUTES_FOR_CHANGES = 10.0
NONE_CHOSEN = "Filtered for specific mutants, but nothing matches"  # what mutmut says then


@dataclass(frozen=True, slots=True)
class Mutant:
    """name: as mutmut calls it, `monitor.decide.rates.x__up__mutmut_3`. code: None, not tried."""

    name: str
    code: int | None
    file: Path


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(*arguments: str) -> str | None:
    """What git answers, None where there is no such commit, no history or no git."""
    try:
        return git(*arguments)
    except (OSError, subprocess.CalledProcessError):
        return None


def base_of_changes() -> str | None:
    """The merge base with main; on main itself, or without one, the commit before."""
    for main in ("origin/main", "main"):
        base = commit("merge-base", "HEAD", main)
        if base is not None and base != commit("rev-parse", "HEAD"):
            return base
    return commit("rev-parse", "--verify", "--quiet", "HEAD~1^{commit}")


def changed_lines(base: str, path: str) -> set[int]:
    """Line numbers of the new file that are new or stand next to something deleted."""
    lines: set[int] = set()
    for line in git("diff", "--unified=0", base, "--", path).splitlines():
        if (hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)) is not None:
            first, count = int(hunk[1]), int(hunk[2] or 1)
            lines |= set(range(first, first + max(count, 1)))
    return lines


def functions(path: str) -> Iterator[tuple[str, range]]:
    """Mutmut's names of the functions in a file, and their lines."""
    module = path.removesuffix(".py").replace("/", ".")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield f"{module}.x_{node.name}__mutmut_*", range(node.lineno, node.end_lineno + 1)
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    name = f"{module}.xǁ{node.name}ǁ{part.name}__mutmut_*"
                    yield name, range(part.lineno, part.end_lineno + 1)


def changed_functions(base: str, paths: list[str]) -> list[str]:
    found = []
    files = git("diff", "--name-only", "--diff-filter=d", base, "--", *paths).splitlines()
    for path in files:
        if path.endswith(".py"):
            lines = changed_lines(base, path)
            found += [name for name, span in functions(path) if lines & set(span)]
    return found


def prepare() -> None:
    """A fresh copy, so that others may work in the checkout meanwhile."""
    shutil.rmtree(WORK, ignore_errors=True)
    for part in COPIED:
        source, target = ROOT / part, WORK / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)


def run(names: list[str], minutes: float | None, workers: int) -> bool:
    """Whether all were tried in time."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers), *names]
    environment = {**os.environ, "FEW_EXAMPLES": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    log = WORK / "mutmut.log"
    with log.open("wb") as out, subprocess.Popen(
        command, cwd=WORK, env=environment, stdout=out, stderr=out, start_new_session=True
    ) as process:  # fmt: skip
        try:
            status = process.wait(None if minutes is None else minutes * 60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 15)
            return False
    if status != 0:
        tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        if names and NONE_CHOSEN in tail:
            return True
        sys.exit(f"{tail}\nmutmut itself failed with {status}; all it said: {log}")
    return True


def results() -> list[Mutant]:
    found = []
    for meta in sorted((WORK / "mutants" / CORE).glob("*.meta")):
        try:
            codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        except json.JSONDecodeError:  # being written when the time was up
            print(f"what was found of {meta.stem} is lost")
            continue
        found += [Mutant(name, code, meta.with_suffix("")) for name, code in codes.items()]
    return found


def change(mutant: Mutant) -> list[str]:
    """The lines that differ from the original, without what mutmut renamed."""
    text = mutant.file.read_text(encoding="utf-8")
    lines = text.splitlines()
    name = mutant.name.rsplit(".", 1)[1]
    original = re.sub(r"__mutmut_\d+$", "__mutmut_orig", name)
    bodies = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name in (name, original)
    }
    both = difflib.unified_diff(bodies[original], bodies[name], n=0, lineterm="")
    return [line for line in both if line[:2] not in ("--", "++", "@@")]


def report(found: list[Mutant], *, complete: bool) -> float:
    tried = [one for one in found if one.code is not None]
    alive = [one for one in tried if one.code not in KILLED]
    for one in tried:
        if one in alive or one.code in HUNG:
            print(("survived: " if one in alive else "killed by the time limit: ") + one.name)
            for line in change(one):
                print(f"    {line[0]} {line[1:].strip()}")
    if not complete:
        print(f"{len(found) - len(tried)} mutants were not tried: the time was up")
    if not tried:
        print("no mutant was tried" + ("; there is none" if complete else ""))
        return 100.0 if complete else 0.0
    score = 100.0 * (1 - len(alive) / len(tried))
    print(f"{len(tried) - len(alive)} of {len(tried)} mutants killed: {score:.1f} %")
    return score


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/mutants")
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"within {CORE}")
    parser.add_argument("--changed", nargs="?", const="", metavar="BASE")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    paths = [os.path.relpath(path, ROOT) for path in options.paths]
    if any(not path.startswith(CORE) or not (ROOT / path).exists() for path in paths):
        parser.error(f"only {CORE} is mutated; write a path within it")
    names = [f"{path.removesuffix('.py').replace('/', '.')}.*" for path in paths]
    minutes = options.minutes
    if options.changed is not None:
        base = options.changed or base_of_changes()
        if base is None:
            print("no commit to compare with (a shallow clone, or a first commit): pass a BASE")
            return 0
        names = changed_functions(base, paths or [CORE])
        minutes = MINUTES_FOR_CHANGES if minutes is None else minutes
        if not names:
            print(f"no function of {CORE} differs from {base[:12]}: nothing to mutate")
            return 0
    prepare()
    complete = run(names, minutes, options.workers)
    chosen = re.compile("|".join(re.escape(one).replace(r"\*", ".*") for one in names) or ".*")
    found = [one for one in results() if chosen.fullmatch(one.name)]
    return 0 if report(found, complete=complete) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
