"""`.pt2` programs: the same network as the module's, nothing unpickled, damage and what is not read."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Network

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from torch_models import VGG, AlexNet, DenseNet, MobileNetV2, Of, ResNet, randomised  # noqa: E402


def exported(module, *shape, batch=1, **options):
    kind = next((p.dtype for p in module.parameters()), torch.float64)
    return torch.export.export(module.eval(), (torch.zeros(batch, *shape, dtype=kind),), **options)


@pytest.fixture
def save(tmp_path):
    def saved(program):
        torch.export.save(program, tmp_path / "net.pt2")
        return tmp_path / "net.pt2"

    return saved


MODELS = {"ResNet": lambda: ResNet(width=1), "VGG": lambda: VGG(width=1)}
MODELS |= {"AlexNet": AlexNet, "MobileNetV2": MobileNetV2, "DenseNet": DenseNet}


@pytest.mark.parametrize("dynamic", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", MODELS)
def test_laws_a_program_is_the_module(save, name, dynamic):
    """AlexNet, ResNet and VGG write in place; the batch may have any size."""
    module = randomised(MODELS[name]())
    options = {"dynamic_shapes": ({0: torch.export.Dim.AUTO},), "batch": 2} if dynamic else {}
    found = creases.load(save(exported(module, 3, 32, 32, **options)))
    wanted = creases.load(module, input_shape=(3, 32, 32))
    assert found.sha256 == wanted.sha256
    assert found.input_shape == (3, 32, 32)
    assert [note.replace("net.pt2", name) for note in found.notes] == list(wanted.notes)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_known_narrow_numbers_widen_exactly(save, kind):
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).to(kind)
    assert creases.load(save(exported(module, 2))).sha256 == creases.load(module).sha256


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16])
def test_known_plain_numbers_are_as_narrow_as_the_module(save, kind):
    module = nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.1), nn.Linear(3, 1), nn.Hardtanh(-0.1, 0.7)).to(kind)
    network = creases.load(save(exported(module, 2)))
    assert network.sha256 == creases.load(module).sha256
    assert network.sha256 != creases.load(module.to(torch.float64)).sha256 or kind is torch.float64


def test_known_shared_and_turned_tensors(save):
    """A weight that is a transposed view, and one that is there twice."""
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    module[0].weight = nn.Parameter(torch.arange(9.0, dtype=torch.float64).reshape(3, 3).T)
    module[2].weight = module[0].weight
    assert creases.load(save(exported(module, 3))).sha256 == creases.load(module).sha256


def write_through(x):
    y = x + 1
    y[:, 0].mul_(2)
    return y.relu()


def write_and_use(x):
    y = x + 1
    z = y.view(-1, 4)
    y.relu_()
    return z + y


def write_whole(x):
    y = x + 1
    z = y
    y.relu_().mul_(2)
    return z - y.add_(3)


def test_known_writes_in_place(save):
    assert creases.load(save(exported(Of(write_whole), 4))).forward([[1.0, -2.0, 3.0, 4.0]]).tolist() == [[0.0] * 4]


@pytest.mark.parametrize("function", [write_through, write_and_use])
def test_bad_input_writes_into_parts(save, function):
    program = exported(Of(function), 4)
    with pytest.raises(
        UnsupportedModelError, match=r"net\.pt2 uses '.*' after a part of it was written in place.*run_dec"
    ):
        creases.load(save(program))
    remedied = creases.load(save(program.run_decompositions({})))
    points = np.array([[1.0, -2.0, 3.0, -4.0], [-1.5, 0.0, 2.0, -1.0]])
    assert (remedied.forward(points) == function(torch.from_numpy(points)).numpy()).all()


class Trap:
    """A pickle that makes a folder when it is run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def rewritten(path, change):
    """The archive, each member passed through `change(name, data)`, left out where that is None; one date for all."""
    result = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w") as target:
        for member in source.infolist():
            content = change(member.filename.partition("/")[2], source.read(member))
            if content is not None:
                target.writestr(zipfile.ZipInfo(member.filename), content)
    path.write_bytes(result.getvalue())
    return path


@pytest.fixture
def plain(save):
    return save(exported(randomised(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))), 2))


