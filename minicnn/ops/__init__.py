"""Operations on tensors: each a Function with forward and backward side by side, and a plain function to call it.

`OPS` lists all that have a gradient; the gradient tests are driven by it, so an operation that is not checked cannot be
added.  `MASKS` lists those that say which steps of a sequence count.
"""

from .activation import activation, prelu, relu, softmax
from .conv import conv2d, conv2d_transpose, depthwise_conv2d
from .dense import dense
from .dropout import alpha_dropout, dropout
from .embedding import embedding
from .gradient import reverse_gradient
from .loss import binary_crossentropy, crossentropy, sigmoid_crossentropy, softmax_crossentropy
from .merge import add, batch_dot, maximum, minimum, multiply
from .noise import noise
from .norm import batchnorm_infer, batchnorm_of_kept, batchnorm_train, groupnorm, layernorm, unit_norm
from .one_axis import (
    avgpool1d,
    conv1d,
    conv1d_transpose,
    cropping1d,
    depthwise_conv1d,
    global_avgpool1d,
    global_maxpool1d,
    maxpool1d,
    repeat_vector,
    upsampling1d,
    zero_padding1d,
)
from .pool import avgpool2d, global_avgpool2d, global_maxpool2d, maxpool2d
from .recurrent import gru, lstm, simple_rnn
from .reduce import largest, log
from .resize import resize
from .select import spread, surround
from .sequence import fold_time, masked, pick, reverse, seen, unfold_time, unlike
from .shape import (
    concatenate,
    constant_padding2d,
    cropping2d,
    flatten,
    permute,
    reshape,
    upsampling2d,
    zero_padding2d,
)
from .three_axes import (
    avgpool3d,
    conv3d,
    conv3d_transpose,
    cropping3d,
    global_avgpool3d,
    global_maxpool3d,
    maxpool3d,
    upsampling3d,
    zero_padding3d,
)

OPS = {
    function.__name__: function
    for function in (
        activation,
        add,
        alpha_dropout,
        avgpool1d,
        avgpool2d,
        avgpool3d,
        batch_dot,
        batchnorm_infer,
        batchnorm_of_kept,
        batchnorm_train,
        binary_crossentropy,
        concatenate,
        constant_padding2d,
        conv1d,
        conv1d_transpose,
        conv2d,
        conv2d_transpose,
        conv3d,
        conv3d_transpose,
        cropping1d,
        cropping2d,
        cropping3d,
        crossentropy,
        dense,
        depthwise_conv1d,
        depthwise_conv2d,
        dropout,
        embedding,
        flatten,
        fold_time,
        global_avgpool1d,
        global_avgpool2d,
        global_avgpool3d,
        global_maxpool1d,
        global_maxpool2d,
        global_maxpool3d,
        groupnorm,
        gru,
        largest,
        layernorm,
        log,
        lstm,
        masked,
        maximum,
        maxpool1d,
        maxpool2d,
        maxpool3d,
        minimum,
        multiply,
        noise,
        permute,
        pick,
        prelu,
        relu,
        repeat_vector,
        reshape,
        resize,
        reverse,
        reverse_gradient,
        sigmoid_crossentropy,
        simple_rnn,
        softmax,
        softmax_crossentropy,
        spread,
        surround,
        unfold_time,
        unit_norm,
        upsampling1d,
        upsampling2d,
        upsampling3d,
        zero_padding1d,
        zero_padding2d,
        zero_padding3d,
    )
}
MASKS = {function.__name__: function for function in (seen, unlike)}

__all__ = ["MASKS", "OPS", *MASKS, *OPS]  # noqa: PLE0604
