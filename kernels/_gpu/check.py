"""What is wrong with a GPU, its driver or CuPy, each in one sentence that says what to do."""

from typing import Any

from minicnn.errors import DeviceError

from .nvrtc import target_for, version
from .packages import install_nvrtc, replace_cupy

LEAST_CAPABILITY = (7, 5)
OUT_OF_MEMORY, INSUFFICIENT_DRIVER, NO_DEVICE = 2, 35, 100  # of cudaError_t; the first also of CUresult
NEEDED = "for an NVIDIA GPU, install its driver from nvidia.com/drivers, and start a container by docker run --gpus all"
NO_GPU = "the NVIDIA driver finds no GPU: see nvidia-smi and the variable CUDA_VISIBLE_DEVICES"


def examine(cupy: Any) -> str:
    """The name of a GPU that kernels can run on.

    Raises
    ------
    DeviceError
        There is none: no driver, an old one, no GPU, an old one, no compiler, or arithmetic fails.
    """
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(_no_device(cupy.cuda.runtime, error)) from error
    if not count:
        raise DeviceError(NO_GPU)
    found = properties(cupy)
    name, (major, minor) = found["name"].decode(), capability(found)
    if (major, minor) < LEAST_CAPABILITY:
        raise DeviceError(f"{name} is an sm_{major}{minor}, and kernels need sm_75 or newer")
    target_for((major, minor))
    _check_compiler(cupy.cuda.runtime.driverGetVersion())
    try:
        (cupy.zeros(1, "f4") + 1).get()
    except Exception as error:  # of the driver, of CuPy's compiler, of the libraries that CuPy loads only now
        raise DeviceError(f"CuPy cannot compute on {name} ({in_short(error)}): {replace_cupy()}") from error
    return name


def _no_device(runtime: Any, error: Any) -> str:
    """Why the devices cannot be counted, and what to do."""
    if error.status == NO_DEVICE:
        return NO_GPU
    if error.status != INSUFFICIENT_DRIVER:
        return f"the NVIDIA driver cannot use the GPU ({in_short(error)}): see nvidia-smi"
    driver, needed = runtime.driverGetVersion(), runtime.runtimeGetVersion() // 1000
    if not driver:
        return f"there is no NVIDIA driver: {NEEDED}"
    other = f", or put CuPy for CUDA 12 in its place: {replace_cupy(12)}" if driver // 1000 == 12 < needed else ""
    return f"the NVIDIA driver is one of {_cuda(driver)}, and CuPy needs CUDA {needed}: update the driver{other}"


def _check_compiler(driver: int) -> None:
    major, minor = version()
    if major > driver // 1000:
        raise DeviceError(
            f"NVRTC {major}.{minor} is newer than the NVIDIA driver, one of {_cuda(driver)}, which would not load what "
            f"it compiles: {install_nvrtc(12)}, or update the driver"
        )


def _cuda(number: int) -> str:
    return f"CUDA {number // 1000}.{number % 1000 // 10}"


def in_short(error: Exception) -> str:
    """An error in one line: some of CuPy's are pages, whose last line says why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
    return f"{type(error).__name__}: {lines[-1][:300]}" if lines else type(error).__name__


def properties(cupy: Any) -> dict[str, Any]:
    """What CUDA says of the current GPU."""
    runtime = cupy.cuda.runtime
    return runtime.getDeviceProperties(runtime.getDevice())


def capability(found: dict[str, Any]) -> tuple[int, int]:
    """(8, 6) for an sm_86."""
    return found["major"], found["minor"]
