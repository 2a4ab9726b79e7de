"""What a reader assumed or rounded, wherever a count is seen: value, JSON, table, audit, saved networks."""

import json

import numpy as np
import pytest

from creases import (
    Box,
    Count,
    Line,
    Network,
    Polyline,
    Space,
    audit,
    count,
    count_in_pieces,
    count_many,
    load,
    subdivide,
)
from creases.complex import Complex
from creases.theory import perturb
from shared_networks import shared_case

NOTES = ("ReLU is assumed between the layers.", "A scale is rounded.")
# Two inputs, three lines in general position.
LINES = ([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [[1.0, 1.0, 1.0]]], [[0.0, 0.0, -1.0], [0.0]])
TOLD, PLAIN = Network.from_arrays(*LINES, notes=NOTES), Network.from_arrays(*LINES)
SQUARE = Box([-2, -2], [2, 2])


def test_known_every_kind_of_count_keeps_the_notes():
    lines = [Line([0.0, 0.5], [1.0, 0.2]), Line([0.0, 0.1], [1.0, 0.9])]
    found = [
        count(TOLD, SQUARE),
        count(TOLD, SQUARE, by_neuron=True),
        count(TOLD, Space(2)),
        count(TOLD, Polyline([[-1, -1], [1, 1], [0, 2]])),
        *count_many(TOLD, lines),
        count_in_pieces(TOLD, SQUARE, pieces=4),
    ]
    assert all(one.notes == NOTES for one in found)
    assert "notes=2" in repr(found[0])
    plain = count(PLAIN, SQUARE)
    assert plain.notes == ()
    assert "notes" not in repr(plain)
    assert plain.network == found[0].network


def test_known_two_networks_of_one_hash_keep_their_own_notes():
    assert [one.notes for one in count_many([TOLD, PLAIN], SQUARE)] == [NOTES, ()]


def test_laws_notes_come_back_from_json():
    found = count(TOLD, SQUARE)
    data = json.loads(found.to_json())
    assert data["notes"] == list(NOTES)
    assert Count.from_dict(data) == found


def test_laws_networks_made_of_networks_keep_the_notes(tmp_path):
    made = [
        TOLD.without_biases(),
        perturb(TOLD, 0.1, np.random.default_rng(0)),
        load(TOLD.save(tmp_path / "net.npz")),
        load(TOLD.save(tmp_path / "net.npz"), input_shape=(1, 2)),
        Complex.load(subdivide(TOLD, SQUARE).save(tmp_path / "cells.npz")).network,
    ]
    assert all(network.notes == NOTES for network in made)


def test_known_the_commands_say_them(creases, tmp_path):
    path, saved = TOLD.save(tmp_path / "net.npz"), tmp_path / "result.json"
    code, out, _ = creases("count", path, "--square", "2", "--save", saved)
    assert code == 0
    assert all(" ".join(note.split()) in " ".join(out.split()) for note in NOTES)
    assert out.index("certified") < out.index(NOTES[0])
    assert json.loads(saved.read_text())["notes"] == list(NOTES)
    _, out, _ = creases("count", path, "--square", "2", "--json")
    assert json.loads(out)["notes"] == list(NOTES)
    _, out, _ = creases("audit", saved, path)
    assert all(note in " ".join(out.split()) for note in NOTES)
    _, out, _ = creases("audit", saved, path, "--json")
    assert json.loads(out)["notes"] == list(NOTES)
    _, out, _ = creases("draw", path, "--square", "2", "-o", tmp_path / "picture.png")
    assert all(f"note: {note}\n" in out for note in NOTES)


def test_known_an_audit_has_the_notes_of_the_result_and_of_the_network():
    other = Network.from_arrays(*LINES, notes=[NOTES[1], "Read from elsewhere."])
    found = audit(count(TOLD, SQUARE), other)
    assert found.agrees
    assert found.notes == (*NOTES, "Read from elsewhere.")
    assert audit(subdivide(TOLD, SQUARE)).notes == NOTES
    assert audit(count(PLAIN, SQUARE), PLAIN).notes == ()


