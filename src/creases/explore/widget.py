"""The explorer as a widget, in Jupyter, marimo and other programs that show widgets (anywidget)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from numpy.typing import ArrayLike

from creases.domain import Domain
from creases.errors import CreasesError, DomainError, need_modules
from creases.explore.answers import Answer
from creases.explore.planes import plane_of_domain
from creases.explore.session import Entry, Session, at_hand
from creases.network import Network

__all__ = ["explore"]


def explore(
    network: Network | Sequence[Network],
    plane: Domain | None = None,
    *,
    points: ArrayLike | None = None,
    labels: Sequence[Any] | None = None,
    height: int = 640,
    threads: int | None = None,
) -> Any:
    """An interactive widget to explore the regions of a network in planes: pan, zoom, count, and inspect regions.

    network : a network, or several with the same inputs, of which the first is shown first and all are the frames of an
        animation.
    plane : the initial plane: a Plane, a piece of one, or a Box of dimension two. None means both inputs of a network
        of two, the plane through the first three points, or the first two inputs.
    points : data, shape (m, n_in) or (m, *input_shape). labels : one per point.
    height : height of the widget, in pixels. threads : as for `creases.count`.
    Returns the widget. Raises DomainError if there is no such plane or the data do not fit; MissingExtraError without
    anywidget.
    """
    need_modules("explore", "The widget", "anywidget", "matplotlib")
    several = [network] if isinstance(network, Network) else list(network)
    for one in several:
        if not isinstance(one, Network):
            raise DomainError(f"The explorer shows networks, got {type(one).__name__}. Open one with creases.load.")
    film = len(several) > 1
    entries = [
        Entry(
            f"network {i}" if film else "network",
            at_hand(one),
            step=i if film else None,
            code="...  # the network of this widget",
        )
        for i, one in enumerate(several)
    ]
    chosen = None if plane is None or not several else plane_of_domain(several[0], plane)
    session = Session(entries, points, labels, chosen, points_code="...  # the data of this widget", threads=threads)
    return widget_of(session, height)


def widget_of(session: Session, height: int) -> Any:
    """The widget of a session. Its requests and answers are messages, like the page's HTTP requests."""
    import anywidget
    import traitlets

    static = files("creases.explore").joinpath("static")

    def on_message(widget: Any, content: Any, buffers: Any) -> None:
        number = content.get("number") if isinstance(content, dict) else None
        try:
            facts, data = answer_to(session, content).packed()
            widget.send({"number": number, "facts": facts}, [data])
        except (CreasesError, MemoryError) as error:
            widget.send({"number": number, "error": str(error)})
        except Exception as error:  # an error in this package: the page must not wait for ever
            widget.send({"number": number, "error": f"{type(error).__name__}: {error}"})
            raise

    # Created by a call: a class statement would need anywidget, and its types, before a widget is requested.
    names = {
        "__doc__": explore.__doc__,
        "__module__": __name__,
        "_esm": static.joinpath("widget.js").read_text(encoding="utf-8"),
        "_css": static.joinpath("explore.css").read_text(encoding="utf-8"),
        "height": traitlets.Int(height).tag(sync=True),
    }
    kind: Any = type("Explorer", (anywidget.AnyWidget,), names)
    widget = kind()
    widget.session = session
    widget.on_msg(on_message)
    return widget


def answer_to(session: Session, content: Any) -> Answer:
    """The answer to a message. Raises CreasesError as `Session.answer` does."""
    if not isinstance(content, dict) or not isinstance(content.get("question"), str):
        raise DomainError("A message has a question and what it gives.")
    return session.answer(content["question"], content.get("given", {}))
