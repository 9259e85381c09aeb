"""For every layer class, constructor arguments that differ from the defaults, and the shape of an input without batch.

`CASES` drives the tests of configs, output shapes, files and peers; a class that is not in it fails a test.
"""

from typing import Any

from minicnn.layers import initializers, regularizers

IMAGE, ROW = (6, 5, 4), (8,)
KERNEL = {
    "kernel_initializer": initializers.HeNormal(seed=3),
    "bias_initializer": initializers.Constant(0.5),
    "kernel_regularizer": regularizers.L1L2(l2=0.125),
    "bias_regularizer": regularizers.L1L2(l1=0.25),
    "kernel_constraint": regularizers.MaxNorm(1.5, axis=[0, 1]),
    "bias_constraint": regularizers.NonNeg(),
}
DEPTHWISE = {
    "depth_multiplier": 2,
    "depthwise_initializer": initializers.RandomNormal(0.0, 0.1, seed=1),
    "depthwise_regularizer": regularizers.L1L2(l2=0.5),
    "depthwise_constraint": regularizers.UnitNorm(axis=0),
}
NORM = {
    "beta_initializer": initializers.Constant(0.5),
    "gamma_initializer": initializers.RandomUniform(0.5, 1.5, seed=2),
    "beta_regularizer": regularizers.L1L2(l2=0.125),
    "gamma_regularizer": regularizers.L1L2(l1=0.125),
    "gamma_constraint": regularizers.NonNeg(),
}
ZOOM = {"fill_mode": "nearest", "interpolation": "nearest", "seed": 3, "fill_value": 1.0}