def test_bad_input_no_pickle_is_run(plain, tmp_path):
    trap = pickle.dumps(Trap(tmp_path / "sprung"))

    def sample(name, data):
        return trap if name == "data/sample_inputs/model.pt" else data

    wanted = creases.load(plain).sha256
    assert creases.load(rewritten(plain, sample)).sha256 == wanted

    def weight(name, data):
        return data.replace(b'"use_pickle": false', b'"use_pickle": true') if "weights_config" in name else data

    with pytest.raises(
        ModelFileError, match=r"tensor '0\.weight' is stored as a pickle, which is code; it was not run"
    ):
        creases.load(rewritten(plain, weight))
    assert not (tmp_path / "sprung").exists()
    pickle.loads(trap)
    assert (tmp_path / "sprung").exists(), "the trap must be one that springs"


def changed(path, change):
    """The archive with its graph, as Python values, changed."""

    def edit(name, data):
        if name != "models/model.json":
            return data
        content = json.loads(data)
        change(content["graph_module"])
        return json.dumps(content).encode()

    return rewritten(path, edit)


def call(target, **arguments):
    def change(module):
        node = module["graph"]["nodes"][1]
        node["target"] = target
        node["inputs"] = [{"name": key, "arg": value, "kind": 1} for key, value in arguments.items()]

    return change


X = {"as_tensor": {"name": "linear"}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            call("torch.ops.aten.from_file.default"),
            r"net\.pt2: aten\.from_file\.default is an operator that is not read",
        ),
        (call("torch.ops.aten.nothing.default", self=X), r"aten\.nothing\.default is an operator that is not read"),
        (call("os.system", self=X), r"os\.system is no operator of torch's own"),
        (call("torch.ops.aten.relu.default", other=X), "damaged: .*arguments that its schema does not know|schema"),
        (call("torch.ops.aten.relu.default"), "lacks its argument 'self'"),
        (call("torch.ops.aten.relu.__class__", self=X), "damaged|schema"),
        (
            call("torch.ops.aten.expand.default", self=X, size={"as_ints": [2**20, 2**20, 3]}),
            r"expand .* makes 3,298,534,883,328 numbers, [0-9,]* with the input.*; 67,108,864 are allowed",
        ),
        (
            call("torch.ops.aten.zeros.default", size={"as_ints": [2**40]}),
            r"zeros .* makes 1,099,511,627,776 numbers",
        ),
        (
            call("torch.ops.aten.view.default", self=X, size={"as_ints": [7]}),
            "does not fit what it is given; torch says",
        ),
        (call("torch.ops.aten.relu.default", self={"as_tensor": {"name": "nothing"}}), "damaged: KeyError"),
        (lambda module: module["graph"]["nodes"].clear(), "damaged: KeyError"),
        (
            call("torch.ops.aten.mul.Scalar", self=X, other={"as_int": 10**400}),
            r"net\.pt2: mul of ReLU '1' does not fit what it is given; torch says: int too big",
        ),
        (lambda module: module["signature"]["input_specs"].append({"token": {"arg": {"name": "t"}}}), "takes a token"),
        (lambda module: module["signature"]["input_specs"].pop(), "takes 0 inputs"),
        (
            lambda module: module["graph"]["tensor_values"]["input"]["sizes"].reverse(),
            r"was exported for inputs of shape \(2, 1\).*on a batch of one",
        ),
    ],
)
def test_bad_input_graphs(plain, change, text):
    with pytest.raises(CreasesError, match=text):
        creases.load(changed(plain, change))


def test_bad_input_any_error_names_the_file(plain):
    """Errors of rooms that do not know of files, too: a schema's, a network's."""
    unknown = call("torch.ops.aten.relu.default", other=X)
    with pytest.raises(NetworkError, match=r"^net\.pt2: aten::relu has arguments that its schema does not know"):
        creases.load(changed(plain, unknown))


def test_bad_input_any_damage_names_the_file(plain, monkeypatch):
    """zipfile documents no EOFError, and raises it where a directory points beyond the end."""
    from creases.readers.torch.archive import read_torch_archive

    def ends(data, source):
        raise EOFError

    monkeypatch.setattr("creases.readers.torch.archive.members_of", ends)
    with pytest.raises(ModelFileError, match=r"^net\.pt2 is truncated or damaged: EOFError"):
        read_torch_archive(plain.read_bytes(), "net.pt2")


