"""`creases paper`: the experiments, each as a command of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from creases.cli.paper_run import list_figures, report_command, run_command

__all__ = ["paper"]

Seeds: TypeAlias = Annotated[
    int, typer.Option("--seeds", min=1, metavar="N", help="Networks of each kind, seeds 0 to N - 1.")
]
Save: TypeAlias = Annotated[
    Path | None, typer.Option("--save", metavar="FILE", help="Write the table to this Markdown file too.")
]

paper = typer.Typer(name="paper", no_args_is_help=True, rich_markup_mode="rich", help="Experiments of the papers.")


@paper.callback()
def experiments() -> None:
    """Repeat the papers' experiments, and some that they suggest."""


paper.command("list")(list_figures)
paper.command("run")(run_command)
paper.command("report")(report_command)


@paper.command()
def spaces(
    seeds: Seeds = 20,
    save: Save = None,
) -> None:
    """Count random networks on all of R^3 and R^4, and compare with as many hyperplanes in general position.

    Hanin and Rolnick (2019) count in planes. The table shows whether their heuristic, N^n / n! for every depth, also
    holds in the whole space R^n and on the sphere of directions S^(n-1) (zero biases). "generic" is the number for as
    many hyperplanes in general position, "ratio" the mean divided by it, with its 95 % interval (Student), and sd the
    standard deviation over networks. The file that --save writes also has an interval for sd / mean, by the jackknife
    over seeds.

    \b
    [bold]Examples[/bold]
    creases paper spaces
    creases paper spaces --seeds 5 --save spaces.md
    """
    from creases.cli.show import out, table, writable
    from creases.files import replace_file
    from creases.paper.spaces import CASES, as_markdown, mean_counts, with_interval
    from creases.progress import following

    if save is not None:
        writable(save)
    with following(None, seeds * len(CASES)) as follower:
        means = mean_counts(seeds, done=follower.finish_one)
    if save is not None:
        text = as_markdown(means) + "\n"
        replace_file(save, lambda partial: partial.write_text(text, encoding="utf-8"))
    titles = ["hidden", "domain", "mean count", "generic", "ratio", "sd / mean"]
    rows = [
        [
            f"[{','.join(map(str, mean.widths))}]",
            mean.domain if mean.domain != "directions" else f"S^{mean.n_in - 1}",
            f"{mean.mean:,.1f}",
            f"{mean.hyperplanes:,}",
            with_interval(mean.ratio),
            f"{mean.deviation / mean.mean:.3f}",
        ]
        for mean in means
    ]
    out().print(table(titles, rows))
    if save is not None:
        typer.echo(f"saved to {save}")


@paper.command("sawtooth")
def sawtooth_command(
    depth: Annotated[int, typer.Option("--depth", min=1, metavar="L", help="Layers of two neurons: 2^L pieces.")] = 12,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Draws of the noise at each scale.")] = 10,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Draw the curve: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Count the pieces of the sawtooth, which are exponentially many, with noise on its weights and biases.

    The construction of Telgarsky (2015); the companion paper of Hanin and Rolnick (2019) says that a little noise
    destroys almost all pieces. The noise is compared with the typical weight, 3.16, and "almost all" means 99 in 100.
    Very little noise (0.001 to 0.01) adds pieces first: a neuron that only touches zero in every trough then crosses
    it.

    \b
    [bold]Examples[/bold]
    creases paper sawtooth
    creases paper sawtooth --depth 8 --seeds 20 --output sawtooth.svg
    """
    import statistics
    from math import isfinite

    from creases.cli.show import out, table, writable
    from creases.paper.sawtooth import ALMOST_NONE, SCALES, TYPICAL, collapse, least_noise, plot_collapse
    from creases.plot import save_figure
    from creases.plot.figure import check_name, figure_of, new_figure
    from creases.progress import following

    if output is not None:
        writable(check_name(output))
        new_figure(1.0, 1.0)  # a missing matplotlib is reported before the counts
    with following(None, seeds * len(SCALES)) as follower:
        curve = collapse(depth, seeds, done=follower.finish_one)
    means = [statistics.fmean(row) for row in curve.counts]
    shares = [mean / 2.0**depth for mean in means]
    rows = [
        [
            f"{scale:g}",
            f"{scale / TYPICAL:.2%}",
            f"{min(row):,}",
            f"{mean:,.1f}",
            f"{max(row):,}",
            f"{share:.4f}",
            f"{mean / (2 * depth + 1):.2f}",
        ]
        for scale, row, mean, share in zip(curve.scales, curve.counts, means, shares, strict=True)
    ]
    out().print(table(["noise", "of a weight", "least", "mean", "most", "mean / 2^L", "mean / (N + 1)"], rows))
    for level in (0.5, ALMOST_NONE):
        noise = least_noise(curve.scales, shares, level)
        said = f"noise of {noise:.2g}, {noise / TYPICAL:.1%} of a weight" if isfinite(noise) else "none of these noises"
        typer.echo(f"mean / 2^L falls below {level:g} at {said}")
    if output is not None:
        save_figure(figure_of(plot_collapse(curve)), output)
        typer.echo(f"drawn to {output}")


@paper.command("bounds")
def bounds_command(
    seeds: Seeds = 200,
    save: Save = None,
) -> None:
    """Compare mean counts in cubes with the bounds on averages: how loose are the bounds?

    He networks of two layers of 16, Gaussian and uniform biases, one to three inputs, cubes of side
    s / (C_grad C_bias N), both constants exact. "explicit" is the bound for any side, divided by the mean. T is the
    smallest constant with which theorem 5 (Hanin and Rolnick 2019) would hold for the mean, in units of C_grad C_bias;
    the verdict is whether the 95 % interval of the mean lies below the theorem with T = 32 C_grad C_bias. In large
    cubes the count no longer increases, and T decreases as one over the side.

    \b
    [bold]Examples[/bold]
    creases paper bounds
    creases paper bounds --seeds 20 --save bounds.md
    """
    from creases.cli.show import out, table, writable
    from creases.files import replace_file
    from creases.paper.looseness import LAWS, TABLE_HEADER, as_markdown, looseness
    from creases.progress import following

    if save is not None:
        writable(save)
    with following(None, seeds * 3 * len(LAWS)) as follower:
        lines = looseness(seeds, done=follower.finish_one)
    if save is not None:
        text = as_markdown(lines) + "\n"
        replace_file(save, lambda partial: partial.write_text(text, encoding="utf-8"))
    # The side and the ratio of theorem 5 follow from the other columns; without them the table has at most 80
    # characters.
    titles = {"n": "n", "biases": "biases", "s": "s", "mean count": "mean", "95 % of the mean": "95 % of it"}
    titles |= {"explicit / mean": "explicit", "smallest T": "T", "verdict": "verdict"}
    shown = [dict(zip(TABLE_HEADER, line.cells(), strict=True)) for line in lines]
    out().print(table(list(titles.values()), [[row[name] for name in titles] for row in shown]))
    if save is not None:
        typer.echo(f"saved to {save}")
