"""Torch modules in memory, and state dicts in .pt, .pth and .safetensors files."""

import io
import itertools
import json
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import creases
from creases.errors import (
    CreasesError,
    MissingExtraError,
    ModelFileError,
    NetworkError,
    NotEnoughMemoryError,
    UnsupportedModelError,
)
from creases.readers.weights.layer_order import natural_order
from kink_points import with_kinks

torch = pytest.importorskip("torch", reason="torch is not installed")
nn = torch.nn

SHARED = Path(__file__).parents[2] / "shared" / "networks"


def trained(module, seed=0):
    """The module with all numbers random, the statistics of BatchNorms too."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            values = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(values.abs() + 0.1 if name.endswith("running_var") else values)
    return module


def agree(network, module, seed=0):
    """Forwards agree to 1e-12 of the largest output, in float64; the eps of a norm stays what it is in float32."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d) and part.running_var.dtype == torch.float32:
            part.eps = float(np.float32(part.eps))
    points = torch.randn(50, network.n_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    points = with_kinks(network, points.numpy())
    with torch.no_grad():
        wanted = module.double().eval()(torch.from_numpy(points)).numpy()
    found = network.forward(points)
    assert np.abs(found - wanted).max() <= 1e-12 * max(np.abs(wanted).max(), 1.0)


def mlp(*widths):
    layers = [layer for m, n in itertools.pairwise(widths) for layer in (nn.Linear(m, n), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def random_chain(rng):
    """Any order of the supported layers that torch accepts."""
    width, modules = int(rng.integers(1, 5)), []
    for _ in range(int(rng.integers(3, 9))):
        kind = rng.choice(["linear", "linear", "relu", "relu", "norm", "flatten", "dropout", "identity", "nested"])
        if kind == "linear":
            above = int(rng.integers(1, 6))
            modules.append(nn.Linear(width, above, bias=bool(rng.integers(2))))
            width = above
        elif kind == "norm":
            modules.append(nn.BatchNorm1d(width, affine=bool(rng.integers(2))))
        elif kind == "nested":
            modules.append(nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(width, width))))
        else:
            modules.append(
                {"relu": nn.ReLU(), "flatten": nn.Flatten(), "dropout": nn.Dropout(0.3)}.get(kind, nn.Identity())
            )
    return nn.Sequential(*modules, nn.Linear(width, 3), nn.ReLU(), nn.Linear(3, 2))


def test_known_module_is_read_without_loss():
    module = mlp(2, 8, 5, 3)
    network = creases.load(module)
    assert network.widths == (8, 5)
    assert network.n_out == 3
    assert network.notes == ()
    assert (network.hidden[0].weight == module[0].weight.detach().double().numpy()).all()
    agree(network, module)


def test_laws_any_chain_computes_what_torch_computes():
    rng = np.random.default_rng(1)
    for seed in range(40):
        module = trained(random_chain(rng), seed)
        agree(creases.load(module.eval()), module, seed)


def test_laws_reading_changes_nothing_in_the_module():
    module = trained(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(), nn.Linear(3, 1)))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network = creases.load(module)
    assert module.training
    assert all((before[name] == tensor).all() for name, tensor in module.state_dict().items())
    with torch.no_grad():
        module[0].weight.zero_()
    assert network.levels[0].sources[0].weight.any()


def test_known_training_mode_is_read_as_evaluation_and_said():
    module = trained(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(), nn.Linear(3, 1)))
    network = creases.load(module.train())
    assert any("BatchNorm1d '1' was in training mode; its running statistics" in note for note in network.notes)
    assert any("Dropout '3' was in training mode; it is left out" in note for note in network.notes)
    assert any("BatchNorm1d '1': its scale, weight / sqrt(variance + eps), is no f" in note for note in network.notes)
    agree(network, module)


def test_known_a_module_without_a_kink_is_one_region():
    network = creases.load(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)))
    assert creases.count(network, creases.domain.Space(2), progress=False, threads=1).regions == 1


def test_known_one_relu_used_twice_counts_twice():
    relu = nn.ReLU()
    assert creases.load(nn.Sequential(nn.Linear(2, 3), relu, nn.Linear(3, 4), relu, nn.Linear(4, 1))).widths == (3, 4)


