"""Torch modules with a forward of their own, beside torch: each operator, whole networks, what is said and refused."""

from collections import Counter

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, ModelFileError, NetworkError, UnsupportedModelError
from engine_twins import LONG

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import torchvision_models  # noqa: E402
from torch_models import VGG, AlexNet, DenseNet, MobileNetV2, Of, ResNet, randomised  # noqa: E402


def points_for(network, seed=0, count=6):
    """Points at random, the origin, a point of whole numbers, and points on kinks of the first layer."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, network.n_in)) * 2
    kinks = []
    if network.depth:
        for unit in rng.integers(0, network.pre_activations(points[:1])[0].size, 5):
            first, second = (z[unit] for z in network.pre_activations(points[:2])[0])
            if first != second:
                kinks.append(points[0] + first / (first - second) * (points[1] - points[0]))
    whole = rng.integers(-2, 3, network.n_in)
    return np.vstack([points, np.zeros(network.n_in), whole, *kinks])


def check(module, *shape, outputs=None, **options):
    """Load a module and compare with its own forward in float64; the network."""
    network = creases.load(module, input_shape=shape, **options)
    points = points_for(network)
    with torch.no_grad():
        wanted = (outputs or module)(torch.from_numpy(points.reshape(-1, *shape))).reshape(len(points), -1).numpy()
    found = network.forward(points)
    assert np.abs(found - wanted).max() <= 1e-12 * max(np.abs(wanted).max(), 1.0)
    assert network.input_shape == shape
    return network


# Each operator.

CONSTANT = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
MATRIX = CONSTANT.reshape(12, 4)
IMAGE, VECTOR, SEQUENCE = (3, 4, 4), (5,), (2, 7)


def functions(name):
    """Functions of an input of shape (batch, 3, 4, 4)."""
    f = functional
    return {
        "relu": torch.relu,
        "method relu": lambda x: x.relu(),
        "clamp": lambda x: x.clamp(-0.5, 0.75),
        "clamp min": lambda x: x.clamp(min=0.5),
        "clamp max": lambda x: x.clamp(max=0.5),
        "clamp min of zero": lambda x: torch.clamp_min(x, 0),
        "clamp by tensors": lambda x: torch.clamp(x, CONSTANT - 1, CONSTANT + 1),
        "clamp by an infinity": lambda x: torch.clamp(x, -float("inf"), 1.0),
        "clip": lambda x: torch.clip(x, -1, 1),
        "leaky": lambda x: f.leaky_relu(x, 0.2),
        "abs": lambda x: x.abs() - 1,
        "hardtanh": f.hardtanh,
        "relu6": lambda x: f.relu6(x * 5),
        "hardsigmoid": f.hardsigmoid,
        "threshold": lambda x: f.threshold(x, 0, 0),
        "threshold beside zero": lambda x: f.threshold(x, 0.25, 0.25),
        "rrelu": f.rrelu,
        "add": lambda x: x + x.relu(),
        "add itself": lambda x: (x + x).relu(),
        "add a constant": lambda x: x + CONSTANT,
        "add alpha": lambda x: torch.add(x, x.relu(), alpha=3),
        "add by broadcasting": lambda x: x + x.mean((2, 3), keepdim=True),
        "add a row": lambda x: x + x[:, :, 0:1, :],
        "subtract": lambda x: x - 2 * x.relu(),
        "subtract from": lambda x: 1 - x.relu(),
        "subtract from a constant": lambda x: CONSTANT - x,
        "rsub": lambda x: torch.rsub(x, 2.0),
        "in place": lambda x: x.clone().relu_().add_(1).mul_(2),
        "write into a part": lambda x: write(x),
        "neg": lambda x: -x.relu(),
        "mul": lambda x: 0.1 * x.relu(),
        "mul a constant": lambda x: x.relu() * CONSTANT,
        "div": lambda x: x.relu() / 3,
        "div by a power of two": lambda x: x.relu() / 8,
        "div by a constant": lambda x: x.relu() / (CONSTANT + 10),
        "normalise": lambda x: ((x - CONSTANT[:, :1, :1]) / torch.tensor([0.2, 0.3, 0.7]).view(3, 1, 1)).relu(),
        "maximum": lambda x: torch.maximum(x, 1 - x),
        "maximum with a constant": lambda x: torch.maximum(x, CONSTANT),
        "minimum": lambda x: torch.minimum(x, x.flip(1)),
        "minimum with a constant": lambda x: torch.minimum(CONSTANT, x),
        "max over an axis": lambda x: x.max(dim=1)[0],
        "max over an axis kept": lambda x: x.max(dim=-1, keepdim=True).values,
        "min over an axis": lambda x: x.min(dim=2).values,
        "amax": lambda x: x.amax((2, 3)),
        "amin": lambda x: torch.amin(x, 1, keepdim=True),
        "mean": lambda x: x.relu().mean((2, 3)),
        "mean of an inner axis": lambda x: x.relu().mean(1),
        "mean kept": lambda x: x.relu().mean([1, 3], keepdim=True),
        "sum": lambda x: x.relu().sum(dim=(1, 2)),
        "sum of all": lambda x: x.relu().flatten(1).sum(1, keepdim=True),
        "cat": lambda x: torch.cat([x, x.relu(), -x], dim=1),
        "cat with a constant": lambda x: torch.cat([x.relu(), CONSTANT[None, :1].expand(x.shape[0], 1, 4, 4)], 1),
        "stack": lambda x: torch.stack([x, x.relu()], 2),
        "chunk": lambda x: torch.relu(x.chunk(2, dim=2)[1]),
        "split": lambda x: sum(part.relu() for part in x.split(2, 3)),
        "split with sizes": lambda x: torch.split(x, [1, 2], 1)[1].relu(),
        "unbind": lambda x: x.unbind(1)[2] + x.unbind(1)[0],
        "slice": lambda x: x[:, 1:, ::2].relu(),
        "ellipsis": lambda x: x[..., 1:3],
        "select": lambda x: x[:, 2].relu(),
        "narrow": lambda x: x.narrow(2, 1, 2),
        "index select": lambda x: x.index_select(3, torch.tensor([3, 0, 0])),
        "index": lambda x: x[:, [2, 0]].relu(),
        "gather": lambda x: x.gather(1, (CONSTANT > 0).long()[None].expand(x.shape[0], -1, -1, -1)),
        "unfold": lambda x: x.unfold(2, 3, 1).relu(),
        "unfolded windows": lambda x: f.unfold(x, 2),
        "hstack": lambda x: torch.hstack([x, -x]),
        "movedim": lambda x: x.movedim(1, 3),
        "index two axes": lambda x: x[:, :, [0, 1, 2], [3, 1, 0]],
        "transpose": lambda x: x.transpose(1, 3).relu(),
        "permute": lambda x: x.permute(0, 3, 1, 2),
        "batch moved and back": lambda x: x.permute(1, 0, 2, 3).relu().transpose(0, 1),
        "view": lambda x: x.view(-1, 48).relu(),
        "view by size": lambda x: x.view(x.size(0), 12, 4),
        "reshape": lambda x: x.transpose(1, 2).reshape(x.shape[0], -1),
        "flatten and unflatten": lambda x: x.flatten(2).unflatten(2, (2, 8)),
        "squeeze": lambda x: x[:, :1].squeeze(1),
        "unsqueeze": lambda x: x.unsqueeze(1).squeeze(1).unsqueeze(-1),
        "expand": lambda x: x[:, :1].expand(-1, 3, -1, -1),
        "repeat": lambda x: x.repeat(1, 2, 1, 1),
        "flip": lambda x: x.flip(2, 3),
        "roll": lambda x: x.roll(1, 2),
        "pad": lambda x: f.pad(x, (1, 2, 0, 1), value=0.5),
        "pad by cutting": lambda x: f.pad(x, (-1, 1)),
        "reflecting pad": lambda x: f.pad(x, (1, 1, 2, 0), mode="reflect"),
        "replicating pad": lambda x: f.pad(x, (1, 1, 2, 0), mode="replicate"),
        "circular pad": lambda x: f.pad(x, (1, 1, 2, 0), mode="circular"),
        "upsample": lambda x: f.interpolate(x, scale_factor=2),
        "upsample to a size": lambda x: f.interpolate(x, size=(7, 5)),
        "pixel unshuffle": lambda x: f.pixel_unshuffle(x, 2),
        "pixel shuffle": lambda x: f.pixel_shuffle(x.reshape(-1, 12, 2, 2), 2),
        "masked": lambda x: x.masked_fill(CONSTANT > 0, 2.0),
        "where": lambda x: torch.where(CONSTANT > 0, x, x.relu()),
        "tril": lambda x: torch.tril(x),
        "to": lambda x: x.to(torch.float64).relu().double().contiguous(),
        "detached": lambda x: x.detach().relu(),
        "no grad": lambda x: without_gradients(x),
        "matmul": lambda x: x @ CONSTANT[0],
        "matmul on the left": lambda x: CONSTANT[0] @ x,
        "matmul by a stack": lambda x: x @ CONSTANT,
        "matmul of a stack": lambda x: CONSTANT @ x,
        "matmul by a vector": lambda x: x @ CONSTANT[0, 0],
        "mm": lambda x: torch.mm(x.flatten(1), MATRIX.repeat(4, 1)),
        "add a multiple of a constant": lambda x: torch.add(x, CONSTANT, alpha=0.3).relu(),
        "addmm with factors": lambda x: torch.addmm(
            CONSTANT[0, 0], x.flatten(1), MATRIX.repeat(4, 1), beta=0.3, alpha=-2
        ),
        "addmm to a value": lambda x: torch.addmm(x[:, 0, 0], x.flatten(1), MATRIX.repeat(4, 1), beta=0.3),
        "addmm": lambda x: torch.addmm(CONSTANT[0, 0], x.flatten(1), MATRIX.repeat(4, 1)),
        "einsum": lambda x: torch.einsum("bchw,wk->bckh", x, CONSTANT[1]),
        "tensordot": lambda x: torch.tensordot(x, CONSTANT, dims=([1], [0])),
        "linear of an image": lambda x: f.linear(x, CONSTANT[0], CONSTANT[1, 0]).relu(),
        "avg pool": lambda x: f.avg_pool2d(x.relu(), 3, 2, 1),
        "avg pool without padding": lambda x: f.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        "adaptive avg pool": lambda x: f.adaptive_avg_pool2d(x.relu(), 2),
        "uneven adaptive avg pool": lambda x: f.adaptive_avg_pool2d(x.relu(), (3, 1)),
        "adaptive max pool": lambda x: f.adaptive_max_pool2d(x, (3, 2)),
        "max pool": lambda x: f.max_pool2d(x, 3, stride=1, padding=1),
        "max pool with indices": lambda x: f.max_pool2d(x, 2, return_indices=True)[0],
        "dropout": lambda x: f.dropout(x, training=False),
        "nothing": lambda x: x,
    }[name]


FUNCTIONS = [
    "relu",
    "method relu",
    "clamp",
    "clamp min",
    "clamp max",
    "clamp min of zero",
    "clamp by tensors",
    "clamp by an infinity",
    "clip",
    "leaky",
    "abs",
    "hardtanh",
    "relu6",
    "hardsigmoid",
    "threshold",
    "threshold beside zero",
    "rrelu",
    "add",
    "add itself",
    "add a constant",
    "add alpha",
    "add by broadcasting",
    "add a row",
    "subtract",
    "subtract from",
    "subtract from a constant",
    "rsub",
    "in place",
    "write into a part",
    "neg",
    "mul",
    "mul a constant",
    "div",
    "div by a power of two",
    "div by a constant",
    "normalise",
    "maximum",
    "maximum with a constant",
    "minimum",
    "minimum with a constant",
    "max over an axis",
    "max over an axis kept",
    "min over an axis",
    "amax",
    "amin",
    "mean",
    "mean of an inner axis",
    "mean kept",
    "sum",
    "sum of all",
    "cat",
    "cat with a constant",
    "stack",
    "chunk",
    "split",
    "split with sizes",
    "unbind",
    "slice",
    "ellipsis",
    "select",
    "narrow",
    "index select",
    "index",
    "gather",
    "unfold",
    "unfolded windows",
    "hstack",
    "movedim",
    "index two axes",
    "transpose",
    "permute",
    "batch moved and back",
    "view",
    "view by size",
    "reshape",
    "flatten and unflatten",
    "squeeze",
    "unsqueeze",
    "expand",
    "repeat",
    "flip",
    "roll",
    "pad",
    "pad by cutting",
    "reflecting pad",
    "replicating pad",
    "circular pad",
    "upsample",
    "upsample to a size",
    "pixel unshuffle",
    "pixel shuffle",
    "masked",
    "where",
    "tril",
    "to",
    "detached",
    "no grad",
    "matmul",
    "matmul on the left",
    "matmul by a stack",
    "matmul of a stack",
    "matmul by a vector",
    "mm",
    "add a multiple of a constant",
    "addmm with factors",
    "addmm to a value",
    "addmm",
    "einsum",
    "tensordot",
    "linear of an image",
    "avg pool",
    "avg pool without padding",
    "adaptive avg pool",
    "uneven adaptive avg pool",
    "adaptive max pool",
    "max pool",
    "max pool with indices",
    "dropout",
    "nothing",
]


def write(x):
    y = x.clone()
    y[:, 1] = 0.5
    y[:, :, 0] += 2.0
    return y.relu()


def without_gradients(x):
    with torch.no_grad():
        y = x.relu()
    with torch.enable_grad():
        return y + 1


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if place % 2 else ()) for place, name in enumerate(FUNCTIONS)]
)
def test_against_torch_one_function(name):
    check(Of(functions(name)), *IMAGE)


def random_function(seed):
    """Six functions one after the other, of shapes as they come, and sums with what was before."""
    rng = np.random.default_rng(seed)
    pieces = []
    x = torch.zeros(1, *IMAGE, dtype=torch.float64)
    while len(pieces) < 6:
        function = functions(FUNCTIONS[rng.integers(len(FUNCTIONS))])
        with_skip = bool(rng.integers(2))
        try:
            made = function(x)
            made = made + x if with_skip and made.shape == x.shape else made
        except (RuntimeError, ValueError, IndexError, NotImplementedError):
            continue  # it does not fit this shape
        if made.numel() <= 200 and made.ndim > 1 and not made.isnan().any():
            pieces.append((function, with_skip))
            x = made

    def composed(x):
        for function, with_skip in pieces:
            made = function(x)
            x = made + x if with_skip and made.shape == x.shape else made
        return x

    return composed


def test_laws_any_program_computes_what_torch_computes():
    """One input at a time: a program that mixes a batch may be refused, which it seldom is; guessing is not allowed."""
    read, seeds = 0, range(60 if LONG else 12)
    for seed in seeds:
        module = Of(random_function(seed))
        try:
            check(module, *IMAGE, outputs=lambda x, module=module: torch.cat([module(row[None])[None] for row in x]))
        except UnsupportedModelError as error:
            assert any(word in str(error) for word in ("batch", "inputs")), str(error)  # noqa: PT017
        else:
            read += 1
    assert read > 0.6 * len(seeds)


def layers(name):
    """Layers, and the shape of their inputs."""
    return {
        "conv1d": (nn.Conv1d(2, 3, 3, padding=1), SEQUENCE),
        "conv2d": (nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), IMAGE),
        "conv3d": (nn.Conv3d(2, 2, 2, groups=2, bias=False), (2, 3, 2, 3)),
        "same": (nn.Conv2d(3, 2, (4, 3), padding="same", dilation=(1, 2)), IMAGE),
        "valid": (nn.Conv1d(2, 2, 2, padding="valid"), SEQUENCE),
        "reflecting": (nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), IMAGE),
        "transposed 1d": (nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), SEQUENCE),
        "transposed 2d": (nn.ConvTranspose2d(3, 6, 2, stride=2, groups=3), IMAGE),
        "transposed 3d": (nn.ConvTranspose3d(2, 1, 2, dilation=2), (2, 2, 2, 2)),
        "norm 1d": (nn.BatchNorm1d(5, eps=1e-3), VECTOR),
        "norm of a sequence": (nn.BatchNorm1d(2), SEQUENCE),
        "norm 2d": (nn.BatchNorm2d(3), IMAGE),
        "plain norm": (nn.BatchNorm2d(3, affine=False), IMAGE),
        "linear of a sequence": (nn.Linear(7, 3), SEQUENCE),
        "prelu": (nn.PReLU(3), IMAGE),
        "one prelu": (nn.PReLU(), VECTOR),
        "max pool 1d": (nn.MaxPool1d(3, 2, ceil_mode=True), SEQUENCE),
        "max pool 3d": (nn.MaxPool3d(2, dilation=2), (2, 3, 3, 4)),
        "avg pool 1d": (nn.AvgPool1d(3, 2, 1), SEQUENCE),
        "avg pool 3d": (nn.AvgPool3d(2), (2, 2, 2, 4)),
        "adaptive 1d": (nn.AdaptiveAvgPool1d(3), SEQUENCE),
        "adaptive 3d": (nn.AdaptiveAvgPool3d((1, 2, None)), (2, 2, 4, 3)),
        "adaptive max 1d": (nn.AdaptiveMaxPool1d(3), SEQUENCE),
        "zero pad": (nn.ZeroPad2d((1, 0, 2, 1)), IMAGE),
        "channel shuffle": (nn.ChannelShuffle(3), (6, 2, 2)),
        "unflatten": (nn.Sequential(nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 2, 2)), VECTOR),
    }[name]


LAYERS = [
    "conv1d",
    "conv2d",
    "conv3d",
    "same",
    "valid",
    "reflecting",
    "transposed 1d",
    "transposed 2d",
    "transposed 3d",
    "norm 1d",
    "norm of a sequence",
    "norm 2d",
    "plain norm",
    "linear of a sequence",
    "prelu",
    "one prelu",
    "max pool 1d",
    "max pool 3d",
    "avg pool 1d",
    "avg pool 3d",
    "adaptive 1d",
    "adaptive 3d",
    "adaptive max 1d",
    "zero pad",
    "channel shuffle",
    "unflatten",
]


@pytest.mark.parametrize("name", LAYERS)
def test_against_torch_one_layer(name):
    layer, shape = layers(name)
    # The slope is one of any type: a module without numbers is read in float32, and compared in float64.
    check(randomised(nn.Sequential(layer, nn.LeakyReLU(0.125)), seed=2), *shape)


# Plain numbers beside float32 values are float32 in torch: at powers of two, all that follows is exact.

WITH_NUMBERS = {
    "leaky": lambda x: functional.leaky_relu(x, 0.1),
    "rrelu": lambda x: functional.rrelu(x, 0.1, 0.7),
    "mul": lambda x: x * 0.1,
    "div": lambda x: (x / 0.1 * 0.1).float(),
    "add": lambda x: x * 0 + 0.1,
    "sub": lambda x: 0.1 - x * 0,
    "a number of no axes": lambda x: x * torch.tensor(0.1, dtype=torch.float64),
    "alpha": lambda x: torch.add(x * 0, x, alpha=0.1),
    "beta": lambda x: torch.addmm(torch.ones(4), x, torch.zeros(4, 4), beta=0.1),
    "clamp": lambda x: x.clamp(-0.1, 0.3),
    "clamp min": lambda x: x.clamp(min=0.1),
    "maximum": lambda x: torch.maximum(x, torch.tensor(0.1, dtype=torch.float64)),
    "hardtanh": lambda x: functional.hardtanh(x, -0.1, 0.3),
    "threshold": lambda x: functional.threshold(x, 0.1, 0.1),
    "pad": lambda x: functional.pad(x, (1, 1), value=0.1),
    "masked": lambda x: x.masked_fill(torch.tensor([True, False, True, False]), 0.1),
    "where": lambda x: torch.where(torch.tensor([True, False, True, False]), x, 0.1),
    "full": lambda x: x + torch.full_like(x, 0.1) - 0.1,
    "doubles": lambda x: x.double() * 0.1,
    "a large whole number": lambda x: x * 0 + 16_777_217,
    "whole numbers": lambda x: x * 0 + torch.tensor([16_777_217, 1, -33_554_433, 3]),
    "whole numbers beyond float64": lambda x: x * 0 + torch.tensor([2**60 + 1]),
    "a whole number of no axes": lambda x: x * 0 + torch.tensor(16_777_217),
    "a product of whole numbers": lambda x: x * torch.tensor([16_777_217, 1, 1, 2]),
    "the place of whole numbers": lambda x: torch.where(x.new_zeros(4).bool(), x, torch.tensor([16_777_217, 1, 2, 3])),
    "beside whole numbers": lambda x: torch.cat([x, torch.tensor([[16_777_217]])], 1),
    "a bound of whole numbers": lambda x: torch.maximum(x, torch.tensor([16_777_217, 1, 2, 3])),
    "places": lambda x: x[:, torch.tensor([3, 1])] + x.index_select(1, torch.tensor([0, 2])),
    "truth values": lambda x: x * torch.tensor([True, False, True, True]) + torch.tensor(True),
}


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_against_torch_plain_numbers_beside_float32(name):
    points = torch.tensor([[-1.0, 4.0, -0.5, 0.0]])
    module = Of(WITH_NUMBERS[name]).float().eval()
    found = creases.load(module, input_shape=(4,)).forward(points.double().numpy())
    assert (found == module(points).double().numpy()).all()


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_known_plain_numbers_are_those_that_torch_computes_with(kind):
    """Factors are float32 at least, and what may be a result itself is as narrow as the results."""
    slope = 0.1 if kind is torch.float64 else float(np.float32(0.1))
    filling = torch.tensor(0.1, dtype=kind).item()
    for function, wanted in (
        (lambda x: functional.leaky_relu(x, 0.1), -slope),
        (lambda x: x * 0.1, -slope),
        (lambda x: x.clamp(-0.1, 0.3), -filling),
        (lambda x: torch.where(torch.tensor([False]), x, 0.1), filling),
        (lambda x: torch.maximum(x, torch.tensor(0.1, dtype=torch.float64)), filling),
        (lambda x: functional.threshold(x, 0.1, 0.1), filling),
        (lambda x: torch.where(torch.tensor([False]), x, torch.tensor([4099])), torch.tensor(4099).to(kind).item()),
    ):
        assert creases.load(Of(function).to(kind), input_shape=(1,)).forward([[-1.0]]).tolist() == [[wanted]]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("alone", [True, False])
def test_against_torch_the_eps_of_a_batch_norm_has_the_type_that_torch_computes_in(kind, alone):
    """With a variance of 0 and a weight of 1 the eps is all that scales: 2^-24 + 2^-49 is no float32."""
    norm = nn.BatchNorm1d(1, eps=2.0**-24 + 2.0**-49).eval()
    norm.running_var.zero_()
    module = (nn.Sequential(norm) if alone else nn.Sequential(norm, nn.LeakyReLU(0.5))).to(kind)
    wanted = module(torch.ones(1, 1, dtype=kind)).item()
    found = creases.load(module).forward(np.ones((1, 1))).item()
    assert (found == 4096.0) == (kind is not torch.float64)
    assert found == wanted or (kind is torch.float64 and abs(found - wanted) <= 1e-12)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_known_a_batch_norm_is_the_same_from_a_module_and_its_parts(kind, tmp_path):
    """As a chain, as a program, as a state dict and as a file of torch: one eps."""
    module = randomised(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, eps=0.1), nn.ReLU(), nn.Linear(3, 1))).to(kind)
    chain = creases.load(module)
    points = points_for(chain)
    assert (creases.load(Within(module)).forward(points) == chain.forward(points)).all()
    torch.save(module.state_dict(), tmp_path / "net.pt")
    for source in (module.state_dict(), tmp_path / "net.pt"):
        assert creases.load(source, activation="relu", batch_norm_eps=0.1).sha256 == chain.sha256


@pytest.mark.parametrize("bound", [np.inf, np.nan])
def test_bad_input_bounds_that_are_no_numbers_are_named_with_their_module(bound):
    """Beside finite ones; where all are infinite they bound nothing."""
    bounds = torch.tensor([-bound, 0.0, 1.0])
    with pytest.raises(NetworkError, match=r"^Of: .*must be finite"):
        creases.load(Of(lambda x: torch.maximum(x, bounds)), input_shape=(3,))
    assert creases.load(Of(lambda x: x.clamp(min=-np.inf).relu()), input_shape=(3,)).neurons == 3


class Within(nn.Module):
    """A module that is no Sequential."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


