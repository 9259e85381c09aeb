"""What a stored weight is for, from the names that twelve years of Keras gave it.

conv1/kernel:0   block1_conv1_W_1:0   convolution2d_1_W   bn_running_std   ->   kernel, bias, gamma, ...
"""

import re

OLD = {  # Keras 1 endings; its "running_std" held the variance
    "W": "kernel",
    "U": "recurrent_kernel",
    "b": "bias",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
    "alphas": "alpha",
}
ENDING = re.compile(
    r"(?:^|_)(depthwise_kernel|pointwise_kernel|recurrent_kernel|kernel|bias|gamma|beta|moving_mean|moving_variance|mean|variance|count"
    r"|alphas?|running_mean|running_std|W|U|b)(?:_\d+)?$"
)
STATISTICS = {"moving_mean", "moving_variance", "mean", "variance", "count"}


def role_of(name: str, class_name: str = "") -> str:
    """The role in Keras' words; a name with an unknown ending is its own role.

    Examples
    --------
    >>> role_of("conv1/kernel:0"), role_of("block1_conv1_W_1:0"), role_of("dw/depthwise_kernel", "DepthwiseConv2D")
    ('kernel', 'kernel', 'kernel')
    """
    last = name.rsplit("/", 1)[-1].split(":")[0]
    match = ENDING.search(last)
    role = OLD.get(match[1], match[1]) if match else last
    if class_name.startswith("DepthwiseConv") and role == "depthwise_kernel":
        return "kernel"  # the name that Keras 3 gives it
    return role


def layer_of(name: str) -> str:
    """The layer part of a weight's name: what is before the last slash, or before an old ending.

    Examples
    --------
    >>> layer_of("transfer/head/fc1/kernel"), layer_of("block1_conv1_W_1:0")
    ('transfer/head/fc1', 'block1_conv1')
    """
    layer, slash, last = name.rpartition("/")
    return layer if slash else ENDING.sub("", last.split(":")[0])
