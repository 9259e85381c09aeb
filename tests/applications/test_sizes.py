"""Every row of the table of architectures is what its builder builds: counts, sides, preprocessing."""

import pytest

from minicnn import applications
from minicnn.errors import ShapeError
from minicnn.weights.architectures import architectures

pytestmark = pytest.mark.numpy_only
PARTS = {  # layers, those with weights, numbers that are not trained, channels of the features
    "VGG16": (23, 16, 0, 512),
    "VGG19": (26, 19, 0, 512),
    "ResNet50": (177, 107, 53_120, 2048),
    "ResNet101": (347, 209, 105_344, 2048),
    "ResNet152": (517, 311, 151_424, 2048),
    "ResNeXt50": (193, 107, 68_224, 2048),
    "ResNeXt101": (380, 209, 137_856, 2048),
    "ResNet50V2": (192, 103, 45_440, 2048),
    "ResNet101V2": (379, 205, 97_664, 2048),
    "ResNet152V2": (566, 307, 143_744, 2048),
    "DenseNet121": (429, 242, 83_648, 1024),
    "DenseNet169": (597, 338, 158_400, 1664),
    "DenseNet201": (709, 402, 229_056, 1920),
    "Xception": (134, 81, 54_528, 2048),
    "AlexNet": (16, 8, 0, 256),
    "SqueezeNet1_0": (44, 26, 0, 512),
    "SqueezeNet1_1": (44, 26, 0, 512),
    "InceptionV3": (313, 189, 34_432, 2048),
    "InceptionResNetV2": (782, 449, 60_544, 1536),
    "NASNetMobile": (771, 389, 36_738, 1056),
    "NASNetLarge": (1041, 533, 196_668, 4032),
    "GoogLeNet": (202, 115, 14_560, 1024),
    "MobileNet": (91, 55, 21_888, 1024),
    "MobileNetV2": (156, 105, 34_112, 1280),
    "MobileNetV3Small": (164, 88, 12_112, 576),
    "MobileNetV3Large": (194, 110, 24_400, 960),
    "EfficientNetB0": (240, 132, 42_023, 1280),
    "EfficientNetB1": (342, 186, 62_055, 1280),
    "EfficientNetB2": (342, 186, 67_575, 1408),
    "EfficientNetB3": (387, 210, 87_303, 1536),
    "EfficientNetB4": (477, 258, 125_207, 1792),
    "EfficientNetB5": (579, 312, 172_743, 2048),
    "EfficientNetB6": (669, 360, 224_439, 2304),
    "EfficientNetB7": (816, 438, 310_727, 2560),
    "EfficientNetV2B0": (273, 151, 60_608, 1280),
    "EfficientNetV2B1": (337, 185, 71_072, 1280),
    "EfficientNetV2B2": (352, 193, 82_288, 1408),
    "EfficientNetV2B3": (412, 225, 109_216, 1536),
    "EfficientNetV2S": (516, 281, 153_872, 1280),
    "EfficientNetV2M": (743, 403, 292_032, 1280),
    "EfficientNetV2L": (1031, 557, 512_576, 1280),
    "ConvNeXtTiny": (135, 96, 0, 768),
    "ConvNeXtSmall": (261, 186, 0, 768),
    "ConvNeXtBase": (261, 186, 0, 1024),
    "ConvNeXtLarge": (261, 186, 0, 1536),
    "ConvNeXtXLarge": (261, 186, 0, 2048),
}
FIXED = {"NASNetMobile": 224}  # which has the sides of its pictures without top too
FREE = {"MobileNetV3Small", "MobileNetV3Large"}  # which take pictures of any sides with their top


@pytest.mark.parametrize("row", architectures(), ids=str)
def test_the_table_says_what_is_built(row):
    build = getattr(applications, row.name)
    assert build.__module__ == f"minicnn.applications.{row.module}"
    model = build(weights=None, **row.arguments)
    side = None if row.name in FREE else row.side
    assert (model.input_shape, model.output_shape) == ((None, side, side, 3), (None, 1000))
    assert model.count_params() == row.parameters
    assert model.metadata["preprocessing"] == row.preprocessing
    body = build(weights=None, include_top=False, input_shape=(row.side, row.side, 3), **row.arguments)
    assert body.count_params() == row.headless
    assert all(weight._array is None for weight in model.weights)  # nothing is drawn before it is looked at
    with pytest.raises(ShapeError, match=f"at least {row.least}x{row.least}"):
        build(weights=None, include_top=False, input_shape=(row.least - 1, row.least, 3), **row.arguments)


@pytest.mark.parametrize("row", [row for row in architectures() if row.name in PARTS and not row.arguments], ids=str)
def test_parts_of_the_whole_and_of_the_features(row):
    build = getattr(applications, row.name)
    model, features = build(weights=None), build(weights=None, include_top=False)
    untrained = sum(weight.size for weight in model.non_trainable_weights)
    weighted = sum(bool(layer.weights) for layer in model.layers)
    assert (len(model.layers), weighted, untrained, features.output_shape[-1]) == PARTS[row.name]
    side = FIXED.get(row.name)
    assert features.input_shape == (None, side, side, 3)
