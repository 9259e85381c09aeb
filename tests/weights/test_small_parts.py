"""Roles, reports, doubts, atomic files, and the examples in the docstrings."""

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import minicnn.weights
from minicnn.errors import FileAccessError
from minicnn.weights import LoadReport, ReportRow
from minicnn.weights.atomic import replacing
from minicnn.weights.doubts import doubts
from minicnn.weights.roles import layer_of, role_of

MODULES = [module.name for module in pkgutil.walk_packages(minicnn.weights.__path__, "minicnn.weights.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize(
    ("name", "role", "layer"),
    [
        ("conv1/kernel:0", "kernel", "conv1"),
        ("conv1_3/bias", "bias", "conv1_3"),
        ("block1_conv1_W_1:0", "kernel", "block1_conv1"),
        ("block1_conv1_b_1:0", "bias", "block1_conv1"),
        ("convolution2d_1_W", "kernel", "convolution2d_1"),
        ("batchnormalization_1_running_std:0", "moving_variance", "batchnormalization_1"),
        ("bn/moving_mean:0", "moving_mean", "bn"),
        ("separableconvolution2d_1_depthwise_kernel:0", "depthwise_kernel", "separableconvolution2d_1"),
        ("prelu_1_alphas", "alpha", "prelu_1"),
        ("a/b/c/gamma", "gamma", "a/b/c"),
        ("normalization/variance", "variance", "normalization"),
        ("0", "0", "0"),
        ("something/else:0", "else", "something"),
    ],
)
def test_roles_and_layers_of_stored_names(name, role, layer):
    assert role_of(name) == role
    assert layer_of(name) == layer


def test_only_depthwise_layers_rename_their_kernel():
    assert role_of("dw/depthwise_kernel:0", "DepthwiseConv2D") == "kernel"
    assert role_of("sep/depthwise_kernel:0", "SeparableConv2D") == "depthwise_kernel"


@pytest.mark.parametrize("place", [0, 3, 1_500_000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_every_value_that_is_not_finite_is_counted(place, value):
    array = np.ones(2_000_000, "f4")
    array[place] = value
    assert doubts("a/kernel", "kernel", array) == ["a/kernel has 1 values of 2000000 that are NaN or infinite"]


def test_finite_values_with_an_infinite_sum_are_not_doubted():
    assert doubts("a/kernel", "kernel", np.full(1000, 3e38, "f4")) == []
    assert doubts("a/kernel", "kernel", np.float32(2.0)) == []
    assert doubts("a/gamma", "gamma", np.float32([-1.0])) == []


def test_a_report_lists_names_by_status():
    rows = [
        ReportRow("a", "x", ((1,),), ((1,),)),
        ReportRow("b", "b", ((1,),), ((2,),), "kernel is (2,) in the file, (1,) in the model"),
        ReportRow("c", None, ((3, 4), ())),
        ReportRow(None, "d", (), ((5,),)),
    ]
    report = LoadReport("file.h5", "order", rows, ["a/kernel has 1 values of 1 that are NaN or infinite"])
    assert (report.loaded, report.mismatched, report.missing, report.unexpected) == (["a"], ["b"], ["c"], ["d"])
    lines = str(report).splitlines()
    assert lines[0] == "file.h5: 1 loaded, 1 missing, 1 unexpected, 1 mismatched (layers, by order)"
    assert "kernel is (2,) in the file" in lines[3]
    assert "3×4 scalar" in lines[4]
    assert lines[-1] == report.warnings[0]


def test_a_replaced_file_has_the_usual_permissions(tmp_path):
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("new")
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def fail_while_replacing(path, error):
    with replacing(path) as temporary:
        temporary.write_text("new")
        raise error


def test_an_error_while_writing_keeps_the_old_file(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyError):
        fail_while_replacing(tmp_path / "a", KeyError())
    with pytest.raises(FileAccessError, match="disk on fire; no file was changed"):
        fail_while_replacing(tmp_path / "a", OSError("disk on fire"))
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="there are no fifos")
@pytest.mark.parametrize("name", ["fifo", "link"])
def test_what_is_no_regular_file_is_never_replaced(tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    entered = []
    with pytest.raises(FileAccessError, match="is a device or a pipe"), replacing(tmp_path / name):
        entered.append(name)
    assert not entered
    assert (tmp_path / "fifo").is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link"]


def test_reading_needs_numpy_alone():
    script = "import sys, minicnn.weights; print([m for m in ('h5py', 'numba', 'minicnn.kernels') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
