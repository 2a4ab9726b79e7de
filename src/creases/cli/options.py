"""The options that several commands share; each text here is what --help shows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from creases.domain import Domain
    from creases.network import Network

__all__ = ["DomainOptions", "FlatDomainOptions", "Json", "Model", "Threads", "WeightOptions"]

# A panel of its own on the help page.
weight_option = partial(typer.Option, rich_help_panel="Weights without a graph (.pt, .pth, .ckpt, .safetensors)")
graph_option = partial(typer.Option, rich_help_panel="Values of a graph (.onnx, .onnx.gz)")
domain_option = partial(
    typer.Option, rich_help_panel="Domain (one of; none means the whole space of one or two inputs)"
)

Model: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A network: .onnx, .onnx.gz, .pt2, .keras, .h5, .nnet, .polar or .npz; or weights alone: .pt, .pth, "
        ".ckpt, .safetensors, .zip or .npz.",
        show_default=False,
    ),
]
SegmentOption: TypeAlias = Annotated[
    tuple[str, str] | None, domain_option("--segment", metavar="A B", help="The segment from point A to point B.")
]
LineOption: TypeAlias = Annotated[
    tuple[str, str] | None,
    domain_option("--line", metavar="POINT DIRECTION", help="The whole line through POINT, infinite both ways."),
]
PlaneOption: TypeAlias = Annotated[
    tuple[str, str, str] | None,
    domain_option(
        "--plane",
        metavar="A B C",
        help="The whole plane through three points; with --square or --polygon, a piece of it.",
    ),
]
SquareOption: TypeAlias = Annotated[
    float | None,
    domain_option(
        "--square",
        metavar="H",
        help="The square [-H, H] x [-H, H], of two inputs or in the coordinates of --plane "
        "(A is 0,0; B is 1,0; C is 0,1).",
    ),
]
PolygonOption: TypeAlias = Annotated[
    str | None,
    domain_option(
        "--polygon",
        metavar="POINTS",
        help="The convex polygon with these corners, of two inputs or in the coordinates of --plane.",
    ),
]
BoxOption: TypeAlias = Annotated[
    str | None,
    domain_option(
        "--box",
        metavar="SIDES",
        help="LOW:HIGH for each input, or one number to hold it fixed: -1:1,-1:1,0. Or a file of two rows.",
    ),
]
SpaceOption: TypeAlias = Annotated[bool, domain_option("--space", help="The whole input space, of up to eight inputs.")]
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
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@dataclass(frozen=True)
class WeightOptions:
    """The options for reading a model file, for what the file itself does not contain."""

    activation: Annotated[
        str | None,
        weight_option(
            "--activation",
            metavar="KINK",
            help="The activation between the layers of a file of weights alone: relu, abs, linear or leaky:0.01 (with "
            "its slope below zero); or one per layer, relu,abs,linear.",
        ),
    ] = None
    order: Annotated[
        str | None,
        weight_option(
            "--order",
            metavar="NAMES",
            help="The layers in the order in which they act: fc1,fc2,out. If activations are listed among them, there "
            "are no others: 0,1,relu,3.",
        ),
    ] = None
    prefix: Annotated[
        str | None,
        weight_option(
            "--prefix",
            metavar="NAME",
            help="Read only the layers whose names begin with this, like actor., of a file that holds several "
            "networks.",
        ),
    ] = None
    final_kink: Annotated[bool, weight_option("--final-kink", help="The last layer has an activation too.")] = False
    batch_norm_eps: Annotated[
        float | None,
        weight_option(
            "--batch-norm-eps", metavar="EPS", help="The eps of the BatchNorms; torch's default, 1e-5, if not given."
        ),
    ] = None
    apply_normalisation: Annotated[
        bool,
        typer.Option(
            "--apply-normalisation",
            help="Take inputs in the raw units of a .nnet file; without this, in the network's normalised units.",
        ),
    ] = False

    output_name: Annotated[
        str | None,
        graph_option(
            "--output-name",
            metavar="NAME",
            help="The value to use as the output: one of several outputs, or any value inside the network.",
        ),
    ] = None
    fix_input: Annotated[
        list[str] | None,
        graph_option(
            "--fix-input",
            metavar="NAME=FILE.npy",
            help="Fix an input at the numbers in a file; give it once for every input but one.",
            show_default=False,
        ),
    ] = None

    def load(self, model: Path) -> Network:
        """The network in a model file."""
        from creases.cli.points import read_inputs
        from creases.readers import load

        several = (self.activation or "").split(",")
        return load(
            model,
            activation=self.activation if self.activation is None or "," not in self.activation else several,
            order=None if self.order is None else [name.strip() for name in self.order.split(",")],
            prefix=self.prefix,
            final_kink=self.final_kink,
            batch_norm_eps=self.batch_norm_eps,
            apply_normalisation=self.apply_normalisation,
            output=self.output_name,
            inputs=read_inputs(self.fix_input, "--fix-input") if self.fix_input else None,
        )


@dataclass(frozen=True)
class DomainOptions:
    """The options for the domain as they were typed; None or False for those that were not."""

    segment: SegmentOption = None
    line: LineOption = None
    polyline: Annotated[
        str | None, domain_option("--polyline", metavar="POINTS", help="The path through POINTS, segment by segment.")
    ] = None
    loop: Annotated[
        str | None,
        domain_option("--loop", metavar="POINTS", help="The closed path through POINTS and back to the first one."),
    ] = None
    plane: PlaneOption = None
    square: SquareOption = None
    polygon: PolygonOption = None
    box: BoxOption = None
    ball: Annotated[
        tuple[str, str] | None,
        domain_option(
            "--ball",
            metavar="CENTER RADIUS",
            help="The open ball, of up to eight inputs: the regions that meet it. With --plane, CENTER in the plane's "
            "coordinates and RADIUS in the inputs' units.",
        ),
    ] = None
    circle: Annotated[
        tuple[str, str] | None,
        domain_option(
            "--circle",
            metavar="CENTER RADIUS",
            help="The circle, of two inputs: pieces along it. With --plane, CENTER in the plane's coordinates and "
            "RADIUS in the inputs' units.",
        ),
    ] = None
    simplex: Annotated[
        str | None,
        domain_option("--simplex", metavar="POINTS", help="The simplex with these n + 1 corners, of n inputs."),
    ] = None
    polytope: Annotated[
        str | None,
        domain_option("--polytope", metavar="POINTS", help="The convex hull of POINTS, of up to eight inputs."),
    ] = None
    half_spaces: Annotated[
        str | None,
        domain_option(
            "--half-spaces",
            metavar="ROWS",
            help="The bounded polytope of inputs x with a . x <= b for every row a,b (n + 1 numbers); often a file.",
        ),
    ] = None
    subspace: Annotated[
        str | None,
        domain_option(
            "--subspace",
            metavar="POINTS",
            help="The whole subspace through the first point along the directions that follow, at most eight.",
        ),
    ] = None
    space: SpaceOption = False
    directions: Annotated[
        bool,
        domain_option(
            "--directions",
            help="The sphere of directions of the input space, of up to nine inputs: the cones far from the origin, "
            "where biases do not matter.",
        ),
    ] = False

    def given(self) -> list[str]:
        """The names of the options that were typed."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        # Not by equality: 0.0 == False, but --square 0 is an option that was typed.
        return [
            "--" + name.replace("_", "-") for name, value in values.items() if value is not None and value is not False
        ]

    def as_domain(self, network: Network) -> Domain:
        """The domain in the network's input space. Raises DomainError if the options do not describe one."""
        from creases.cli.domains import as_domain

        return as_domain(self, network)


@dataclass(frozen=True)
class FlatDomainOptions:
    """Those of the options that describe domains of one or two dimensions."""

    segment: SegmentOption = None
    line: LineOption = None
    plane: PlaneOption = None
    square: SquareOption = None
    polygon: PolygonOption = None
    box: BoxOption = None
    space: SpaceOption = False

    def as_domain(self, network: Network) -> Domain:
        """The domain in the network's input space. Raises DomainError if the options do not describe one."""
        return DomainOptions(**vars(self)).as_domain(network)
