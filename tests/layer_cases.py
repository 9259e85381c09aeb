"""For every layer class, constructor arguments that differ from the defaults, and the shape of an input without batch.

`CASES` drives the tests of configs, output shapes, files and peers; a class that is not in it fails a test.
"""

from typing import Any

from minicnn import layers
from minicnn.layers import initializers, regularizers

IMAGE, ROW, STEPS, VOLUME, SEQUENCE = (6, 5, 4), (8,), (7, 4), (5, 6, 4, 4), (5, 3)
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
TRANSPOSED = {"strides": 2, "padding": "same", "activation": "tanh", **KERNEL}
POINTWISE = {
    "pointwise_initializer": initializers.GlorotNormal(seed=4),
    "pointwise_regularizer": regularizers.L1L2(l1=0.5),
    "pointwise_constraint": regularizers.NonNeg(),
}
RANGED = {"value_range": (0, 1), "seed": 3}
RECURRENT = {
    **KERNEL,
    "kernel_constraint": regularizers.MaxNorm(1.5),
    "recurrent_initializer": initializers.GlorotNormal(seed=5),
    "recurrent_regularizer": regularizers.L1L2(l2=0.5),
    "recurrent_constraint": regularizers.MaxNorm(2.0),
    "dropout": 0.25,
    "recurrent_dropout": 0.125,
    "seed": 7,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "unroll": True,
    "zero_output_for_mask": True,
}
GATED = {"activation": "softsign", "recurrent_activation": "hard_sigmoid", **RECURRENT}
ZOOM = {"fill_mode": "nearest", "interpolation": "nearest", "seed": 3, "fill_value": 1.0}