def test_known_trailing_relu_has_no_output_layer():
    network = creases.load(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    assert network.output is None
    assert network.widths == (3,)


def test_known_input_shape_can_be_told():
    network = creases.load(nn.Sequential(nn.Flatten(), *mlp(6, 4, 1)), input_shape=(2, 3))
    assert network.forward(np.zeros((5, 2, 3))).shape == (5, 1)
    with pytest.raises(NetworkError, match=r"input_shape \(7,\) does not hold the 6 inputs"):
        creases.load(mlp(6, 4, 1), input_shape=(7,))
    for wrong in ((-2, -3), (), (2.0, 3.0), "6", 6):
        with pytest.raises(NetworkError, match=r"input_shape must be integers of at least 1"):
            creases.load(mlp(6, 4, 1), input_shape=wrong)


def test_known_half_precision_widens():
    module = mlp(2, 3, 1).to(torch.bfloat16)
    assert (creases.load(module).hidden[0].weight == module[0].weight.detach().double().numpy()).all()


def spoiled(value):
    module = mlp(2, 3, 1)
    with torch.no_grad():
        module[2].weight[0, 1] = value
    return module


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: spoiled(float("nan")), r"Linear '2': weight\[0, 1\] is nan; every number must be finite"),
        (lambda: spoiled(float("inf")), r"Linear '2': weight\[0, 1\] is inf"),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1)),
            "Linear '2' takes 4 numbers but what stands before it gives 3",
        ),
        (lambda: nn.Sequential(), "Sequential is a module without numbers: it does not say the shape of its inputs"),
        (
            lambda: nn.Sequential(nn.LazyLinear(3), nn.ReLU()),
            "LazyLinear '0' holds no numbers yet. Run the model once on an input",
        ),
        (lambda: nn.Sequential(nn.Linear(2, 3, device="meta"), nn.ReLU()), "weight holds no numbers yet"),
        (lambda: mlp(2, 3, 1).to(torch.complex64), "torch.complex64.*must be dense floating point numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:Complex modules")
def test_bad_input_modules_with_bad_numbers(make, text):
    with pytest.raises(CreasesError, match=text):
        creases.load(make())


# State dicts


def load_chain(path, **options):
    """A weight file, said to be a chain with ReLU between its layers."""
    return creases.load(path, activation="relu", **options)


@pytest.fixture
def saved(tmp_path):
    def save(content, name="net.pt", **options):
        torch.save(content, tmp_path / name, **options)
        return tmp_path / name

    return save


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrap", [None, "state_dict", "model", "model_state_dict", "list"])
def test_known_state_dicts_are_the_module(saved, zipped, wrap):
    module = mlp(2, 8, 5, 3)
    content = {"state_dict": [module.state_dict()], "epoch": 3} if wrap == "list" else module.state_dict()
    content = {wrap: content, "epoch": 3} if wrap not in (None, "list") else content
    network = load_chain(saved(content, "net.pth", _use_new_zipfile_serialization=zipped))
    assert network.sha256 == creases.load(module).sha256
    assert network.notes == (
        "net.pth holds weights and no graph: it is read as the layers '0', '2', '4', by the numbers in their names, "
        'ReLU between them, none after the last, and nothing else, as activation="relu" says.',
    )


def test_known_archives_without_checksums(saved):
    """torch can be told to leave them out."""
    config = pytest.importorskip("torch.utils.serialization.config")
    module = mlp(2, 3, 1)
    with config.patch("save.compute_crc32", False):
        path = saved(module.state_dict())
    assert load_chain(path).sha256 == creases.load(module).sha256


@pytest.mark.parametrize("place", [1, 2])
def test_known_batch_norm_stands_where_its_number_says(saved, place):
    """Linear 0, BatchNorm 1, ReLU 2; or Linear 0, ReLU 1, BatchNorm 2."""
    between = [nn.ReLU()]
    between.insert(place - 1, nn.BatchNorm1d(4))
    module = trained(nn.Sequential(nn.Linear(2, 4), *between, nn.Linear(4, 1)))
    network = load_chain(saved(module.state_dict()))
    assert any("eps=1e-05 assumed" in note for note in network.notes)
    said = "assumed to follow BatchNorm '1'" if place == 1 else "before BatchNorm '2', by their numbers"
    assert any(said in note for note in network.notes)
    agree(network, module)


