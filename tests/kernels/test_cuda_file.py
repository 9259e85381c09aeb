"""`CudaFile`: a name of a file that is not there is said where it is written, not where it is compiled."""

import re

import pytest

from minicnn.errors import ArgumentError
from minicnn.kernels._gpu.file import CudaFile, cuda_files

pytestmark = pytest.mark.numpy_only


def test_a_file_that_is_not_there_is_named_with_those_that_are():
    before = list(cuda_files)
    with pytest.raises(ArgumentError, match=re.escape("softmax/missing.cu: its folder has softmax/cuda.cu")):
        CudaFile("softmax/missing.cu")
    with pytest.raises(ArgumentError, match=re.escape("op/missing.cu: its folder has no .cu file")):
        CudaFile("op/missing.cu")
    assert cuda_files == before