# Whole networks.

MODELS = {
    "ResNet-18": lambda: ResNet(width=2),
    "ResNet-34": lambda: ResNet((3, 4, 6, 3), width=1),
    "VGG-11": lambda: VGG(width=1),
    "VGG-16": lambda: VGG(VGG.LARGE, width=1),
    "MobileNetV2": MobileNetV2,
    "DenseNet": DenseNet,
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in ("ResNet-34", "VGG-16") else ()) for name in MODELS]
)
def test_against_torch_whole_networks(name):
    side = 32 if name != "DenseNet" else 8
    check(randomised(MODELS[name]()), 3, side, side)


# As torchvision defines them, narrow: the side of an image, and what each has.
AS_TORCHVISION = {
    "ResNet-18": (lambda: torchvision_models.ResNet((2, 2, 2, 2), width=2), 32, {"BasicBlock": 8, "MaxPool2d": 1}),
    "ResNet-34": (lambda: torchvision_models.ResNet((3, 4, 6, 3), width=1), 32, {"BasicBlock": 16, "Conv2d": 36}),
    "AlexNet": (lambda: torchvision_models.AlexNet(1), 64, {"Conv2d": 5, "MaxPool2d": 3, "Linear": 3}),
    "VGG-11": (lambda: torchvision_models.VGG(torchvision_models.VGG.A, 1, False), 32, {"Conv2d": 8, "Linear": 3}),
    "VGG-16 with batch norms": (
        lambda: torchvision_models.VGG(torchvision_models.VGG.D, 1, True),
        32,
        {"Conv2d": 13, "BatchNorm2d": 13, "Linear": 3},
    ),
    "MobileNetV2": (torchvision_models.MobileNetV2, 16, {"InvertedResidual": 17, "ReLU6": 35, "Conv2d": 52}),
}