def test_known_names_without_numbers_mean_linear_norm_relu(saved):
    linear, norm, output = nn.Linear(2, 4), trained(nn.BatchNorm1d(4)), nn.Linear(4, 1)
    named = {"fc1": linear, "bn1": norm, "out": output}
    content = {f"{name}.{key}": tensor for name, layer in named.items() for key, tensor in layer.state_dict().items()}
    network = load_chain(saved(content))
    assert any("The ReLU is assumed to follow BatchNorm 'bn1'." in note for note in network.notes)
    agree(network, nn.Sequential(linear, norm, nn.ReLU(), output))


def test_known_linear_without_bias_gets_zeros(saved):
    module = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1))
    network = load_chain(saved(module.state_dict()))
    assert not network.hidden[0].bias.any()
    assert network.levels[0].sources[0].weight.any()


def test_known_natural_order():
    assert sorted(["10.w", "9.w", "a.2", "a.10", "09.w", "a"], key=natural_order)[-3:] == ["a", "a.2", "a.10"]
    assert natural_order("9" * 5000) > natural_order("8" * 5000)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wong_mnist.pth", r"tensor '0\.weight' has shape \(16, 1, 4, 4\), so it is of a convolution"),
        (
            "abcrown_mnist_conv_small_nat.pth",
            r"tensor '0\.weight' has shape \(16, 1, 4, 4\), so it is of a convolution",
        ),
    ],
)
def test_bad_input_convolutions_by_the_name_of_the_tensor(name, text):
    if not (SHARED / name).exists():
        pytest.skip("the shared networks are not here")
    with pytest.raises(UnsupportedModelError, match=text):
        creases.load(SHARED / name)


def test_bad_input_convolutions_have_a_remedy(saved):
    with pytest.raises(
        UnsupportedModelError, match=r"load the torch module itself, creases\.load\(module, input_shape"
    ):
        creases.load(saved(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).state_dict()), activation="relu")


W, B = torch.ones(3, 2), torch.ones(3)
OUT = {"out.weight": torch.ones(1, 3), "out.bias": torch.ones(1)}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"a.weight": W, "a.in_proj_weight": W}, r"tensor 'a\.in_proj_weight' \(3, 2\) is not supported"),
        ({"a.weight": B, "a.bias": B, **OUT}, r"tensor 'a\.weight' has shape \(3,\) and no running_mean beside it"),
        ({"a.bias": B, **OUT}, r"tensor 'a\.bias' stands without its weight"),
        ({"a.weight": W, "n.running_mean": B, **OUT}, r"tensor 'n\.running_mean' stands without its running_var"),
        ({"a.weight": W, "lr": 0.1}, "entry 'lr' is a float, not a tensor"),
        ({"a.weight": W, 3: W}, "entry 3 is a Tensor, not a tensor|entry 3"),
        (
            {"model": {"a.weight": W}, "state_dict": {"a.weight": W}},
            r"'model\.' and 'state_dict\.' stand side by side.*prefix=\"model\.\"",
        ),
        ({}, "has no Linear layer"),
        ([W, B], "holds a list, not a state dict"),
        (W, "holds a Tensor, not a state dict"),
        ({"a.weight": W.long(), **OUT}, "int64.*must be dense floating point"),
        ({"a.weight": W.to_sparse(), **OUT}, "sparse"),
        ({"a.weight": torch.full((3, 2), torch.nan), **OUT}, r"Linear 'a': weight\[0, 0\] is nan"),
        ({"a.weight": W, "b.weight": W}, "Linear 'b' takes 2 numbers but what stands before it gives 3"),
        ({"a.weight": torch.ones(1).expand(2**16, 2**16)}, "more numbers than the file's"),
    ],
)
def test_bad_input_state_dicts(saved, content, text):
    with pytest.raises(CreasesError, match=text):
        load_chain(saved(content))


def test_bad_input_batch_norm_between_two_gaps(saved):
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    with pytest.raises(
        UnsupportedModelError, match=r"between '0' and '4', so the place of the ReLU is not known.*creases.load"
    ):
        load_chain(saved(module.state_dict()))


