"""The options that several commands share, written once; each text here is what --help shows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from creases.network import Network

__all__ = [
    "Activation",
    "ApplyNormalisation",
    "BatchNormEps",
    "BoxOption",
    "DirectionsOption",
    "DomainOptions",
    "FinalKink",
    "HalfSpacesOption",
    "LineOption",
    "Model",
    "Order",
    "PlaneOption",
    "PolygonOption",
    "PolylineOption",
    "PolytopeOption",
    "Prefix",
    "SegmentOption",
    "SimplexOption",
    "SpaceOption",
    "SquareOption",
    "SubspaceOption",
    "Threads",
    "WeightOptions",
]

WEIGHTS = "Weights without a graph (.pt, .pth, .ckpt, .safetensors)"
PANEL = "Domain (one of; none means the whole space of one or two inputs)"

Model: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A network: .onnx, .nnet, .polar or .npz; or weights alone: .pt, .pth, .ckpt or .safetensors.",
        show_default=False,
    ),
]
Activation: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--activation",
        metavar="relu",
        help="Say that the weights are a chain with ReLU between the layers and nothing else; the file does not.",
        rich_help_panel=WEIGHTS,
    ),
]
Order: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--order",
        metavar="NAMES",
        help="The layers in the order in which they act: fc1,fc2,out. With relu among them, ReLU stands there and "
        "nowhere else: 0,1,relu,3.",
        rich_help_panel=WEIGHTS,
    ),
]
Prefix: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--prefix",
        metavar="NAME",
        help="Read only the layers whose names begin so, like actor., where the file holds several networks.",
        rich_help_panel=WEIGHTS,
    ),
]
FinalKink: TypeAlias = Annotated[
    bool,
    typer.Option("--final-kink", help="The last layer has a ReLU too: it is hidden.", rich_help_panel=WEIGHTS),
]
BatchNormEps: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--batch-norm-eps",
        metavar="EPS",
        help="The eps of the BatchNorms; torch's default, 1e-5, if not given.",
        rich_help_panel=WEIGHTS,
    ),
]
ApplyNormalisation: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--apply-normalisation",
        help="Take inputs in a .nnet file's raw units; else in the network's own normalised units.",
    ),
]
SegmentOption: TypeAlias = Annotated[
    tuple[str, str] | None,
    typer.Option("--segment", metavar="A B", help="The segment from point A to point B.", rich_help_panel=PANEL),
]
LineOption: TypeAlias = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--line",
        metavar="POINT DIRECTION",
        help="The whole line through POINT, infinite both ways.",
        rich_help_panel=PANEL,
    ),
]
PolylineOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--polyline", metavar="POINTS", help="The path through POINTS, segment by segment.", rich_help_panel=PANEL
    ),
]
PlaneOption: TypeAlias = Annotated[
    tuple[str, str, str] | None,
    typer.Option(
        "--plane",
        metavar="A B C",
        help="The whole plane through three points; with --square or --polygon, a piece of it.",
        rich_help_panel=PANEL,
    ),
]
SquareOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--square",
        metavar="H",
        help="The square [-H, H] x [-H, H], of two inputs or in the coordinates of --plane "
        "(A is 0,0; B is 1,0; C is 0,1).",
        rich_help_panel=PANEL,
    ),
]
PolygonOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--polygon",
        metavar="POINTS",
        help="The convex polygon with these corners, of two inputs or in the coordinates of --plane.",
        rich_help_panel=PANEL,
    ),
]
BoxOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--box",
        metavar="SIDES",
        help="LOW:HIGH for each input, or one number to hold it fixed: -1:1,-1:1,0. Or a file of two rows.",
        rich_help_panel=PANEL,
    ),
]
SpaceOption: TypeAlias = Annotated[
    bool,
    typer.Option("--space", help="The whole input space, of up to eight inputs.", rich_help_panel=PANEL),
]
SimplexOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--simplex", metavar="POINTS", help="The simplex with these n + 1 corners, of n inputs.", rich_help_panel=PANEL
    ),
]
PolytopeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--polytope", metavar="POINTS", help="The convex hull of POINTS, of up to eight inputs.", rich_help_panel=PANEL
    ),
]
HalfSpacesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--half-spaces",
        metavar="ROWS",
        help="The bounded polytope of inputs x with a . x <= b for every row a,b (n + 1 numbers); often a file.",
        rich_help_panel=PANEL,
    ),
]
SubspaceOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--subspace",
        metavar="POINTS",
        help="The whole subspace through the first point along the directions that follow, at most eight.",
        rich_help_panel=PANEL,
    ),
]
DirectionsOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--directions",
        help="The sphere of directions of the input space, of up to nine inputs: the cones that remain far out, where "
        "biases do not count.",
        rich_help_panel=PANEL,
    ),
]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        help="Threads to use; all cores if not given. The result is the same for any number.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class WeightOptions:
    """What was typed of a file that holds weights and no graph."""

    activation: str | None = None
    order: str | None = None
    prefix: str | None = None
    final_kink: bool = False
    batch_norm_eps: float | None = None

    def load(self, model: Path, apply_normalisation: bool) -> Network:
        """The network in a model file."""
        from creases.readers import load

        return load(
            model,
            activation=self.activation,
            order=None if self.order is None else [name.strip() for name in self.order.split(",")],
            prefix=self.prefix,
            final_kink=self.final_kink,
            batch_norm_eps=self.batch_norm_eps,
            apply_normalisation=apply_normalisation,
        )


@dataclass(frozen=True)
class DomainOptions:
    """The options as they were typed; None where one was not given."""

    segment: tuple[str, str] | None = None
    line: tuple[str, str] | None = None
    polyline: str | None = None
    plane: tuple[str, str, str] | None = None
    square: float | None = None
    polygon: str | None = None
    box: str | None = None
    simplex: str | None = None
    polytope: str | None = None
    half_spaces: str | None = None
    subspace: str | None = None
    space: bool | None = None
    directions: bool | None = None

    def given(self) -> list[str]:
        """The names of the options that were typed."""
        names = [field.name for field in fields(self) if getattr(self, field.name) not in (None, False)]
        return ["--" + name.replace("_", "-") for name in names]