@pytest.mark.parametrize("name", AS_TORCHVISION)
def test_against_torch_networks_as_torchvision_defines_them(name):
    make, side, parts = AS_TORCHVISION[name]
    model = torchvision_models.settled(randomised(make()), 3, side, side)
    found = Counter(type(module).__name__ for module in model.modules())
    assert {part: found[part] for part in parts} == parts
    network = check(model, 3, side, side)
    # The inputs decide the outputs: were they the last bias and a trifle, many readers would be right.
    outputs = network.forward(points_for(network))
    assert np.ptp(outputs, axis=0).max() > 1e-2 * np.abs(outputs).max()


def test_laws_points_for_a_network_are_on_kinks_of_its_first_layer():
    """Those of `check`, the last five of them."""
    for make in (lambda: ResNet(width=1), MobileNetV2):
        network = creases.load(randomised(make()), input_shape=(3, 16, 16))
        z = network.pre_activations(points_for(network))[0]
        nearest = np.abs(z).min(axis=1) / np.abs(z).max(axis=1)
        assert len(nearest) == 13
        assert (nearest[-5:] < 1e-14).all()
        assert (nearest[:6] > 1e-9).all()


def test_against_torch_a_log_softmax_at_the_end_is_left_out():
    model = randomised(AlexNet())
    network = check(model, 3, 32, 32, outputs=lambda x: model.classifier(model.avgpool(model.features(x)).flatten(1)))
    assert any("end of AlexNet is left out: log_softmax" in note and "cuts nothing" in note for note in network.notes)