def test_bad_input_torch_too_old(saved, monkeypatch):
    path = saved(mlp(2, 3, 1).state_dict())
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    with pytest.raises(ModelFileError, match=r"torch 2\.9\.1\+cpu does not open .pt files safely.*'torch>=2\.10'"):
        load_chain(path)


def test_bad_input_torch_missing(saved, monkeypatch):
    path = saved(mlp(2, 3, 1).state_dict())
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'torch'.*creases\[torch\]"):
        load_chain(path)


class Trap:
    """A pickle that makes a folder when it is run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["zip", "legacy", "bare", "bare protocol 4", "hidden in tensors"])
def test_bad_input_code_is_refused_and_not_run(tmp_path, form):
    trap, path = tmp_path / "sprung", tmp_path / "net.pt"
    if form.startswith("bare"):
        path.write_bytes(pickle.dumps(Trap(trap), protocol=4 if form.endswith("4") else 2))
    else:
        content = {**mlp(2, 3, 1).state_dict(), "x": Trap(trap)} if "hidden" in form else Trap(trap)
        torch.save(content, path, _use_new_zipfile_serialization=form != "legacy")
    with pytest.raises(
        ModelFileError,
        match=r"is a pickle that calls (posix|nt)\.mkdir, which is code.*it was not run\. Save tensors only",
    ):
        load_chain(path)
    assert not trap.exists()
    pickle.loads(pickle.dumps(Trap(trap)))
    assert trap.exists(), "the trap must be one that springs"


def test_bad_input_a_whole_module_is_code_too(saved):
    text = r"calls torch\.nn\.modules\.container\.Sequential.*torch\.save\(model\.state_dict.*creases\.load\(model\)"
    with pytest.raises(ModelFileError, match=text):
        load_chain(saved(mlp(2, 3, 1)))


def rewritten(path, change, **options):
    """The zip archive with each member's bytes passed through `change(name, data)`."""
    result = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w", **options) as target:
        for member in source.infolist():
            target.writestr(member.filename, change(member.filename, source.read(member)))
    path.write_bytes(result.getvalue())
    return path


