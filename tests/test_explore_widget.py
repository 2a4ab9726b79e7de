"""The widget's side in Python: messages are questions, and errors are told in words."""

import numpy as np
import pytest

import creases
from creases.errors import DomainError

pytest.importorskip("anywidget")
pytest.importorskip("matplotlib")

NETWORK = creases.Network.he([2, 8, 8, 1], seed=0)


def told(widget, content):
    """What the widget sends where this message comes."""
    sent = []
    widget.send = lambda message, buffers=None: sent.append((message, buffers))
    widget._handle_custom_msg(content, [])
    return sent[0]


def test_explore_widget_is_the_room_called():
    widget = creases.explore(NETWORK, creases.Box([-1, -1], [1, 1]), height=400)
    assert widget.height == 400
    message, (data,) = told(widget, {"number": 7, "question": "hello", "given": {}})
    assert message["number"] == 7
    assert message["facts"]["plane"]["half"] == 1.0
    given = {"plane": 1, "centre": [0, 0], "half": [1, 1]}
    message, (data,) = told(widget, {"number": 8, "question": "view", "given": given})
    regions = creases.count(NETWORK, creases.Box([-1, -1], [1, 1])).regions
    assert message["facts"]["regions"] == regions
    assert len(data) == sum(-(-one["length"] * width(one["kind"]) // 8) * 8 for one in message["facts"]["arrays"])


def width(kind):
    return {"Float32Array": 4, "Float64Array": 8, "Uint8Array": 1, "Uint32Array": 4, "Int32Array": 4}[kind]


def test_explore_widget_of_several_networks_is_a_film():
    widget = creases.explore([NETWORK, creases.Network.he([2, 8, 8, 1], seed=1)], points=np.zeros((3, 2)))
    message, _ = told(widget, {"number": 1, "question": "hello", "given": {}})
    assert [one["step"] for one in message["facts"]["networks"]] == [0, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"number": 1, "question": "fold", "given": {}}, "A question is one of"),
        ({"number": 1, "question": "view", "given": {"plane": 9}}, "not kept any more"),
        ({"number": 1}, "A message has a question"),
        ([], "A message has a question"),
    ],
)
def test_explore_widget_says_what_is_wrong(content, said):
    message, buffers = told(creases.explore(NETWORK), content)
    assert said in message["error"]
    assert buffers is None


def test_explore_widget_bad_input():
    with pytest.raises(DomainError, match="shows networks, got str"):
        creases.explore(["net.onnx"])
    with pytest.raises(DomainError, match="The explorer shows planes"):
        creases.explore(NETWORK, creases.Segment([0, 0], [1, 1]))
    with pytest.raises(DomainError, match="at least one network"):
        creases.explore([])
