"""Who imports whom in minicnn, read from the source by `ast`: nothing is imported to find out."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {"minicnn": ROOT / "minicnn", "minicnn.kernels": ROOT / "kernels", "minicnn.weights": ROOT / "weights"}


@dataclass
class Module:
    """A module and what it imports: `eager` at its top level, `lazy` inside functions."""

    name: str
    is_package: bool
    eager: set[str] = field(default_factory=set)
    lazy: set[str] = field(default_factory=set)

    @property
    def imports(self) -> set[str]:
        return self.eager | self.lazy

    @property
    def unit(self) -> str:
        """The part of minicnn that it belongs to: "kernels" for minicnn.kernels.conv2d.blas; "" for minicnn itself."""
        return unit_of(self.name)


def unit_of(name: str) -> str:
    return (name.split(".") + [""])[1]


def read_modules() -> dict[str, Module]:
    """Every module of the project by name."""
    modules = {}
    for package, folder in SOURCES.items():
        for path in sorted(python_files(folder)):
            parts = path.relative_to(folder).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            module = Module(".".join([package, *(parts[:-1] if is_package else parts)]), is_package)
            read_imports(module, path.read_text("utf-8"))
            modules[module.name] = module
    return modules


def python_files(folder: Path) -> Iterator[Path]:
    """The modules below a folder; links to other folders are not followed."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink() and entry.name != "__pycache__":
            yield from python_files(entry)
        elif entry.suffix == ".py":
            yield entry


def read_imports(module: Module, text: str) -> None:
    """Fill in what a module's text imports, relative names made absolute; what only type checkers see is lazy."""
    tree = ast.parse(text)
    inside = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        or (isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING")
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        names = module.lazy if id(node) in inside else module.eager
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    kept = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def units(modules: dict[str, Module]) -> dict[str, set[str]]:
    """For every unit the other units that it imports, eagerly or not."""
    known = {module.unit for module in modules.values()} - {""}
    found: dict[str, set[str]] = {unit: set() for unit in known}
    for module in modules.values():
        if module.unit:
            named = {unit_of(name) for name in module.imports if name.startswith("minicnn.")}
            found[module.unit] |= (named & known) - {module.unit}
    return found


def eager_closure(modules: dict[str, Module], start: str) -> set[str]:
    """All modules of the project that run when `start` is imported, their parent packages among them."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        parts = name.split(".")
        for prefix in (".".join(parts[:i]) for i in range(1, len(parts) + 1)):
            if prefix in modules and prefix not in reached:
                reached.add(prefix)
                waiting.extend(modules[prefix].eager)
    return reached


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Units that import each other in a circle, or []."""
    done: set[str] = set()

    def visit(unit: str, path: list[str]) -> list[str]:
        if unit in path:
            return path[path.index(unit) :]
        if unit not in done:
            for target in sorted(graph[unit]):
                if found := visit(target, [*path, unit]):
                    return found
        done.add(unit)
        return []

    return next((found for unit in sorted(graph) if (found := visit(unit, []))), [])
