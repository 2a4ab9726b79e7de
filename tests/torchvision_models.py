"""AlexNet, VGG, MobileNetV2 and ResNets, module by module as torchvision defines them, of a width that is given.

Only channels are fewer: every layer, stride, padding, pool, block and skip is torchvision's, and so are the names in a
state dict.
"""

import torch
from torch import nn

from torch_models import BasicBlock

__all__ = ["VGG", "AlexNet", "MobileNetV2", "ResNet", "settled"]


def settled(model, *shape):
    """The model with the statistics of its batch norms those of random inputs, so that no level is all of one sign."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.randn(8, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2)
    return model.eval()


class ResNet(nn.Module):
    """A stem of 7x7 and a max pool, then four stages; blocks (2, 2, 2, 2) is a ResNet-18, (3, 4, 6, 3) a ResNet-34."""

    def __init__(self, blocks, width, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.inplanes = width
        self.layer1 = self.stage(width, blocks[0])
        self.layer2 = self.stage(2 * width, blocks[1], stride=2)
        self.layer3 = self.stage(4 * width, blocks[2], stride=2)
        self.layer4 = self.stage(8 * width, blocks[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * width, classes)

    def stage(self, outputs, count, stride=1):
        inputs, self.inplanes = self.inplanes, outputs
        rest = [BasicBlock(outputs, outputs) for _ in range(count - 1)]
        return nn.Sequential(BasicBlock(inputs, outputs, stride), *rest)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class AlexNet(nn.Module):
    """Five convolutions, three pools, an adaptive average to 6x6, three dense layers."""

    def __init__(self, width, classes=10, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 2 * width, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(2 * width, 6 * width, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(6 * width, 12 * width, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(12 * width, 8 * width, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(8 * width, 8 * width, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(8 * width * 6 * 6, 16 * width),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(16 * width, 16 * width),
            nn.ReLU(inplace=True),
            nn.Linear(16 * width, classes),
        )

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


class VGG(nn.Module):
    """Configurations A (VGG-11) and D (VGG-16), with batch norms or without."""

    A = (1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M")
    D = (1, 1, "M", 2, 2, "M", 4, 4, 4, "M", 8, 8, 8, "M", 8, 8, 8, "M")

    def __init__(self, configuration, width, batch_norm, classes=10, dropout=0.5):
        super().__init__()
        layers, inputs = [], 3
        for entry in configuration:
            if entry == "M":
                layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
                continue
            norm = [nn.BatchNorm2d(entry * width)] if batch_norm else []
            layers += [nn.Conv2d(inputs, entry * width, kernel_size=3, padding=1), *norm, nn.ReLU(inplace=True)]
            inputs = entry * width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(8 * width * 7 * 7, 16 * width),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(16 * width, 16 * width),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(16 * width, classes),
        )

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def convolution(inputs, outputs, size=1, stride=1, groups=1):
    """torchvision's Conv2dNormActivation with ReLU6."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Wider by `expand`, a convolution of each channel alone, narrower again; a skip where sizes agree."""

    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        self.use_res_connect = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            *([convolution(inputs, hidden)] if expand != 1 else []),
            convolution(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, outputs, 1, 1, 0, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """17 inverted residuals in seven stages, which torchvision gives as expansion, channels, blocks, first stride."""

    # Channels by eight: 16, 24, 32, 64, 96, 160 and 320 of torchvision's.
    STAGES = ((1, 2, 1, 1), (6, 3, 2, 2), (6, 4, 3, 2), (6, 8, 4, 2), (6, 12, 3, 1), (6, 20, 3, 2), (6, 40, 1, 1))

    def __init__(self, width=1, classes=10, dropout=0.2):
        super().__init__()
        inputs = 4 * width
        features = [convolution(3, inputs, 3, 2)]
        for expand, channels, count, stride in self.STAGES:
            for i in range(count):
                features.append(InvertedResidual(inputs, channels * width, stride if i == 0 else 1, expand))
                inputs = channels * width
        features.append(convolution(inputs, 160 * width))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(160 * width, classes))

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))
