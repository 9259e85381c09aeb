"""Networks as PyTorch computes them, for the state dicts of torchvision and timm; see `torchvision` and `timm` beside.

Where they are not the functions of Keras' networks of the same name, these are PyTorch's: zeros on both sides of an
image at every stride, batch normalisation with its epsilon, the stride of a ResNet's block on its 3x3 convolution.
Layers are named like the modules of a state dict, so that a layer finds its tensors by its own name.
"""
