"""Every file that real Keras wrote, and every damaged or hostile one made from them."""

import json
import re
import subprocess
import sys

import pytest
from weight_cases import FILES, check_arrays, golden_spec

from minicnn.errors import FileFormatError, MinicnnError, WeightsMismatchError
from minicnn.weights import match, open_weights

KINDS = dict(re.findall(r"^\| (\S+) \| \d+ \| (\w+) \|", (FILES / "README.md").read_text(), re.MULTILINE))
VALID = [name for name, kind in KINDS.items() if kind == "valid"]
WEIGHTS_ONLY = [name for name in KINDS if name.endswith(".h5") and "_full" not in name and "lambda" not in name]
REFUSED = [name for name in WEIGHTS_ONLY if KINDS[name] == "refuse" and name != "bad_swapped_order.h5"]
BAD_CONFIG = {  # sound as weights files; the model builder refuses what their configs say
    "bad_unknown_layer.keras",
    "bad_dangling_inbound.keras",
    "bad_cyclic_graph.keras",
    "evil_config_module.keras",
    "evil_lambda_bytecode.keras",
}
REFUSED_ARCHIVES = [n for n, kind in KINDS.items() if n.endswith(".keras") and kind == "refuse" and n not in BAD_CONFIG]


def load(name, **options):
    spec, arrays = golden_spec(name)
    with open_weights(FILES / name) as file:
        plan = match(file, spec, **options)
        plan.read()
    return plan, spec, arrays


@pytest.mark.parametrize("name", VALID)
def test_valid_files_give_the_recorded_weights(name):
    spec, arrays = golden_spec(name)
    with open_weights(FILES / name) as file:
        plan = match(file, spec)
        check_arrays(plan, spec, arrays)
    assert not plan.report.warnings
    assert not plan.report.missing + plan.report.unexpected + plan.report.mismatched


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tiny_legacy_weights.h5", ("legacy weights", "2.21.0", False)),
        ("tiny_legacy_full_by_keras3.h5", ("legacy model", "3.15.1", True)),
        ("tiny_keras3.weights.h5", ("Keras 3 weights", None, False)),
        ("tiny_keras3.keras", ("Keras 3 archive", "3.15.1", True)),
    ],
)
def test_the_format_is_told_by_the_contents(name, expected, tmp_path):
    disguised = tmp_path / "weights.bin"
    disguised.write_bytes((FILES / name).read_bytes())
    with open_weights(disguised) as file:
        assert (file.format, file.keras_version, file.config is not None) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_by_name(name):
    with pytest.raises((FileFormatError, WeightsMismatchError)) as error:
        load(name)
    assert str(FILES / name) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", REFUSED_ARCHIVES)
def test_bad_archives_are_refused_by_name(name):
    with pytest.raises(FileFormatError) as error:
        open_weights(FILES / name)
    assert str(FILES / name) in str(error.value)


@pytest.mark.parametrize("name", sorted(BAD_CONFIG))
def test_configs_are_handed_over_as_data(name):
    with open_weights(FILES / name) as file:
        assert isinstance(file.config, dict)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bad_empty.h5", "empty"),
        ("bad_not_hdf5.h5", "web page"),
        ("bad_truncated_50_tiny_legacy_weights.h5", "cut off: 34776 bytes were written, 17388 are there"),
        ("bad_wrong_shape.h5", r"'conv1'.*\(3, 3, 3, 7\) in the file, \(3, 3, 3, 6\) in the model"),
        ("bad_transposed_kernel.h5", "filters first"),
        ("bad_missing_layer.h5", "'sep'"),
        ("bad_missing_group.h5", "/sep"),
        ("bad_missing_dataset.h5", "sep/bias:0"),
        ("bad_no_layer_names.h5", "layer_names"),
        ("evil_external_link.h5", "link"),
        ("evil_external_dataset.h5", "in other files"),
        ("evil_virtual_dataset.h5", "virtual"),
        ("bad_compound_dtype.h5", "compound"),
    ],
)
def test_refusals_say_what_is_wrong(name, said):
    with pytest.raises(MinicnnError, match=said):
        load(name)


def test_layers_in_another_order_are_loaded_right_by_name():
    spec, arrays = golden_spec("bad_swapped_order.h5")
    with open_weights(FILES / "bad_swapped_order.h5") as file:
        check_arrays(match(file, spec), spec, arrays)


def test_renamed_layers_are_loaded_by_order_and_skipped_by_name():
    plan, spec, arrays = load("bad_renamed_layers.h5")
    assert plan.report.matched_by == "order"
    with open_weights(FILES / "bad_renamed_layers.h5") as file:
        check_arrays(match(file, spec), spec, arrays)
    loose, _, _ = load("bad_renamed_layers.h5", strict=False)
    assert loose.report.missing == ["conv1", "fc"]
    assert loose.report.unexpected == ["first_conv", "hidden"]
    assert len(loose.report.loaded) == 5


def test_an_extra_layer_is_refused_unless_asked_for():
    with pytest.raises(WeightsMismatchError, match="extra_dense"):
        load("bad_extra_layer.h5")
    for options in ({"strict": False}, {"by_name": True}, {"allow_head": True}):
        plan, _, _ = load("bad_extra_layer.h5", **options)
        assert plan.report.unexpected == ["extra_dense"]
        assert len(plan.report.loaded) == 7


@pytest.mark.parametrize(
    ("name", "said"), [("bad_nan_weights.h5", "NaN"), ("bad_negative_variance.h5", "negative variance")]
)
def test_doubtful_weights_are_loaded_with_a_warning(name, said):
    plan, _, _ = load(name)
    assert len(plan.report.warnings) == 1
    assert said in plan.report.warnings[0]
    assert plan.report.warnings[0] in str(plan.report)


def test_a_cycle_of_hard_links_does_no_harm():
    spec, arrays = golden_spec("evil_hard_link_cycle.h5")
    with open_weights(FILES / "evil_hard_link_cycle.h5") as file:
        check_arrays(match(file, spec), spec, arrays)


WATCH = """
import encodings.cp437, json, sys  # the encoding of old zip names
from minicnn.errors import MinicnnError
from minicnn.weights import open_weights
import minicnn.weights.hdf5
opened = []
sys.addaudithook(lambda event, args: opened.append([event, str(args[0])])
    if event in ("open", "import", "exec", "os.system", "subprocess.Popen", "socket.connect") else None)
for name in sys.argv[1:]:
    try:
        with open_weights(name) as file:
            for layer in file.layers:
                for weight in layer.weights:
                    if len(weight.shape) < 5 and max(weight.shape, default=0) < 1000:
                        weight.read(weight.shape)
    except MinicnnError:
        pass
print(json.dumps(opened))
"""


def test_hostile_files_open_nothing_but_themselves():
    names = [str(FILES / name) for name in KINDS if name.startswith("evil_")]
    done = subprocess.run([sys.executable, "-c", WATCH, *names], capture_output=True, text=True, check=True, timeout=60)
    assert {what for _, what in json.loads(done.stdout)} == set(names)
