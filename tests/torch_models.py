"""Networks that people train, written by hand in torch, each of a width that is given; and the numbers they get."""

import torch
from torch import nn
from torch.nn import functional

__all__ = ["VGG", "AlexNet", "DenseNet", "MobileNetV2", "Of", "ResNet", "randomised"]


def randomised(module, seed=0):
    """The module with all numbers random, moderate, the statistics of its batch norms too; in evaluation, float64."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                values = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
                fan = max(tensor[0].numel(), 1) if tensor.ndim > 1 else 4
                values = values.abs() + 0.5 if name.endswith("running_var") else values * (2 / fan) ** 0.5
                tensor.copy_(values)
    return module.double().eval()


class Of(nn.Module):
    """A function of one input in float64."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.register_buffer("kind", torch.zeros((), dtype=torch.float64))

    def forward(self, x):
        return self.function(x)


class BasicBlock(nn.Module):
    """torchvision's."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """For small images: a stem of 3x3. blocks (2, 2, 2, 2) is a ResNet-18, (3, 4, 6, 3) a ResNet-34."""

    def __init__(self, blocks=(2, 2, 2, 2), width=64, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        inputs = width
        for i, count in enumerate(blocks):
            outputs = width * 2**i
            layer = [BasicBlock(inputs if j == 0 else outputs, outputs, 2 if i and j == 0 else 1) for j in range(count)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))
            inputs = outputs
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class VGG(nn.Module):
    """Configurations as torchvision has them, 'M' a max pool; with batch norms."""

    SMALL = (1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M")  # VGG-11, times 64
    LARGE = (1, 1, "M", 2, 2, "M", 4, 4, 4, "M", 8, 8, 8, "M", 8, 8, 8, "M")  # VGG-16

    def __init__(self, layers=SMALL, width=64, classes=10):
        super().__init__()
        made, channels = [], 3
        for entry in layers:
            if entry == "M":
                made.append(nn.MaxPool2d(2, 2))
                continue
            made += [nn.Conv2d(channels, width * entry, 3, padding=1), nn.BatchNorm2d(width * entry), nn.ReLU(True)]
            channels = width * entry
        self.features = nn.Sequential(*made)
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(channels * 4, 4 * width), nn.ReLU(True), nn.Dropout(), nn.Linear(4 * width, classes)
        )

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(x.view(x.size(0), -1))


class AlexNet(nn.Module):
    """Strides, overlapping pools, uneven adaptive averages, and a LogSoftmax at the end."""

    def __init__(self, width=8, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 5, stride=2, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(width, 2 * width, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((3, 3))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(2 * width * 9, 32), nn.ReLU(), nn.Linear(32, classes))

    def forward(self, x):
        x = torch.flatten(self.avgpool(self.features(x)), start_dim=1)
        return functional.log_softmax(self.classifier(x), dim=1)


class InvertedResidual(nn.Module):
    """torchvision's, with ReLU6 and a convolution for each channel of its own."""

    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        self.skips = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return x + self.conv(x) if self.skips else self.conv(x)


class MobileNetV2(nn.Module):
    """Its blocks, few of them."""

    def __init__(self, width=4, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU6(inplace=True),
            InvertedResidual(width, width, 1, 2),
            InvertedResidual(width, 2 * width, 2, 3),
            InvertedResidual(2 * width, 2 * width, 1, 3),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, classes))

    def forward(self, x):
        x = functional.adaptive_avg_pool2d(self.features(x), (1, 1)).reshape(x.shape[0], -1)
        return self.classifier(x)


class DenseNet(nn.Module):
    """Layers that take from all before them, and a transition with an average pool."""

    def __init__(self, growth=3, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(4 + i * growth) for i in range(3)])
        self.layers = nn.ModuleList([nn.Conv2d(4 + i * growth, growth, 3, padding=1, bias=False) for i in range(3)])
        self.transition = nn.Sequential(nn.BatchNorm2d(4 + 3 * growth), nn.ReLU(), nn.Conv2d(4 + 3 * growth, 6, 1))
        self.pool = nn.AvgPool2d(2)
        self.fc = nn.Linear(6, classes)

    def forward(self, x):
        features = [self.stem(x)]
        for norm, layer in zip(self.norms, self.layers, strict=True):
            features.append(layer(functional.relu(norm(torch.cat(features, 1)))))
        x = self.pool(self.transition(torch.cat(features, dim=1)))
        return self.fc(x.mean(dim=(2, 3)))