@pytest.mark.skipif(not LONG, reason="long: 11 million weights")
def test_against_torch_resnet_18_at_its_own_size():
    network = check(randomised(ResNet()), 3, 32, 32)
    assert network.neurons == 557_056


# Where torch.export fails.


@pytest.fixture
def no_export(monkeypatch):
    def fail(*_arguments, **_options):
        raise RuntimeError("this torch cannot")

    monkeypatch.setattr(torch.export, "export", fail)


TRACED = [
    "in place",
    "write into a part",
    "matmul on the left",
    "linear of an image",
    "max pool with indices",
    "no grad",
    "mean",
]


@pytest.mark.parametrize("name", TRACED)
def test_against_torch_one_function_by_a_trace(no_export, name):
    check(Of(functions(name)), *IMAGE)


@pytest.mark.parametrize(
    "name",
    ["DenseNet", *(pytest.param(name, marks=pytest.mark.long) for name in ("ResNet-18", "VGG-11", "MobileNetV2"))],
)
def test_against_torch_whole_networks_by_a_trace(no_export, name):
    side = 32 if name != "DenseNet" else 8
    check(randomised(MODELS[name]()), 3, side, side)


def test_bad_input_neither_export_nor_trace(no_export):
    with pytest.raises(
        UnsupportedModelError, match=r"Failing cannot be exported .*torch says: RuntimeError: this torch"
    ):
        creases.load(Failing())