def test_bad_input_torch_archives(saved):
    content = mlp(2, 3, 1).state_dict()
    with pytest.raises(ModelFileError, match=r"compressed members, which torch.save never writes"):
        load_chain(rewritten(saved(content), lambda _name, data: data, compression=zipfile.ZIP_DEFLATED))
    bigger = lambda name, data: data.replace(b"K\x06t", b"J\x00\x00\x00\x7ft") if name.endswith(".pkl") else data  # noqa: E731
    with pytest.raises(ModelFileError, match=r"torch says: record size"):
        load_chain(rewritten(saved(content), bigger))
    path = saved(content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("net/constants.pkl", b"")
    with pytest.raises(UnsupportedModelError, match=r"is a TorchScript program"):
        load_chain(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", b"hello")
    with pytest.raises(ModelFileError, match=r"zip archive without data.pkl"):
        load_chain(path)


def test_bad_input_legacy_storage_larger_than_the_file(saved):
    path = saved(mlp(2, 3, 1).state_dict(), _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    for count in (2**30, -1):
        path.write_bytes(data.replace(b"K\x06N", b"J" + struct.pack("<i", count) + b"N"))
        with pytest.raises(ModelFileError, match=rf"storage of {count} numbers in a file of"):
            load_chain(path)
    path.write_bytes(data.replace(b"K\x06N", b"K\x06K\x06"))
    with pytest.raises(ModelFileError, match=r"storage of None numbers"):
        load_chain(path)


# .safetensors


def safetensors_bytes(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_known_safetensors_are_the_module(tmp_path, dtype):
    save_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").save_file
    module = mlp(3, *[2] * 11, 1).to(dtype)  # 12 Linears: '10' must not come before '2'
    save_file(module.state_dict(), tmp_path / "net.safetensors", metadata={"format": "pt"})
    assert load_chain(tmp_path / "net.safetensors").sha256 == creases.load(module).sha256


def test_known_safetensors_with_batch_norm(tmp_path):
    save_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").save_file
    module = trained(nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)))
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    agree(load_chain(tmp_path / "net.safetensors"), module)


def entry(shape, begin, end, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"abc", r"\(3 bytes\) is damaged, truncated or no .safetensors file: header too small"),
        (struct.pack("<Q", 2**60) + b"{}", r"damaged, truncated or no .safetensors file: header too large"),
        (safetensors_bytes({"a.weight": entry([2**62] * 20_000, 0, 8)}, bytes(8)), "overflow computing buffer size"),
        (safetensors_bytes({"a.weight": entry([1] * 65, 0, 4)}, bytes(4)), r"'a\.weight' has 65 axes; an array has 64"),
        (safetensors_bytes(b"{nonsense"), "invalid JSON in header"),
        (safetensors_bytes(b"[" * 100000), "invalid JSON in header"),
        (safetensors_bytes(b"\xff\xfe"), "invalid UTF-8 in header"),
        (safetensors_bytes([1, 2]), "invalid JSON in header"),
        (safetensors_bytes({}), "has no Linear layer"),
        (safetensors_bytes({"a.weight": 3}), "invalid type: integer `3`"),
        (safetensors_bytes({"a.weight": entry([2, True], 0, 8)}, bytes(8)), "invalid type: boolean `true`"),
        (safetensors_bytes({"a.weight": entry([1, 2], -8, 0)}, bytes(8)), "invalid value: integer `-8`"),
        (safetensors_bytes({"a.weight": entry([2**40, 2], 0, 8)}, bytes(8)), "invalid shape, data type, or offset"),
        (safetensors_bytes({"a.weight": entry([1, 2], 0, 8)}, bytes(7)), "incomplete metadata, file not fully covered"),
        (safetensors_bytes({"a.weight": entry([1, 2], 8, 0)}, bytes(8)), "invalid offset for tensor `a.weight`"),
        (
            safetensors_bytes({"a.weight": entry([1, 8], 0, 8, "F8_E4M3")}, bytes(8)),
            "has type F8_E4M3; weights must be F64",
        ),
        (safetensors_bytes({"a.weight": entry([1, 1], 0, 8, "I64")}, bytes(8)), "has type I64"),
        (safetensors_bytes({"a.weight": entry([1, 1], 0, 4, ["F32"])}, bytes(4)), "invalid type: sequence"),
        (safetensors_bytes({"c.weight": entry([1, 1, 1, 1], 0, 4)}, bytes(4)), r"'c\.weight' has shape \(1, 1, 1, 1\)"),
    ],
)
def test_bad_input_safetensors(tmp_path, data, text):
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=text):
        load_chain(path)


def test_bad_input_safetensors_larger_than_what_is_free(tmp_path, monkeypatch):
    module = mlp(3, 2, 1)
    pytest.importorskip("safetensors.torch").save_file(module.state_dict(), tmp_path / "net.safetensors")
    monkeypatch.setattr("creases.readers.weights.safetensors.free_memory", lambda: 100)
    with pytest.raises(NotEnoughMemoryError, match=r"takes more memory than is free"):
        load_chain(tmp_path / "net.safetensors")


# Tensors where arrays are expected.


def test_known_tensors_that_require_gradients_are_arrays_too():
    module = mlp(2, 4, 1)
    weights, biases = [module[0].weight, module[2].weight], [module[0].bias, module[2].bias]
    assert weights[0].requires_grad
    network = creases.Network.from_arrays(weights, biases)
    assert network.sha256 == creases.load(module).sha256
    halves = [tensor.to(torch.bfloat16) for tensor in weights]
    wanted = [tensor.double().detach().numpy() for tensor in halves]
    zeros = [np.zeros(4), np.zeros(1)]
    assert creases.Network.from_arrays(halves, zeros).sha256 == creases.Network.from_arrays(wanted, zeros).sha256
    corner = torch.ones(2, requires_grad=True)
    assert creases.Segment(corner * 0, corner).end.tolist() == [1.0, 1.0]
    assert network.forward(corner).shape == (1,)


def test_bad_input_lists_of_tensors_that_require_gradients():
    rows = [torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)]
    with pytest.raises(NetworkError, match=r"weight is no array \(.*Give one tensor, or arrays: tensor\.detach\(\)"):
        creases.Network.from_arrays([rows, [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    with pytest.raises(NetworkError, match=r"must hold real numbers, got dtype complex64"):
        creases.Network.from_arrays([torch.ones(2, 2, dtype=torch.complex64)], [[0.0, 0.0]], output_layer=False)