CASES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "Activation": [({"activation": "gelu"}, IMAGE), ({"activation": "softmax"}, ROW)],
    "ActivityRegularization": [({"l1": 0.25, "l2": 0.5}, IMAGE)],
    "Add": [({}, [IMAGE, IMAGE]), ({}, [IMAGE, (1, 1, 4), IMAGE])],
    "AlphaDropout": [({"rate": 0.25, "seed": 5, "noise_shape": (None, 1, 1, 4)}, IMAGE)],
    "AugMix": [({"value_range": (0, 1), "num_chains": 2, "factor": 0.25, "seed": 3}, IMAGE)],
    "Average": [({}, [IMAGE, IMAGE, IMAGE])],
    "AveragePooling1D": [({"pool_size": 3, "strides": 2, "padding": "same"}, STEPS), ({"pool_size": 2}, STEPS)],
    "AveragePooling2D": [
        ({"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}, IMAGE),
        ({"pool_size": 2}, IMAGE),
    ],
    "AveragePooling3D": [
        ({"pool_size": (3, 2, 1), "strides": (2, 1, 2), "padding": "same"}, VOLUME),
        ({"pool_size": 2}, VOLUME),
    ],
    "BatchNormalization": [
        ({"momentum": 0.9, "epsilon": 1e-5, "moving_mean_initializer": initializers.Constant(0.25), **NORM}, IMAGE),
        ({"center": False, "moving_variance_initializer": initializers.Constant(2.0)}, ROW),
        ({"scale": False}, IMAGE),
        ({"axis": 1, "center": False}, IMAGE),
        ({"axis": [-1], "momentum": 0.5}, STEPS),
    ],
    "Bidirectional": [
        (
            {
                "layer": layers.GRU(3, return_sequences=True, name="forward_one"),
                "merge_mode": "ave",
                "backward_layer": layers.LSTM(3, return_sequences=True, go_backwards=True, name="other"),
            },
            SEQUENCE,
        ),
        ({"layer": layers.LSTM(3, return_state=True, name="forward_it"), "merge_mode": None}, SEQUENCE),
        ({"layer": layers.SimpleRNN(3, return_sequences=True, name="forward_it")}, SEQUENCE),
    ],
    "CenterCrop": [({"height": 3, "width": 2}, IMAGE), ({"height": 9, "width": 4}, IMAGE)],
    "Concatenate": [({}, [IMAGE, (6, 5, 3)]), ({"axis": 1}, [IMAGE, (2, 5, 4), IMAGE])],
    "Conv1D": [
        (
            {
                "filters": 6,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "groups": 2,
                "activation": "relu",
                **KERNEL,
            },
            STEPS,
        ),
        ({"filters": 3, "kernel_size": 2, "dilation_rate": 3, "use_bias": False}, STEPS),
        ({"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "causal", "activation": "swish"}, STEPS),
    ],
    "Conv1DTranspose": [
        ({"filters": 3, "kernel_size": 3, **TRANSPOSED}, STEPS),
        ({"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, "use_bias": False}, STEPS),
        ({"filters": 2, "kernel_size": 3, "dilation_rate": 2}, STEPS),
    ],
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
        ({"filters": 3, "kernel_size": (3, 2), **TRANSPOSED}, IMAGE),
        ({"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, "use_bias": False}, IMAGE),
        ({"filters": 2, "kernel_size": 3, "strides": 3}, IMAGE),
        ({"filters": 2, "kernel_size": (3, 2), "dilation_rate": (2, 3), "padding": "same"}, IMAGE),
        ({"filters": 2, "kernel_size": 2, "dilation_rate": 3}, IMAGE),
    ],
    "ConvLSTM2D": [
        (
            {
                "filters": 3,
                "kernel_size": (3, 2),
                "strides": (2, 1),
                "padding": "same",
                "unit_forget_bias": False,
                **GATED,
                "kernel_constraint": KERNEL["kernel_constraint"],
            },
            (3, *IMAGE),
        ),
        ({"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}, (3, *IMAGE)),
    ],
    "Conv3D": [
        (
            {
                "filters": 6,
                "kernel_size": (2, 3, 2),
                "strides": (2, 1, 2),
                "padding": "same",
                "groups": 2,
                "activation": "relu",
                **KERNEL,
            },
            VOLUME,
        ),
        ({"filters": 3, "kernel_size": 2, "dilation_rate": (3, 2, 1), "use_bias": False}, VOLUME),
        ({"filters": 3, "kernel_size": 1, "activation": "swish"}, VOLUME),
    ],
    "Conv3DTranspose": [
        ({"filters": 3, "kernel_size": (3, 2, 1), **TRANSPOSED}, VOLUME),
        ({"filters": 2, "kernel_size": 3, "strides": (2, 1, 3), "output_padding": (1, 0, 2)}, VOLUME),
        ({"filters": 2, "kernel_size": (1, 2, 3), "strides": (3, 2, 1), "use_bias": False}, VOLUME),
        ({"filters": 2, "kernel_size": 2, "dilation_rate": (2, 1, 3), "activation": "swish"}, VOLUME),
    ],
    "Cropping1D": [({"cropping": (1, 2)}, STEPS), ({}, STEPS)],
    "Cropping2D": [({"cropping": ((1, 0), (2, 1))}, IMAGE), ({"cropping": 1}, IMAGE)],
    "Cropping3D": [({"cropping": ((1, 0), (2, 1), (0, 1))}, VOLUME), ({}, VOLUME)],
    "CustomScaleLayer": [({"scale": 0.25}, [IMAGE, IMAGE])],
    "CutMix": [({"factor": 0.5, "seed": 3}, IMAGE)],
    "Dense": [
        ({"units": 3, "activation": "softmax", **KERNEL, "kernel_constraint": regularizers.MaxNorm(1.5)}, ROW),
        ({"units": 5, "use_bias": False}, IMAGE),
    ],
    "DepthwiseConv1D": [
        ({"kernel_size": 3, "padding": "same", "activation": "relu6", **DEPTHWISE}, STEPS),
        ({"kernel_size": 3, "strides": 2, "use_bias": False}, STEPS),
        ({"kernel_size": 2, "dilation_rate": 2}, STEPS),
    ],
    "DepthwiseConv2D": [
        ({"kernel_size": (2, 3), "padding": "same", "activation": "relu6", **DEPTHWISE}, IMAGE),
        ({"kernel_size": 3, "strides": 2, "use_bias": False}, IMAGE),
        ({"kernel_size": 2, "dilation_rate": 2}, IMAGE),
    ],
    "Dot": [({"axes": -1}, [ROW, ROW]), ({"axes": (2, 1), "normalize": True}, [STEPS, (4, 3)])],
    "Dropout": [({"rate": 0.25, "seed": 5, "noise_shape": (None, 1, 1, 4)}, IMAGE)],
    "ELU": [({"alpha": 0.5}, IMAGE)],
    "Embedding": [
        (
            {
                "input_dim": 3,
                "output_dim": 5,
                "embeddings_initializer": initializers.RandomNormal(seed=3),
                "embeddings_regularizer": regularizers.L1L2(l2=0.5),
                "embeddings_constraint": regularizers.NonNeg(),
                "mask_zero": True,
            },
            ROW,
        ),
    ],
    "Flatten": [({}, IMAGE), ({}, ROW)],
    "GRU": [
        ({"units": 3, **GATED}, SEQUENCE),
        ({"units": 3, "reset_after": False}, SEQUENCE),
        ({"units": 3, "use_bias": False, "return_sequences": True}, SEQUENCE),
    ],
    "GaussianDropout": [({"rate": 0.25, "seed": 5}, IMAGE)],
    "GaussianNoise": [({"stddev": 0.25, "seed": 5}, IMAGE)],
    "GlobalAveragePooling1D": [({"keepdims": True}, STEPS), ({}, STEPS)],
    "GlobalAveragePooling2D": [({"keepdims": True}, IMAGE), ({}, IMAGE)],
    "GlobalAveragePooling3D": [({"keepdims": True}, VOLUME), ({}, VOLUME)],
    "GlobalMaxPooling1D": [({"keepdims": True}, STEPS), ({}, STEPS)],
    "GlobalMaxPooling2D": [({"keepdims": True}, IMAGE), ({}, IMAGE)],
    "GlobalMaxPooling3D": [({"keepdims": True}, VOLUME), ({}, VOLUME)],
    "GroupNormalization": [
        ({"groups": 2, "epsilon": 1e-5, **NORM}, IMAGE),
        ({"groups": 3, "axis": 1, "center": False}, IMAGE),
        ({"groups": -1, "scale": False}, IMAGE),
        ({"groups": 4}, ROW),
    ],
    "Identity": [({}, IMAGE)],
    "InputLayer": [({"batch_shape": (None, *IMAGE)}, None)],
    "LSTM": [
        ({"units": 3, "unit_forget_bias": False, **GATED}, SEQUENCE),
        ({"units": 3, "use_bias": False}, SEQUENCE),
    ],
    "LayerNormalization": [
        ({"epsilon": 1e-5, **NORM}, IMAGE),
        ({"center": False}, ROW),
        ({"scale": False}, IMAGE),
        ({"axis": [1, 2], **NORM}, IMAGE),
        ({"axis": [1, -1]}, IMAGE),
        ({"axis": -2}, IMAGE),
    ],
    "LayerScale": [({"init_values": 0.5, "projection_dim": 4}, IMAGE)],
    "LeakyReLU": [({"negative_slope": 0.125}, IMAGE)],
    "Masking": [({"mask_value": 0.5}, SEQUENCE)],
    "MaxPooling1D": [({"pool_size": 3, "strides": 1, "padding": "same"}, STEPS), ({}, STEPS)],
    "MaxPooling2D": [({"pool_size": 3, "strides": (1, 2), "padding": "same"}, IMAGE), ({}, IMAGE)],
    "MaxPooling3D": [({"pool_size": 3, "strides": (1, 2, 1), "padding": "same"}, VOLUME), ({}, VOLUME)],
    "Maximum": [({}, [IMAGE, IMAGE])],
    "Minimum": [({}, [IMAGE, IMAGE])],
    "MixUp": [({"alpha": 0.5, "seed": 3}, IMAGE)],
    "Multiply": [({}, [IMAGE, (1, 1, 4)])],
    "Normalization": [
        ({"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 0.0, 2.0]}, IMAGE),
        ({}, IMAGE),
        ({"axis": (1, 3)}, IMAGE),
        ({"axis": None, "mean": 2.0, "variance": 4.0, "invert": True}, ROW),
    ],
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
    "RandAugment": [({"value_range": (0, 1), "num_ops": 3, "factor": 0.25, "seed": 3}, IMAGE)],
    "RandomBrightness": [({"factor": 0.25, "value_range": (0, 1), "seed": 3}, IMAGE)],
    "RandomColorDegeneration": [({"factor": 0.25, **RANGED}, (6, 5, 3))],
    "RandomColorJitter": [({"brightness_factor": 0.25, "hue_factor": 0.5, **RANGED}, (6, 5, 3))],
    "RandomContrast": [({"factor": 0.25, "seed": 3}, IMAGE)],
    "RandomCrop": [({"height": 6, "width": 5, "seed": 3}, IMAGE)],
    "RandomElasticTransform": [({"factor": 0.25, "scale": 0.5, **RANGED}, IMAGE)],
    "RandomErasing": [({"factor": 0.25, "scale": (0.1, 0.2), **RANGED}, IMAGE)],
    "RandomFlip": [({"mode": "horizontal", "seed": 3}, IMAGE)],
    "RandomGaussianBlur": [({"factor": 0.25, "kernel_size": 5, "sigma": 0.5, **RANGED}, IMAGE)],
    "RandomGrayscale": [({"factor": 0.25, "seed": 3}, (6, 5, 3))],
    "RandomHeight": [({"factor": 0.25, "interpolation": "nearest", "seed": 3}, IMAGE)],
    "RandomHue": [({"factor": 0.25, **RANGED}, (6, 5, 3))],
    "RandomInvert": [({"factor": 0.25, **RANGED}, IMAGE)],
    "RandomPerspective": [({"factor": 0.25, "scale": 0.5, "seed": 3}, IMAGE)],
    "RandomPosterization": [({"factor": 4, **RANGED}, IMAGE)],
    "RandomRotation": [({"factor": 0.25, **ZOOM}, IMAGE)],
    "RandomSaturation": [({"factor": 0.25, **RANGED}, (6, 5, 3))],
    "RandomSharpness": [({"factor": 0.25, **RANGED}, IMAGE)],
    "RandomShear": [({"x_factor": 0.25, "y_factor": 0.5, "seed": 3}, IMAGE)],
    "RandomTranslation": [({"height_factor": 0.25, "width_factor": 0.125, **ZOOM}, IMAGE)],
    "RandomWidth": [({"factor": 0.25, "interpolation": "nearest", "seed": 3}, IMAGE)],
    "RandomZoom": [({"height_factor": 0.25, "width_factor": 0.125, **ZOOM}, IMAGE)],
    "ReLU": [({"max_value": 1.5, "negative_slope": 0.25, "threshold": 0.5}, IMAGE), ({"max_value": 6.0}, IMAGE)],
    "RepeatVector": [({"n": 3}, ROW)],
    "Rescaling": [({"scale": 0.25, "offset": -1.0}, IMAGE), ({"scale": 2.0, "offset": [1.0, 2.0, 3.0, 4.0]}, IMAGE)],
    "Reshape": [({"target_shape": (5, -1)}, IMAGE), ({"target_shape": (2, 4)}, ROW)],
    "Resizing": [
        ({"height": 9, "width": 3}, IMAGE),
        ({"height": 4, "width": 9, "interpolation": "nearest"}, IMAGE),
        ({"height": 11, "width": 3, "interpolation": "bicubic", "crop_to_aspect_ratio": True}, IMAGE),
        ({"height": 4, "width": 7, "antialias": True, "pad_to_aspect_ratio": True, "fill_value": 0.5}, IMAGE),
        ({"height": 4, "width": 7, "interpolation": "lanczos3", "fill_mode": "constant"}, IMAGE),
    ],
    "SeparableConv1D": [
        (
            {
                "filters": 3,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "activation": "relu",
                **POINTWISE,
                **DEPTHWISE,
            },
            STEPS,
        ),
        ({"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}, STEPS),
    ],
    "SeparableConv2D": [
        (
            {
                "filters": 3,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "activation": "relu",
                **POINTWISE,
                **DEPTHWISE,
            },
            IMAGE,
        ),
        ({"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}, IMAGE),
    ],
    "SimpleRNN": [
        ({"units": 3, "activation": "relu", **RECURRENT}, SEQUENCE),
        ({"units": 3, "use_bias": False}, SEQUENCE),
    ],
    "Softmax": [({"axis": 1}, IMAGE), ({}, ROW), ({"axis": [1, -1]}, IMAGE)],
    "Solarization": [({"addition_factor": 0.25, "threshold_factor": 0.5, **RANGED}, IMAGE)],
    "SpatialDropout1D": [({"rate": 0.25, "seed": 5}, STEPS)],
    "SpatialDropout2D": [({"rate": 0.25, "seed": 5}, IMAGE)],
    "SpatialDropout3D": [({"rate": 0.25, "seed": 5}, VOLUME)],
    "StochasticDepth": [({"drop_path_rate": 0.25}, IMAGE)],
    "Subtract": [({}, [IMAGE, IMAGE])],
    "TimeDistributed": [
        ({"layer": layers.Conv2D(3, 2, name="inner")}, (3, *IMAGE)),
        ({"layer": layers.GRU(2, name="inner")}, (2, *SEQUENCE)),
        ({"layer": layers.Flatten(name="inner")}, (3, *IMAGE)),
    ],
    "UnitNormalization": [({}, ROW), ({"axis": [1, 2]}, IMAGE)],
    "UpSampling1D": [({"size": 3}, STEPS), ({}, STEPS)],
    "UpSampling2D": [
        ({"size": (2, 3), "interpolation": "bilinear"}, IMAGE),
        ({"size": 2, "interpolation": "bicubic"}, IMAGE),
        ({}, IMAGE),
    ],
    "UpSampling3D": [({"size": (2, 3, 1)}, VOLUME), ({}, VOLUME)],
    "ZeroPadding1D": [({"padding": (1, 2)}, STEPS), ({}, STEPS)],
    "ZeroPadding2D": [({"padding": ((1, 0), (2, 1))}, IMAGE), ({}, IMAGE)],
    "ZeroPadding3D": [({"padding": ((1, 0), (2, 1), (0, 1))}, VOLUME), ({}, VOLUME)],
}
NUMBERED = [(name, index) for name, cases in CASES.items() for index in range(len(cases))]