def test_bad_input_results_that_are_large_together(save, monkeypatch):
    """Four results of three numbers beside an input of two: none is large."""
    path = save(exported(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU()).double(), 2))
    monkeypatch.setattr("creases.readers.torch.interpreter.LARGEST_OF_A_FILE", 14)
    assert creases.load(path).neurons == 6
    monkeypatch.setattr("creases.readers.torch.interpreter.LARGEST_OF_A_FILE", 13)
    with pytest.raises(UnsupportedModelError, match=r"relu .* makes 3 numbers, 14 with the input .*; 13 are allowed"):
        creases.load(path)
    monkeypatch.setattr("creases.readers.torch.interpreter.LARGEST_OF_A_FILE", 1)
    with pytest.raises(UnsupportedModelError, match=r"net\.pt2 takes inputs of 2 numbers; 1 are allowed"):
        creases.load(path)


def test_known_a_stored_tensor_takes_its_room_once(save):
    from creases.readers.torch.archive import program_of_archive

    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    module[2].weight = module[0].weight
    tensors = program_of_archive(save(exported(module, 3)).read_bytes(), "net.pt2").tensors
    assert tensors["p_0_weight"].data_ptr() == tensors["p_2_weight"].data_ptr()


def test_bad_input_sizes_that_the_file_does_not_hold(plain):
    def bigger(name, data):
        return data.replace(b'{"as_int": 3}', b'{"as_int": 3000000000}') if "weights_config" in name else data

    with pytest.raises(ModelFileError, match="claims more numbers than the file holds"):
        creases.load(rewritten(plain, bigger))


def test_bad_input_programs(save, tmp_path):
    gelu = nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 1))
    with pytest.raises(UnsupportedModelError, match=r"net\.pt2: gelu of GELU '1' is not piecewise linear"):
        creases.load(save(exported(gelu, 2)))
    with pytest.raises(UnsupportedModelError, match=r"exported for inputs of shape \(4, 2\).*batch dynamic"):
        creases.load(save(exported(nn.Linear(2, 3), 2, batch=4)))
    any_side = {2: torch.export.Dim.AUTO}
    with pytest.raises(UnsupportedModelError, match="takes inputs of any size"):
        creases.load(save(exported(Of(functional.relu), 3, 8, dynamic_shapes=({}, any_side)[1:])))
    (tmp_path / "net.pt2").write_bytes(b"PK")
    with pytest.raises(ModelFileError, match=r"net\.pt2 is truncated or damaged: BadZipFile.*torch\.export\.save"):
        creases.load(tmp_path / "net.pt2")
    torch.save({"a": torch.zeros(1)}, tmp_path / "net.pt2")
    with pytest.raises(ModelFileError, match=r"net\.pt2 holds 0 programs"):
        creases.load(tmp_path / "net.pt2")
    with pytest.raises(ModelFileError, match="says itself what it computes"):
        creases.load(tmp_path / "net.pt2", activation="relu")


def settled(path):
    """The archive with the same bytes whenever and wherever it is saved: without ids, traces and samples."""

    def change(name, data):
        if name == "models/model.json":
            module = json.loads(data)["graph_module"]
            for node in module["graph"]["nodes"]:
                node["metadata"].pop("stack_trace")
            return json.dumps({"graph_module": module}).encode()
        return data if name.startswith(("data/weights/", "data/constants/")) else None

    return rewritten(path, change)


def test_bad_input_mutated_files(plain):
    """Flipped bytes, cut ends and changed numbers of the graph: a network, or an error of ours that names the file."""
    from creases.readers.torch.archive import read_torch_archive

    data, rng = settled(plain).read_bytes(), np.random.default_rng(3)
    begin, end = data.index(b'{"graph_module"'), data.index(b'"module_call_graph"')
    digits = [place for place in range(begin, end) if chr(data[place]).isdigit()]
    made = 0
    for i in range(300):
        mutated = bytearray(data)
        if i % 3 == 0:
            del mutated[rng.integers(len(data)) :]
        elif i % 3 == 1:
            mutated[rng.choice(digits)] = rng.choice(list(b"0123456789"))
        else:
            mutated[rng.integers(len(data))] = rng.integers(256)
        mutated = repaired(bytes(mutated))
        try:
            made += isinstance(read_torch_archive(mutated, "net.pt2"), Network)
        except CreasesError as error:
            assert str(error).startswith("net.pt2"), str(error)  # noqa: PT017
    assert 30 < made < 290


def repaired(data):
    """The archive with the checksums that its changed members have, where it is still one."""
    result = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
            for member in source.infolist():
                with source.open(member) as stream:
                    stream._expected_crc = None
                    target.writestr(zipfile.ZipInfo(member.filename), stream.read())
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError, RuntimeError, OverflowError):
        return data
    return result.getvalue()
