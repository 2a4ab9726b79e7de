"""The picture of `benchmarks.picture`: four panels, drawn from its numbers with matplotlib."""

from __future__ import annotations

# Colours of the file: so many are enough for lines and letters.
COLOURS = 32
# Okabe and Ito's colours, which colour-blind people tell apart; markers differ too.
STYLES = {
    "Creases": ("#0072B2", "o"),
    "regioncam": ("#D55E00", "s"),
    "edge subdivision (numpy)": ("#009E73", "^"),
    "affinitree": ("#AA4499", "D"),
}
AXES = {
    "width": "neurons in each of three layers, square",
    "depth": "layers of 32 neurons, square",
    "dimension": "dimension of the box, two layers of 16 neurons",
    "kind": "microseconds a region, square",
}


def draw(numbers, path):
    """Draw the panels into a PNG of 1,280 pixels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        figure = pyplot.figure(figsize=(12.8, 9.6), dpi=100, layout="constrained")
        figure.suptitle("What a region costs; hollow marks: the program gives another number of regions")
        # Each row has its own columns: the names of the kinds take room in theirs only.
        axes = [axis for row in figure.subfigures(2, 1) for axis in row.subplots(1, 2)]
        for axis, (panel, points) in zip(axes, numbers["panels"].items(), strict=True):
            (draw_kinds if panel == "kind" else draw_lines)(axis, points, title_of(panel, points))
            axis.set_xlabel(AXES[panel])
            axis.grid(alpha=0.25, which="major")
        figure.savefig(path)
        pyplot.close(figure)
    with_few_colours(path)


def with_few_colours(path):
    """Write a picture anew with COLOURS colours: a quarter of the bytes."""
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def of(points, program):
    """The points of a program that have a time."""
    return [point for point in points if point["program"] == program and point["us"] is not None]


def is_right(point):
    """Whether a program counted as many regions as there are."""
    return point.get("counts", point["regions"]) == point["regions"]


def title_of(panel, points):
    """What a panel shows, in its own numbers."""
    ours = of(points, "Creases")
    first, last = ours[0], ours[-1]
    least, most = min(point["us"] for point in ours), max(point["us"] for point in ours)
    if panel == "width":
        wide = [point["us"] for point in ours if point["at"] >= 64]
        return f"Width: {min(wide):.2g} to {max(wide):.2g} µs a region from 64 neurons on"
    if panel == "depth":
        three = next(point["us"] for point in ours if point["at"] == 3)
        return f"Depth: at {last['at']} layers {last['us'] / three:.0f} times as much as at 3"
    if panel == "dimension":
        return f"Dimension: {first['us']:.2g} µs for d = 1 (set-up), {last['us']:.2g} µs for d = {last['at']}"
    return f"Kind: from {least:.2g} to {most:.2g} µs a region"


def marks(axis, x, y, points, program, **options):
    """Marks of one program, hollow where its count is wrong."""
    colour, marker = STYLES[program]
    for a, b, point in zip(x, y, points, strict=True):
        face = colour if is_right(point) else "white"
        axis.plot(a, b, marker, color=colour, markerfacecolor=face, markersize=7, zorder=3, **options)


def label_place(program, points, steep):
    """Where a program's name stands beside its last point, so that names do not meet."""
    if points == 1:
        return {"xytext": (0, -10), "ha": "center", "va": "top"}
    if "edge" not in program:
        return {"xytext": (6, 5)}
    # Ours rises steeply on the right of it in one panel.
    return {"xytext": (0, -14), "va": "top", "ha": "center"} if steep else {"xytext": (8, -4), "va": "top"}


def draw_lines(axis, points, title):
    """A line a program over a number, with its name at its end."""
    for program, (colour, _) in STYLES.items():
        own = of(points, program)
        if not own:
            continue
        x, y = [point["at"] for point in own], [point["us"] for point in own]
        axis.plot(x, y, color=colour, linewidth=2)
        marks(axis, x, y, own, program)
        place = label_place(program, len(own), steep="Depth" in title)
        axis.annotate(
            program.replace(" (", "\n(").replace("edge ", "edge\n"),
            (x[-1], y[-1]),
            textcoords="offset points",
            color=colour,
            **place,
        )
    ticks = sorted({point["at"] for point in points})
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.margins(x=0.12, y=0.1)
    axis.set_ylabel("microseconds a region")
    axis.set_title(title, loc="left", fontweight="bold", fontsize=12)


def draw_kinds(axis, points, title):
    """A row a kind of network, with a mark a program; the names stand above the first row."""
    names = list(dict.fromkeys(point["at"] for point in points))[::-1]
    for program, (colour, _) in STYLES.items():
        own = of(points, program)
        if not own:
            continue
        marks(axis, [p["us"] for p in own], [names.index(p["at"]) for p in own], own, program)
        top = own[0]
        axis.annotate(
            program.replace(" (", "\n("),
            (top["us"], names.index(top["at"])),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            color=colour,
        )
    axis.set_xscale("log")
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(-0.6, len(names) + 0.4)
    axis.set_title(title, loc="left", fontweight="bold", fontsize=12)