# What a module is apart from its layers.


class Custom(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))

    def forward(self, x):
        return self.net(-x)


class Twisted(nn.Sequential):
    def forward(self, x):
        return super().forward(-x)


class Reused(nn.Module):
    """One layer twice, one ReLU three times, a value that is kept, a skip, two names for one layer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.other = self.layer
        self.relu = nn.ReLU()

    def forward(self, x):
        self.seen = self.relu(self.layer(x))
        return self.relu(self.other(self.seen)) + self.relu(x)


class OddOutput:
    """What torch.export does not know how to return."""

    def __init__(self, logits):
        self.logits = logits


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Custom()

    def forward(self, x):
        return OddOutput(self.net(x)).logits


def patched():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    module[1].forward = lambda x: x.abs()
    return module


def deep():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    for _ in range(70):
        module = nn.Sequential(module)
    return module


@pytest.mark.parametrize("make", [Custom, Inner, patched, deep, lambda: Twisted(nn.Linear(2, 3), nn.ReLU())])
def test_against_torch_forwards_of_their_own(make):
    network = check(randomised(make()), 2)
    assert network.widths == (3,)
    assert network.sha256 == creases.load(randomised(make())).sha256


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.RNN(4, 3, nonlinearity="relu", batch_first=True)

    def forward(self, x):
        states, _last = self.layer(x)
        return states[:, -1]


def test_against_torch_a_recurrent_network_of_relus():
    assert check(randomised(Recurrent()), 2, 4).widths == (3, 3)


def test_against_torch_reused_layers():
    network = check(randomised(Reused()), 3)
    assert network.widths == (3, 3, 3)


def test_laws_a_chain_by_its_program_is_the_chain():
    """The same numbers in the same places, whichever way they were read."""
    plain = randomised(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)))
    network = creases.load(plain)
    assert network.sha256 == creases.load(Of(plain)).sha256
    assert creases.load(Of(plain), input_shape=(2,)).is_chain


def snapshot(module):
    numbers = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    return numbers, [part.training for part in module.modules()], [sorted(vars(part)) for part in module.modules()]


@pytest.mark.parametrize(
    "make", [Reused, lambda: Custom().train(), lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2))]
)
def test_laws_reading_leaves_the_module_alone(make):
    module = make()
    numbers, modes, attributes = snapshot(module)
    creases.load(module)
    after, modes_after, attributes_after = snapshot(module)
    assert modes == modes_after
    assert attributes == attributes_after
    assert all(torch.equal(tensor, after[name]) for name, tensor in numbers.items())


def test_known_training_mode_is_said():
    model = randomised(VGG(width=1)).train()
    network = creases.load(model, input_shape=(3, 32, 32))
    assert any("BatchNorm2d 'features.1' was in training mode; its running statistics" in n for n in network.notes)
    assert any("Dropout 'classifier.2' was in training mode; it is left out" in n for n in network.notes)
    assert network.sha256 == creases.load(model.eval(), input_shape=(3, 32, 32)).sha256


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float32])
def test_known_narrow_numbers_widen_exactly(kind):
    module = Custom().to(kind)
    (operator,) = creases.load(module).levels[-1].sources.values()
    weight = operator.weight
    assert (weight == module.net[2].weight.detach().double().numpy()).all()


def normed(wrap):
    return nn.Sequential(wrap(nn.Linear(2, 3)), nn.ReLU(), nn.Linear(3, 1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "wrap",
    [
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        lambda layer: nn.utils.prune.l1_unstructured(layer, "weight", 0.5),
    ],
)
def test_against_torch_weights_that_are_computed(wrap):
    network = check(normed(wrap).double().eval(), 2)
    pruned = "on constants" not in "".join(network.notes)
    assert pruned or any("in the precision that the module has" in note for note in network.notes)


def test_known_wrappers_are_taken_off():
    plain = Custom()
    network = creases.load(plain)
    assert creases.load(nn.DataParallel(plain)).sha256 == network.sha256
    assert creases.load(torch.compile(plain)).sha256 == network.sha256
    assert creases.load(Of(nn.DataParallel(torch.compile(plain))).float(), input_shape=(2,)).sha256 == network.sha256


def test_known_names_of_layers_are_those_of_the_modules():
    network = creases.load(randomised(ResNet((1, 1, 1, 1), width=1)), input_shape=(3, 8, 8))
    assert network.layer_names[:3] == ("relu", "layer1.0.relu", "layer1.0.relu")


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: torch.softmax(x.flatten(1), 1), "softmax"),
        (lambda x: torch.sigmoid(x.flatten(1)), "sigmoid"),
        (lambda x: 2 * torch.tanh(x.flatten(1)) - 1, "tanh"),
        (lambda x: torch.sigmoid(x).flatten(1), "sigmoid"),
        (lambda x: torch.cat([torch.sigmoid(x.flatten(1))[:, :3], x.flatten(1)[:, 3:]], 1), "sigmoid"),
        (lambda x: torch.softmax(x, 1).permute(0, 2, 3, 1).reshape(-1, 4, 4, 3).permute(0, 3, 1, 2), "softmax"),
        (lambda x: torch.cat([torch.softmax(x[:, :1], 2), x[:, 1:]], 1), "softmax"),
    ],
)
def test_known_a_smooth_end_is_left_out_and_said(function, name):
    network = check(Of(lambda x: function(x.relu())), *IMAGE, outputs=lambda x: x.relu())
    assert any(f"left out: {name}" in note and "so it cuts nothing" in note for note in network.notes)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x.flatten(1).argmax(1), True),
        (lambda x: x.flatten(1).argmax(1).detach().to(torch.float32), True),
        (lambda x: x.flatten(1).argmax(1).int().clone().double().long(), True),
        (lambda x: torch.softmax(x.flatten(1), 1).argmax(1, keepdim=True), True),
        (lambda x: torch.sigmoid(x).flatten(1).argmax(1), True),
        (lambda x: x.argmax(1), False),  # one choice a pixel
        (lambda x: torch.softmax(x, 1).flatten(1).argmax(1), False),
        (lambda x: (-torch.sigmoid(x)).flatten(1).argmax(1), False),
    ],
)
def test_known_an_argmax_is_left_out_and_its_regions_are_those_of_another_network(function, said):
    network = check(Of(lambda x: function(x.relu())), *IMAGE, outputs=lambda x: x.relu())
    (note,) = (note for note in network.notes if "left out" in note)
    assert "The network's outputs are the values before it" in note
    assert ("those of network.with_argmax()" in note) == said
    assert "smooth" not in note


@pytest.mark.parametrize("shape", [(2, 4), (1, 4), (3, 2, 4)])
def test_known_a_chain_on_several_axes_acts_along_the_last(shape):
    network = check(randomised(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))), *shape)
    assert network.neurons == 3 * np.prod(shape[:-1])


def test_known_a_chain_that_flattens_several_axes_is_the_chain():
    chain = randomised(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)))
    assert check(chain, 1, 2, 2).sha256 == creases.load(chain).sha256


def test_bad_input_a_chain_on_a_shape_that_it_does_not_take():
    with pytest.raises(UnsupportedModelError, match=r"cannot be exported on one input of shape \(2, 2\)"):
        creases.load(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), input_shape=(2, 2))


def test_known_what_is_selected_from_a_smooth_function_of_each_place():
    check(Of(lambda x: torch.sigmoid(x.relu())[:, 1]), *IMAGE, outputs=lambda x: x.relu()[:, 1])


def test_known_what_the_output_does_not_need_is_no_error():
    def function(x):
        torch.exp(x).sum()
        return {"logits": x.relu(), "loss": None}

    check(Of(function), *IMAGE, outputs=lambda x: x.relu())


def test_known_a_network_without_kinks_is_one_region():
    module = randomised(nn.Sequential(nn.Linear(2, 3), nn.Identity(), nn.Linear(3, 2)))
    network = check(module, 2)
    assert network.neurons == 0
    assert creases.count(network, creases.Space(2)).regions == 1


def test_known_counts_of_forwards():
    """A sawtooth of 2^5 teeth; eight lines through one point, which a shift in floats would part."""

    def sawtooth(x):
        for _ in range(5):
            x = 1 - (2 * x - 1).abs()
        return x

    found = creases.count(creases.load(Of(sawtooth), input_shape=(1,)), creases.Segment([0], [1]))
    assert (found.regions, found.certified) == (32, True)
    weight = torch.randn(8, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    centre = torch.tensor([0.1, 0.7], dtype=torch.float64)
    network = creases.load(Of(lambda x: torch.relu((x - centre) @ weight.T)), input_shape=(2,))
    found = creases.count(network, creases.Space(2))
    assert (found.regions, found.certified) == (16, True)


def test_known_the_shape_of_an_input_that_a_module_says():
    assert creases.load(Custom()).input_shape == (2,)
    assert creases.load(Of(nn.Sequential(nn.BatchNorm1d(4), nn.ReLU()).double())).input_shape == (4,)
    lightning = ResNet((1, 1, 1, 1), width=1)
    lightning.example_input_array = torch.zeros(5, 3, 8, 8)
    assert creases.load(lightning).input_shape == (3, 8, 8)


# What is refused.


def hooked(register):
    module = Custom()
    getattr(module.net[0], register)(lambda *given: None)
    return module


class Choice(nn.Module):
    def forward(self, x):
        return x.relu() if x.sum() > 0 else -x


class Failing(Custom):
    def forward(self, x):
        return self.net(x.reshape(-1, 7))


class Two(Custom):
    def forward(self, x, y):
        return self.net(x) + y


class Random(Custom):
    def forward(self, x):
        return self.net(x) + torch.randn(1)


class Locked(Custom):
    def __init__(self):
        super().__init__()
        import threading

        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: hooked("register_forward_hook"), r"Linear 'net\.0' has a forward hook.*Remove the hook first"),
        (lambda: hooked("register_forward_pre_hook"), r"Linear 'net\.0' has a forward hook"),
        (
            lambda: nn.Sequential(nn.Linear(2, 2), Choice()),
            r"Sequential decides by the numbers in its input.*relu, clamp or maximum",
        ),
        (Failing, r"Failing cannot be exported on one input of shape \(2,\); torch says: .*input_shape="),
        (Two, r"Two takes 2 inputs \(x, y\); a network has one"),
        (Random, "randn .* draws random numbers"),
        (Locked, r"Locked cannot be copied.*Take away the attribute"),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 1)),
            r"gelu of GELU '1' is not piecewise linear.*creases\.load\(model\[:1\]\)",
        ),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1)),
            r"sigmoid of Sigmoid '1' is not piecewise linear\. Put a piecewise-linear one",
        ),
        (
            lambda: Of(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.ReLU()).double()),
            r"tanh of Tanh 'function\.1'.*a module whose forward returns what stands before it",
        ),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3)), "layer_norm of LayerNorm '1'.*deviation"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.SiLU(), nn.ReLU()), "silu of SiLU '1' is not piecewise linear"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.Flatten(0), nn.Linear(3, 2)), "linear of Linear '2' mixes"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Flatten(0)), r"gives one result for a whole batch"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.Softmax(0)), "softmax of Softmax '1' mixes the inputs of a batch"),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, track_running_stats=False)),
            "keeps no running statistics.*track_running_stats=True",
        ),
        (lambda: nn.Sequential(nn.ModuleList([nn.Linear(2, 3)])), "Sequential cannot be exported"),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.Hardshrink()),
            "Hardshrink '1' is not piecewise linear: a comparison jumps",
        ),
    ],
)
def test_bad_input_modules(make, text):
    with pytest.raises(UnsupportedModelError, match=text):
        creases.load(make())


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (
            lambda x: x * x.relu(),
            r"mul \(line \d+ of torch_models\.py: return self\.function\(x\)\) multiplies two values",
        ),
        (lambda x: x @ x.transpose(2, 3), "matmul .*multiplies two values that both depend on the input"),
        (lambda x: x / x.abs().sum((1, 2, 3), keepdim=True), "div .*divides by a value that depends"),
        (lambda x: 1 / (1 + x.abs()), "is not piecewise linear|is an operator that is not read"),
        (lambda x: x**2, "pow .*is not piecewise linear"),
        (lambda x: x.round(), "round .*is not piecewise linear: it jumps"),
        (lambda x: torch.where(x > 0, x, x * 0.1), "gt .*a comparison jumps"),
        (lambda x: x.to(torch.int64).double(), "makes torch.int64 of real numbers"),
        (lambda x: functional.threshold(x, 1.0, 0.0), "jumps from 0.0 to 1.0"),
        (lambda x: torch.div(torch.tanh(x), 2, rounding_mode="floor"), "tanh .*is not piecewise linear"),
        (lambda x: 1 / torch.sigmoid(x), "sigmoid .*is not piecewise linear|reciprocal"),
        (lambda x: torch.sigmoid(x) + x, "sigmoid .*is not piecewise linear"),
        (lambda x: torch.tanh(x).relu(), "tanh .*is not piecewise linear"),
        (lambda x: x.flatten(1).argmax(1) + 1, r"argmax .*is not the end of the module; only there.*with_argmax\(\)"),
        (lambda x: torch.softmax(x.flatten(1), 1)[:, 1], "softmax .*is not piecewise linear"),
        (lambda x: torch.log_softmax(x, 1)[:, 1:], "log_softmax .*is not piecewise linear"),
        (lambda x: sum(torch.softmax(x, 1).unbind(1)[:1]), "softmax .*is not piecewise linear"),
        (lambda x: torch.softmax(x, 1).masked_fill(CONSTANT > 0, 0.0), "softmax .*is not piecewise linear"),
        (lambda x: torch.sigmoid(torch.softmax(x, 1)).chunk(2, 2)[0], "softmax .*is not piecewise linear"),
        (lambda x: x.view(-1, 3, 2, 8).argmax(1)[:, 0], "argmax .*is not the end"),
        (lambda x: x.flatten(1).argmax(1).view(-1, 1), "argmax .*is not the end"),
        (lambda x: torch.softmax(x.sum((1, 2, 3))[:, None], 1), "softmax .*goes over one number, so .* is constant"),
        (lambda x: torch.log_softmax(x[:, :1], 1), "log_softmax .*goes over one number, so .* is constant"),
        (lambda x: x[:, :1].argmax(1), "argmax .*goes over one number, so .* is constant"),
        (lambda x: x.flatten(1).argmax(1).bool(), "makes torch.bool of the places that argmax .*may become one"),
        (lambda x: x.flatten(1).argmax(1).to(torch.int8), "makes torch.int8 of the places that argmax"),
        (lambda x: x.flatten(1).argmax(1).int().half(), "makes torch.float16 of the places that argmax"),
        (lambda x: x.argmax(0), "argmax .*mixes the inputs of a batch"),
        (lambda x: x.argmax(), "argmax .*mixes the inputs of a batch"),
        (lambda x: x.gather(1, x.argmax(1, keepdim=True)), "argmax .*is not the end"),
        (
            lambda x: x.gather(1, torch.full((1, 1, 4, 4), 7)),
            "gather .*does not fit what it is given; torch says: index 7",
        ),
        (lambda x: x[:, torch.tensor([5])], "index .*does not fit what it is given; torch says: index 5"),
        (lambda x: torch.tanh(x[:, :, 0, 0]) * torch.ones(1, 1, 3), "tanh .*is not piecewise linear"),
        (lambda x: torch.tanh(x[:, :, 0, 0]) * torch.tensor([0.0, 1.0, 1.0]), "tanh .*is not piecewise linear"),
        (lambda x: torch.tanh(x) / float("inf"), "tanh .*is not piecewise linear"),
        (lambda x: torch.add(CONSTANT, torch.tanh(x), alpha=0), "tanh .*is not piecewise linear"),
        (lambda x: torch.rsub(torch.tanh(x), 1, alpha=0), "tanh .*is not piecewise linear"),
        (lambda x: torch.softmax(x, 1) * 0, "softmax .*is not piecewise linear"),
        (lambda x: 1 - torch.softmax(x, 1) * 1e-400, "softmax .*is not piecewise linear"),
        (lambda x: (y := torch.tanh(x)) * y, "tanh .*is not piecewise linear"),
        (lambda x: torch.div(x, 2, rounding_mode="floor"), "rounds, which is not piecewise linear"),
        (lambda x: x / 0, "divides by zero"),
        (lambda x: x.mean(), "reduces over the batch"),
        (lambda x: x.sum(0), "reduces over the batch"),
        (lambda x: x[0], "takes one input out of the batch"),
        (lambda x: x.flatten(1).tril(), "tril .*mixes the inputs of a batch"),
        (lambda x: x.expand(2, 3, 4, 4), "repeats an input along the batch"),
        (lambda x: torch.cat([x, x], 0), "mixes the inputs of a batch"),
        (lambda x: x.flatten(0, 1) @ CONSTANT[0].T + CONSTANT[:, :, :1], "one result for a whole batch"),
        (lambda x: (x.relu(), x.abs()), r"gives 2 results, of shapes .*torch\.cat"),
        (lambda x: torch.ones(1, 2), "gives nothing that depends on its input"),
        (lambda x: torch.cumsum(x, 1), "cumsum .*is an operator that is not read"),
    ],
)
def test_bad_input_functions(function, text):
    with pytest.raises(CreasesError, match=text):
        creases.load(Of(function), input_shape=IMAGE)


def test_bad_input_attention():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    with pytest.raises(UnsupportedModelError, match=r"attention|multiplies two values"):
        creases.load(layer, input_shape=(3, 4))


def test_bad_input_shape_that_no_module_says():
    with pytest.raises(
        ModelFileError,
        match=r"first layer is a Conv2d: it does not say.*creases\.load\(model, input_shape=\(3, 32, 32\)\)",
    ):
        creases.load(ResNet(width=1))
    with pytest.raises(ModelFileError, match=r"Choice is a module without numbers: it does not say the shape"):
        creases.load(nn.Sequential(Choice()).train()[0])
    with pytest.raises(UnsupportedModelError, match=r"cannot be exported on one input of shape \(1, 8, 8\)"):
        creases.load(ResNet(width=1), input_shape=(1, 8, 8))


def test_bad_input_numbers():
    module = Custom()
    with torch.no_grad():
        module.net[2].weight[0, 1] = float("nan")
    with pytest.raises(NetworkError, match=r"Custom: linear of Linear 'net\.2'.*\[0, 1\] is nan"):
        creases.load(module)
    with pytest.raises(NetworkError, match="holds no numbers yet"):
        creases.load(Of(nn.LazyLinear(3)), input_shape=(2,))
    with pytest.raises(NetworkError, match=r"holds no numbers yet\. Load the model's weights"):
        creases.load(ResNet(width=1).to("meta"), input_shape=(3, 8, 8))


def test_bad_input_scripts():
    with pytest.raises(UnsupportedModelError, match=r"TorchScript program.*Load the torch module"):
        creases.load(torch.jit.script(Custom()))