CASES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "Activation": [({"activation": "gelu"}, IMAGE), ({"activation": "softmax"}, ROW)],
    "Add": [({}, [IMAGE, IMAGE]), ({}, [IMAGE, (1, 1, 4), IMAGE])],
    "Average": [({}, [IMAGE, IMAGE, IMAGE])],
    "AveragePooling2D": [
        ({"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}, IMAGE),
        ({"pool_size": 2}, IMAGE),
    ],
    "BatchNormalization": [
        ({"momentum": 0.9, "epsilon": 1e-5, "moving_mean_initializer": initializers.Constant(0.25), **NORM}, IMAGE),
        ({"center": False, "moving_variance_initializer": initializers.Constant(2.0)}, ROW),
        ({"scale": False}, IMAGE),
    ],
    "Concatenate": [({}, [IMAGE, (6, 5, 3)]), ({"axis": 1}, [IMAGE, (2, 5, 4), IMAGE])],
    "Conv2D": [
        (
            {
                "filters": 6,
                "kernel_size": (3, 2),
                "strides": (2, 1),
                "padding": "same",
                "groups": 2,
                "activation": "relu",
                **KERNEL,
            },
            IMAGE,
        ),
        ({"filters": 3, "kernel_size": 2, "dilation_rate": (2, 3), "use_bias": False}, IMAGE),
    ],
    "Conv2DTranspose": [
        ({"filters": 3, "kernel_size": (3, 2), "strides": 2, "padding": "same", "activation": "tanh", **KERNEL}, IMAGE),
        ({"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, "use_bias": False}, IMAGE),
        ({"filters": 2, "kernel_size": 3, "strides": 3}, IMAGE),
    ],
    "Cropping2D": [({"cropping": ((1, 0), (2, 1))}, IMAGE), ({"cropping": 1}, IMAGE)],
    "CustomScaleLayer": [({"scale": 0.25}, [IMAGE, IMAGE])],
    "Dense": [
        ({"units": 3, "activation": "softmax", **KERNEL, "kernel_constraint": regularizers.MaxNorm(1.5)}, ROW),
        ({"units": 5, "use_bias": False}, IMAGE),
    ],
    "DepthwiseConv2D": [
        ({"kernel_size": (2, 3), "padding": "same", "activation": "relu6", **DEPTHWISE}, IMAGE),
        ({"kernel_size": 3, "strides": 2, "use_bias": False}, IMAGE),
        ({"kernel_size": 2, "dilation_rate": 2}, IMAGE),
    ],
    "Dropout": [({"rate": 0.25, "seed": 5, "noise_shape": (None, 1, 1, 4)}, IMAGE)],
    "ELU": [({"alpha": 0.5}, IMAGE)],
    "Flatten": [({}, IMAGE), ({}, ROW)],
    "GaussianDropout": [({"rate": 0.25, "seed": 5}, IMAGE)],
    "GaussianNoise": [({"stddev": 0.25, "seed": 5}, IMAGE)],
    "GlobalAveragePooling2D": [({"keepdims": True}, IMAGE), ({}, IMAGE)],
    "GlobalMaxPooling2D": [({"keepdims": True}, IMAGE), ({}, IMAGE)],
    "InputLayer": [({"batch_shape": (None, *IMAGE)}, None)],
    "LayerNormalization": [({"epsilon": 1e-5, **NORM}, IMAGE), ({"center": False}, ROW), ({"scale": False}, IMAGE)],
    "LeakyReLU": [({"negative_slope": 0.125}, IMAGE)],
    "Maximum": [({}, [IMAGE, IMAGE])],
    "MaxPooling2D": [({"pool_size": 3, "strides": (1, 2), "padding": "same"}, IMAGE), ({}, IMAGE)],
    "Minimum": [({}, [IMAGE, IMAGE])],
    "Multiply": [({}, [IMAGE, (1, 1, 4)])],
    "PReLU": [
        (
            {
                "alpha_initializer": initializers.Constant(0.5),
                "alpha_regularizer": regularizers.L1L2(l2=0.5),
                "alpha_constraint": regularizers.NonNeg(),
                "shared_axes": [1, 2],
            },
            IMAGE,
        ),
        ({"alpha_initializer": initializers.Constant(0.25)}, ROW),
    ],
    "Permute": [({"dims": (3, 1, 2)}, IMAGE)],
    "RandomBrightness": [({"factor": 0.25, "value_range": (0, 1), "seed": 3}, IMAGE)],
    "RandomContrast": [({"factor": 0.25, "seed": 3}, IMAGE)],
    "RandomFlip": [({"mode": "horizontal", "seed": 3}, IMAGE)],
    "RandomRotation": [({"factor": 0.25, **ZOOM}, IMAGE)],
    "RandomTranslation": [({"height_factor": 0.25, "width_factor": 0.125, **ZOOM}, IMAGE)],
    "RandomZoom": [({"height_factor": 0.25, "width_factor": 0.125, **ZOOM}, IMAGE)],
    "ReLU": [({"max_value": 1.5, "negative_slope": 0.25, "threshold": 0.5}, IMAGE), ({"max_value": 6.0}, IMAGE)],
    "Rescaling": [({"scale": 0.25, "offset": -1.0}, IMAGE), ({"scale": 2.0, "offset": [1.0, 2.0, 3.0, 4.0]}, IMAGE)],
    "Reshape": [({"target_shape": (5, -1)}, IMAGE), ({"target_shape": (2, 4)}, ROW)],
    "SeparableConv2D": [
        (
            {
                "filters": 3,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "activation": "relu",
                "pointwise_initializer": initializers.GlorotNormal(seed=4),
                "pointwise_regularizer": regularizers.L1L2(l1=0.5),
                "pointwise_constraint": regularizers.NonNeg(),
                **DEPTHWISE,
            },
            IMAGE,
        ),
        ({"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}, IMAGE),
    ],
    "Softmax": [({"axis": 1}, IMAGE), ({}, ROW)],
    "SpatialDropout2D": [({"rate": 0.25, "seed": 5}, IMAGE)],
    "Subtract": [({}, [IMAGE, IMAGE])],
    "UpSampling2D": [({"size": (2, 3), "interpolation": "bilinear"}, IMAGE), ({}, IMAGE)],
    "ZeroPadding2D": [({"padding": ((1, 0), (2, 1))}, IMAGE), ({}, IMAGE)],
}
NUMBERED = [(name, index) for name, cases in CASES.items() for index in range(len(cases))]
