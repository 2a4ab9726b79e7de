"""`creases audit`: verify a saved result in rational arithmetic, for reviewers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import Json, WeightOptions

if TYPE_CHECKING:
    from creases.auditing import Audit

DISAGREES = 1
ALL = "all"
# The largest number of findings that are printed; --json lists all.
SHOWN = 10


def audit(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="A count (.json of 'creases count --save') or a subdivision (.npz of Complex.save).",
            show_default=False,
        ),
    ],
    *,
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]",
            help="The file of the network. A count needs it; a subdivision contains its network, which must be the "
            "same.",
            show_default=False,
        ),
    ] = None,
    cells: Annotated[
        str, typer.Option("--cells", metavar="N", help="How many cells to check, drawn at random, or 'all'.")
    ] = "1000",
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Seed of the random choice.")] = 0,
    weights: WeightOptions,
    json: Json = False,
) -> None:
    """Verify a saved result in rational arithmetic, from the weights alone.

    \b
    [bold]Examples[/bold]
    creases audit result.json net.onnx
    creases audit result.json net.nnet --apply-normalisation
    creases audit result.json net.pt --activation relu
    creases audit cells.npz --cells 1000 --seed 7
    creases audit cells.npz net.onnx --cells all --json

    The counting kernels play no part in the verdict. Each cell that is checked is computed again from the weights: it
    must be open and not empty, have the stored corners and edges, and across each of its facets there must be another
    stored cell. If all cells are checked, this proves that none is missing. A sample proves only its own cells, and the
    verdict says how rare an error must be to have been missed.

    A count has no cells. Up to 2,000 regions, or with --cells all, the count is repeated by walking from region to
    region, which proves the number. For larger counts the kernels compute the cells, and these are checked.

    Only results on lines and planes can be audited.

    Exit code 1 if anything does not agree.
    """
    from creases.auditing import audit as audit_result

    wanted = as_cells(cells)
    network = None if model is None else weights.load(model)
    report = audit_result(result, network, cells=wanted, seed=seed)
    if json:
        typer.echo(report.to_json())
    else:
        show(report, result)
    if not report.agrees:
        raise typer.Exit(DISAGREES)


def as_cells(text: str) -> int | None:
    """ "1000" as 1000, and "all" as None. Raises AuditError on anything else."""
    from creases.auditing import AuditError

    if text.strip().lower() == ALL:
        return None
    try:
        return int(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise AuditError(f"--cells takes a whole number of at least 1, or 'all'; got {text!r}.") from None


def show(report: Audit, path: Path) -> None:
    """Print what was checked, what is wrong, and what follows."""
    from creases.cli.show import facts, out

    console = out()
    rows: list[tuple[str, object]] = [
        ("result", f"{path.name}: a {report.kind} of {report.regions:,} regions"),
        ("domain", repr(report.domain)),
        *report.checked(),
        ("seconds", f"{report.seconds:.3g}"),
        *(("note", note) for note in report.notes),
    ]
    if report.findings:
        more = len(report.findings) - SHOWN
        texts = [str(finding) for finding in report.findings[:SHOWN]]
        texts += [f"and {more:,} more, which --json lists"] if more > 0 else []
        rows += [("WRONG" if i == 0 else "", text) for i, text in enumerate(texts)]
    console.print(facts(rows))
    console.print(f"\n{report.verdict()}")