def test_known_a_normalisation_that_is_applied_moves_no_line(creases, tmp_path):
    """Of five neurons three are multiples of one, on raw inputs too: nothing is rounded, and nothing noted of it."""
    rows = [(1, 2, 1), (3, 6, 3), (7, 14, 7), (-1, -2, -1), (5, -3, 2)]
    numbers = [x for row in rows for x in row[:2]] + [row[2] for row in rows] + [1.0] * 5 + [0.0]
    header = "// made here\n2,2,1,5,\n2,5,1,\n0,\n-5,-5,\n5,5,\n0.3,0.7,0.0,\n0.6,1.1,1.0,\n"
    path = tmp_path / "net.nnet"
    path.write_text(header + "".join(f"{number},\n" for number in numbers))
    plain, raw = load(path), load(path, apply_normalisation=True)
    assert count(plain, Space(2)).regions == 4
    found = count(raw, Space(2))
    assert found.regions == 4
    assert found.notes[:1] == plain.notes  # 0.3 is rounded as it is read, and that is said
    assert found.notes[1:] == (
        "Inputs are raw: they are not clipped to the file's minimum and maximum, so choose a domain within.",
    )
    _, out, _ = creases("count", path, "--apply-normalisation", "--space")
    assert "Inputs are raw: they are not clipped" in " ".join(out.split())


def test_known_a_weight_file_from_the_command_line(creases, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    weights = {"b.weight": torch.tensor(LINES[0][1]), "a.weight": torch.tensor(LINES[0][0])}
    torch.save(weights, tmp_path / "net.pt")
    code, out, err = creases("count", tmp_path / "net.pt", "--space")
    assert (code, out) == (2, "")
    assert "--activation relu" in err
    told = ["--activation", "relu", "--order", "a, b"]
    code, out, err = creases("count", tmp_path / "net.pt", "--space", *told, "--json", "--save", tmp_path / "r.json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["regions"] == 6  # three lines through one point
    assert 'as activation="relu" says' in found["notes"][0]
    for command in (["info"], ["audit", tmp_path / "r.json"]):
        code, out, _ = creases(*command, tmp_path / "net.pt", *told)
        assert code == 0
        assert "holds weights and no graph" in out
    code, _, _ = creases("draw", tmp_path / "net.pt", *told, "--final-kink", "-o", tmp_path / "picture.png")
    assert code == 0
    code, _, err = creases("info", tmp_path / "net.pt", *told, "--batch-norm-eps", "0.1")
    assert code == 2
    assert "has no BatchNorm" in err
    code, _, err = creases("info", tmp_path / "net.pt", "--activation", "relu", "--prefix", "c")
    assert code == 2
    assert "has no tensor under prefix 'c.'" in err


@pytest.mark.parametrize(
    ("name", "options", "regions", "text"),
    [
        ("centred_double.onnx", {}, 16, ""),
        ("bn_then_bias_free.pt", {"activation": "relu"}, 20, "weight / sqrt(variance + eps), is no float64"),
        ("proportional_neurons.nnet", {"apply_normalisation": True}, 4, "Inputs are raw"),
    ],
)
def test_known_shared_files_have_the_regions_of_what_they_hold(name, options, regions, text):
    """Folded in floats they had 37, 56 and 11, and every sign of these was proved."""
    pytest.importorskip({"onnx": "onnx", "pt": "torch"}.get(name.split(".")[1], "numpy"))
    found = count(load(shared_case(name), **options), Space(2))
    assert (found.regions, found.certified) == (regions, True)
    assert text in "".join(found.notes)


def test_known_what_was_rounded_is_said_wherever_a_count_is(creases, tmp_path):
    """A batch norm's scale: in the count's table and JSON, in pieces and in an audit."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module = torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 3), torch.nn.ReLU()).double()
    torch.save(module.state_dict(), tmp_path / "net.pt")
    network = load(tmp_path / "net.pt", activation="relu", final_kink=True)
    assert network.notes[-1].endswith("the network's is the nearest one. Nothing else of it is rounded.")
    assert count_in_pieces(network, SQUARE, pieces=4).notes == network.notes
    told = ["--activation", "relu", "--final-kink"]
    _, out, _ = creases("count", tmp_path / "net.pt", *told, "--square", "2", "--save", tmp_path / "r.json")
    assert network.notes[-1] in " ".join(out.replace("note", "").split())
    _, out, _ = creases("count", tmp_path / "net.pt", *told, "--square", "2", "--json")
    assert tuple(json.loads(out)["notes"]) == network.notes
    _, out, _ = creases("audit", tmp_path / "r.json", tmp_path / "net.pt", *told, "--json")
    assert tuple(json.loads(out)["notes"]) == network.notes
