"""`creases draw`: a picture of the regions of a network on a domain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import FlatDomainOptions, Model, Threads, WeightOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from creases.complex import Complex


# The largest number of characters of a file's name in a title, and of a title in one line: a column's width without the
# colour bar.
LONGEST_NAME, LONGEST_TITLE = 28, 40


@dataclass(frozen=True)
class LookOptions:
    """The options for the content of the picture besides the regions, and for its window."""

    color_by: Annotated[
        str,
        typer.Option(
            "--color-by",
            metavar="WORD",
            help="What the colours show: the pattern, the layer that made a region, the norm of its gradient, its "
            "class, "
            "its activity, the number of active neurons, or another column of the table: volume, facets, vertices, "
            "bounded.",
        ),
    ] = "pattern"
    kinks: Annotated[
        bool, typer.Option("--kinks", help="Draw the bent hyperplanes, coloured by layer; on a line as dots.")
    ] = False
    boundary: Annotated[
        bool,
        typer.Option(
            "--boundary",
            help="Draw where the largest output changes, or where a single output is zero; only on a plane.",
        ),
    ] = False
    points: Annotated[
        str | None,
        typer.Option(
            "--points",
            metavar="POINTS",
            help="Inputs to mark, each at the nearest point of the plane: a file, or 'a.npy:0 a.npy:3' in quotes.",
        ),
    ] = None
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="LABELS",
            help="The class of each point, for its colour: 'cat dog cat', or a .npy or .csv file with one per row.",
        ),
    ] = None
    window: Annotated[
        str | None,
        typer.Option(
            "--window",
            metavar="RANGES",
            help="What to show, in the units of the picture's axes: -1:1,0:2, or -1:1 on a line.",
        ),
    ] = None
    width: Annotated[
        float,
        typer.Option(
            "--width",
            min=1.0,
            max=40.0,
            help="Width in inches; 3.3 is the column of a page, for which the font size is chosen.",
        ),
    ] = 3.3
    dpi: Annotated[int, typer.Option("--dpi", min=20, max=2400, help="Dots per inch of a .png.")] = 400

    def check(self) -> None:
        """Raise DomainError, before anything is counted, if colours cannot show what was asked for."""
        from creases.errors import DomainError
        from creases.plot.columns import COLOURINGS, OWN_NAMES

        words = ("pattern", *COLOURINGS)
        if self.color_by not in words and self.color_by not in OWN_NAMES:
            raise DomainError(f"--color-by is one of {', '.join(words)}; got {self.color_by!r}.")

    def picture(self, complex: Complex) -> Axes:
        """The complex on new axes: a map in two dimensions, a graph in one."""
        from creases.cli.domains import as_ranges
        from creases.cli.points import read_labels, read_points
        from creases.errors import DomainError
        from creases.plot import plot_complex, plot_line

        points, labels = self.points, self.labels
        sliced = complex.domain.slice
        shown = None if self.window is None else as_ranges(self.window, sliced.dimension, "--window")
        if labels is not None and points is None:
            raise DomainError("--labels says of which class each of the --points is; give these too.")
        if sliced.dimension == 1:
            if points is not None:
                raise DomainError("--points marks inputs on a plane domain; along a line there is nowhere to put them.")
            if self.boundary:
                raise DomainError("--boundary is drawn on a plane domain; along a line the outputs themselves tell it.")
            return plot_line(
                complex,
                color_by=self.color_by,
                breaks=self.kinks,
                window=None if shown is None else shown[0],
                width=self.width,
            )
        marks = None if points is None else sliced.coordinates(read_points(points, sliced.n_in, "--points"))
        classes = None if labels is None or marks is None else read_labels(labels, len(marks), "--labels")
        return plot_complex(
            complex,
            color_by=self.color_by,
            kinks=self.kinks,
            boundary=self.boundary,
            points=marks,
            labels=classes,
            window=None if shown is None else (*shown[0], *shown[1]),
            width=self.width,
        )


def draw(
    model: Model,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The picture to write: .png, .pdf or .svg.")
    ],
    domain: FlatDomainOptions,
    weights: WeightOptions,
    look: LookOptions,
    threads: Threads = None,
) -> None:
    """Draw the regions of a network on a plane domain, or its outputs along a line.

    \b
    [bold]Examples[/bold]
    creases draw net.onnx --box -1:1,-1:1 -o regions.png
    creases draw net.onnx --plane origin a.npy b.npy --points images.npy -o plane.pdf
    creases draw net.onnx --plane a.npy b.npy c.npy --points test.npy --labels classes.npy -o classes.png
    creases draw net.onnx --plane a.npy b.npy c.npy --color-by class --boundary -o boundary.pdf
    creases draw net.pt --activation relu --plane a.npy b.npy c.npy --window -1:2,-1:2 -o near.png
    creases draw net.onnx --segment a.npy b.npy -o walk.svg

    Domains and points are given as in 'creases count', whose --help lists their forms. On a whole line, plane or space
    the picture shows the part with most regions; --window chooses another part.
    """
    from creases.cli.show import working, writable
    from creases.plot import house_style, regions_drawn, save_figure
    from creases.plot.figure import check_name, figure_of, new_figure
    from creases.subdivision import subdivide_flat

    writable(check_name(output))
    look.check()
    network = weights.load(model)
    where = domain.as_domain(network)
    new_figure(1.0, 1.0)  # a missing matplotlib is reported before the count
    complex = subdivide_flat(network, where, threads=threads)
    with working(f"drawing {output.name}"):
        ax = look.picture(complex)
        said = regions_said(complex, regions_drawn(ax), whole=look.window is None and not complex.at_infinity.any())
        with house_style():
            ax.set_title(title_of(model.name, said))
        save_figure(figure_of(ax), output, dpi=look.dpi)
    typer.echo(f"{said} drawn, saved to {output}")
    for note in network.notes:
        typer.echo(f"note: {note}")


def title_of(name: str, said: str) -> str:
    """The file's name and a description of the picture, in two lines if one would be cut off."""
    between = ": " if len(shortened(name)) + len(said) + 2 <= LONGEST_TITLE else ":\n"
    return f"{shortened(name)}{between}{said}"


def shortened(name: str) -> str:
    """A file's name, shortened in the middle if it is long, so that a title fits into a column."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME // 2]}…{name[-LONGEST_NAME // 2 :]}"


def regions_said(complex: Complex, drawn: int, whole: bool) -> str:
    """The number of regions in a picture, in words, and the total number if the picture is a part."""
    from creases.cli.show import several

    total = several(len(complex), "region")
    # A picture of the whole domain also counts regions that are too thin for floats.
    return total if whole or drawn == len(complex) else f"{drawn:,} of {total}"
