"""The picture of the benchmarks: its numbers are whole and right, and the page says what they say."""

import json
import math

import pytest

from benchmarks import picture, table
from benchmarks.networks import SQUARE, WrongCount, random_layers
from benchmarks.peers import edge_subdivision


@pytest.fixture(scope="module")
def numbers():
    return json.loads(picture.NUMBERS.read_text(encoding="utf-8"))


def test_house_picture_has_every_panel_and_every_point(numbers):
    assert list(numbers["panels"]) == list(picture.PANELS)
    for panel, works in picture.PANELS.items():
        points = numbers["panels"][panel]
        ours = {point["at"]: point for point in points if point["program"] == picture.OURS}
        assert list(ours) == [work.at for work in works()]
        for work in works():
            assert ours[work.at]["certified"] is True
            assert work.regions in (None, ours[work.at]["regions"])
        for point in points:
            assert point["regions"] == ours[point["at"]]["regions"] > 0
            assert (point["us"] is None) == ("failed" in point)
            assert point["us"] is None or (point["us"] > 0 and math.isfinite(point["us"]))
    assert numbers["machine"]["load_before"] > 0


def test_house_picture_compares_with_each_program(numbers):
    for panel, programs in (("width", 4), ("depth", 4), ("dimension", 4), ("kind", 3)):
        assert len({point["program"] for point in numbers["panels"][panel]}) == programs


def test_house_readme_says_what_the_picture_says(numbers):
    page = table.README.read_text(encoding="utf-8")
    assert f"<!-- picture -->\n{picture.caption(numbers)}\n<!-- /picture -->" in page
    assert picture.PICTURE.stat().st_size < 300_000


def test_known_points_of_a_work(monkeypatch):
    monkeypatch.setattr(picture, "RUNS", 1)
    layers = random_layers([2, 4, 4, 1])
    peers = {"right": edge_subdivision.count_on_square, "wrong": lambda _: 7, "fails": lambda _: 1 // 0}
    regions = edge_subdivision.count_on_square(layers[:-1])
    ours, right, wrong, fails = picture.measured(picture.Work(4, layers, SQUARE, regions, peers), set())
    assert ours["certified"]
    assert (right["counts"], wrong["counts"], fails["us"]) == (regions, 7, None)
    with pytest.raises(WrongCount, match=f"but {regions + 1} is known"):
        picture.measured(picture.Work(4, layers, SQUARE, regions + 1, peers), set())
