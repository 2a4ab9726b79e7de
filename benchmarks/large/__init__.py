"""Convolutional networks at their own size: ResNet-18, ResNet-20 and VGG-16 for 32 x 32 images.

    python -m benchmarks.large resnet18        # and others: --help

`networks` : He weights of seed 0 in float32 as torch stores them, batch norm with mean 0 and variance 1. The plane, or
the segment, goes through images drawn uniformly from [0, 1].
`trained` : a ResNet-18 after a short training on patches of the two photographs that come with scikit-learn, in the
plane of three of them.
`checks` : dense sampling, and tilings.
"""
