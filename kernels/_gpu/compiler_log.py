"""What NVIDIA's compilers say, NVRTC and nvcc in their own words: errors, warnings, and each kernel's resources."""

import re
from pathlib import Path
from typing import NamedTuple

_ERROR = re.compile(
    r"(?:(.+?)\((\d+)\): (?:catastrophic )?|ptxas .*?, line (\d+); |[\w -]*?(?:: )?)(?:error|fatal)(?: #\S+)? *: *(.*)"
)
_WARNING = re.compile(r"(\(\d+\): |ptxas |^)warning\b")
_ENTRY = re.compile(r"Compiling entry function '(\w+)'")
_FUNCTION = re.compile(r"Function properties for (\w+)")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


class Resources(NamedTuple):
    """What a kernel takes of a multiprocessor.

    Attributes
    ----------
    registers : int
        Of each thread.
    spilled : int
        Bytes of instructions that move registers to memory and back, for want of more.
    shared : int
        Bytes of shared memory that are known when it is compiled.
    stack : int
        Bytes of each thread in memory: of spilled registers, and of arrays whose index is not known.
    """

    registers: int
    spilled: int
    shared: int
    stack: int


def first_error(log: str, source: Path, ptx: str = "") -> str:
    """The first error of a log, as "conv2d.cu, line 3: what is wrong", or "a.cuh, line 3, for conv2d.cu: ...".

    The assembler names a line of the PTX that it was given, whose own marks say which line of the source that is.
    """
    found = next(filter(None, map(_ERROR.match, log.splitlines())), None)
    if found is None:
        return f"{source}: it does not compile"
    file, line, ptx_line, what = found.groups()
    if ptx_line:
        file, line = _line_of(ptx, int(ptx_line))
    if not file:
        return f"{source}: {what}"
    return f"{file}, line {line}{'' if file == str(source) else f', for {source}'}: {what}"


def _line_of(ptx: str, line: int) -> tuple[str, str]:
    """The file and line of the source that a line of PTX was made of; ("", "") where nothing marks it."""
    marks = re.findall(r"^\s*\.loc\s+(\d+) (\d+)", "\n".join(ptx.splitlines()[:line]), re.MULTILINE)
    files = dict(re.findall(r'^\s*\.file\s+(\d+) "(.*?)"', ptx, re.MULTILINE))
    return (files[marks[-1][0]], marks[-1][1]) if marks else ("", "")


def warnings_in(log: str) -> tuple[str, ...]:
    """The lines that warn."""
    return tuple(line.strip() for line in log.splitlines() if _WARNING.search(line))


def resources_in(log: str) -> dict[str, Resources]:
    """What ptxas says of each kernel, by its name."""
    used, stacks, entry, function = {}, {}, "", ""
    for line in log.splitlines():
        if found := _ENTRY.search(line):
            entry = found[1]
        elif found := _FUNCTION.search(line):
            function = found[1]
        elif found := _STACK.search(line):
            stacks[function] = [int(number) for number in found.groups()]
        elif (found := _USED.search(line)) and entry:
            used[entry] = int(found[1]), int(found[2] or 0)
    return {name: _resources(*numbers, *stacks.get(name, (0, 0, 0))) for name, numbers in used.items()}


def _resources(registers: int, shared: int, stack: int, stored: int, loaded: int) -> Resources:
    return Resources(registers, stored + loaded, shared, stack)
