"""Operations on tensors: each a Function with forward and backward side by side, and a plain function to call it.

`OPS` lists them all; the gradient tests are driven by it, so an operation that is not checked cannot be added.
"""

from .activation import activation, prelu, relu, softmax
from .conv import conv2d, conv2d_transpose, depthwise_conv2d
from .dense import dense
from .dropout import dropout
from .loss import binary_crossentropy, crossentropy, sigmoid_crossentropy, softmax_crossentropy
from .merge import add, maximum, minimum, multiply
from .noise import noise
from .norm import batchnorm_infer, batchnorm_train, layernorm
from .pool import avgpool2d, global_avgpool2d, global_maxpool2d, maxpool2d
from .shape import concatenate, cropping2d, flatten, permute, reshape, upsampling2d, zero_padding2d

OPS = {
    function.__name__: function
    for function in (
        activation,
        add,
        avgpool2d,
        batchnorm_infer,
        batchnorm_train,
        binary_crossentropy,
        concatenate,
        conv2d,
        conv2d_transpose,
        cropping2d,
        crossentropy,
        dense,
        depthwise_conv2d,
        dropout,
        flatten,
        global_avgpool2d,
        global_maxpool2d,
        layernorm,
        maximum,
        maxpool2d,
        minimum,
        multiply,
        noise,
        permute,
        prelu,
        relu,
        reshape,
        sigmoid_crossentropy,
        softmax,
        softmax_crossentropy,
        upsampling2d,
        zero_padding2d,
    )
}

__all__ = ["OPS", *OPS]  # noqa: PLE0604
