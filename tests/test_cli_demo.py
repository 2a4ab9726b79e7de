"""The demo, its quick form: what it prints and writes, that each count is certified, and how it fails."""

import dataclasses
import json

import pytest

from creases import Plane, cli, count
from creases.paper import demo as demo_room
from creases.paper.demo import FULL_DEMO, ORIGIN, QUICK
from creases.training import Settings, digits_task, he_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def results(folder):
    assert cli.run(["demo", "--quick", "--out", str(folder)]) == 0
    return json.loads((folder / "results.json").read_text())


def test_known_full_demo_is_the_papers():
    assert FULL_DEMO.widths == (32, 32, 32)
    assert FULL_DEMO.estimate == 4608
    assert FULL_DEMO.most == 148_035_889
    steps = Settings(batch_size=FULL_DEMO.batch_size).steps_at(FULL_DEMO.epochs, digits_task())
    assert len(steps) == 20


def test_known_results_are_all_certified(results):
    assert results["certified"]
    assert len(results["counts"]) == len(QUICK.epochs) * 2 * QUICK.planes
    assert all(row["certified"] for row in results["counts"])
    assert all(picture["certified"] for picture in results["picture"])
    assert len(results["planes"]) == 2 * QUICK.planes


def test_known_results_can_be_found_again(results):
    from creases import load
    from creases.domain import domain_from_dict

    first = results["counts"][0]
    network = load(he_network([64, *QUICK.widths, 10], QUICK.seed))
    plane = domain_from_dict(results["planes"][first["name"]])
    assert isinstance(plane, Plane)
    assert network.sha256 == first["network"]
    assert count(network, plane).regions == first["regions"]
    assert first["name"].startswith(ORIGIN)


def test_known_pictures(folder, results):
    assert results["moments"][0]["step"] == 0
    for name in ("curve.png", "regions.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_known_table_and_verdict(folder, results, capfd):
    assert cli.run(["demo", "--quick", "--out", str(folder)]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[2].split() == ["epoch", "racy", "2", "examples", "examples", "/", "N^2", "/", "N^2", "N^2/2", "allows"]
    assert len(lines[3:6]) == len(QUICK.epochs)
    assert all(len(line) <= 80 for line in lines[:6])
    origin = f"{results['moments'][0]['origin']:,.0f}"
    assert origin in lines[3].split()
    assert "N^2/2 = 288" in out
    assert "Training took" in out
    assert "All 15 counts are certified" in out
    assert "demo: training [12, 12] on digits" in err


def test_bad_input_a_count_without_proof_is_an_error(tmp_path, capfd, monkeypatch):
    def unproved(*arguments, **options):
        return dataclasses.replace(subdivide(*arguments, **options), certified=False)

    subdivide = demo_room.subdivide_flat
    monkeypatch.setattr(demo_room, "subdivide_flat", unproved)
    assert cli.run(["demo", "--quick", "--out", str(tmp_path)]) == 1
    assert "NOT every count was certified: see results.json." in capfd.readouterr().err
    assert not json.loads((tmp_path / "results.json").read_text())["certified"]


@pytest.mark.parametrize(
    ("package", "extra"), [("sklearn.datasets", "data"), ("torch", "torch"), ("matplotlib.figure", "plot")]
)
def test_bad_input_missing_extra(tmp_path, capfd, monkeypatch, package, extra):
    import sys

    monkeypatch.setitem(sys.modules, package, None)
    assert cli.run(["demo", "--quick", "--out", str(tmp_path)]) == 2
    err = capfd.readouterr().err
    assert f"pip install 'creases[{extra}]'" in err
    assert "Traceback" not in err


@pytest.mark.long
def test_known_counting_costs_less_than_training(tmp_path):
    assert cli.run(["demo", "--out", str(tmp_path)]) == 0
    seconds = json.loads((tmp_path / "results.json").read_text())["seconds"]
    assert seconds["counting"] < seconds["training"]
