"""Count adversarial networks with creases and in rationals until enough cells have been compared.

    make fuzz                                          200,000 cells, two processes, a few minutes
    make fuzz FUZZ="--seed 7 --cells 1_000_000"        others, and more
    PYTHONPATH=tests python -m fuzz --replay FILE      one case that failed, again; --shrink makes it small

Exit code 1 if anything was wrong, 130 after Ctrl-C.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

from creases.compilation import compile_kernels
from fuzz.cases import ROUND, Case, make
from fuzz.checking import FAILURES, check
from fuzz.running import LIMIT, Totals, outcomes
from fuzz.shrinking import shrunk


def main(arguments=None):
    """Run the command; returns its exit code."""
    options = parsed(arguments)
    compile_kernels()  # before the clock of any case runs
    if options.replay or options.case is not None:
        return replay(Case.read(options.replay) if options.replay else make(options.seed, options.case), options)
    return run(options)


def parsed(arguments):
    parser = argparse.ArgumentParser(
        prog="fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=200_000, help="how many cells to compare (200,000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cases (0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--processes", type=int, default=2, help="0: in this one, without a time limit (2)")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds for creases on one case ({LIMIT:.0f})")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two lines of progress (10)")
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), help="where failing cases go (build/fuzz)")
    parser.add_argument(
        "--family", action="append", choices=dict.fromkeys(ROUND), help="only this one; may be repeated"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="check the case in this file only")
    parser.add_argument("--case", type=int, metavar="NUMBER", help="check this case of the seed only")
    parser.add_argument("--shrink", action="store_true", help="make the one case small, if it fails, and write it")
    return parser.parse_args(arguments)


def run(options):
    """Check cases until there are cells enough; 1 if any failed."""
    totals, said, interrupted = Totals(), time.monotonic(), False
    chosen = options.seed, options.processes, options.first, options.limit, options.family
    with contextlib.closing(outcomes(*chosen)) as found:
        try:
            while totals.cells < options.cells:
                outcome = next(found)
                totals.add(outcome)
                if outcome.kind in FAILURES:
                    report(outcome, options.failures)
                if time.monotonic() - said > options.every:
                    print(f"fuzz: {totals.line()}", flush=True)
                    said = time.monotonic()
        except KeyboardInterrupt:
            interrupted = True
    print("\n".join(totals.table()))
    print(f"fuzz: {'interrupted after ' if interrupted else ''}{totals.line()} (seed {options.seed})", flush=True)
    return 1 if totals.failures else 130 if interrupted else 0


def report(outcome, folder):
    """Say what failed, and keep it."""
    case = outcome.case
    path = case.write(folder / f"{outcome.kind}-{case.seed}-{case.number}.json")
    print(f"fuzz: {outcome.kind}, {case.name} ({', '.join(case.tags)})\n{outcome.message}\nfuzz: kept as {path}")
    sys.stdout.flush()


def replay(case, options):
    """Check one case and say what it is."""
    outcome = check(case)
    if outcome.kind in FAILURES and options.shrink:
        outcome = check(shrunk(outcome.case, outcome.kind))
        report(outcome, options.failures / "small")
    print(f"weights = {outcome.case.weights}\nbiases = {outcome.case.biases}\ndomain = {outcome.case.domain}")
    print(f"fuzz: {case.name}, {outcome.cells} cells: {outcome.kind}\n{outcome.message}".rstrip())
    return 1 if outcome.kind in FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
