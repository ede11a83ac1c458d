"""Identity of code: which modules of the package some code uses, and a digest of their sources."""

import ast
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

DATA_SUFFIXES = (".toml", ".csv", ".json", ".mplstyle")


def code_digest(modules: Sequence[ModuleType]) -> str:
    """Return a SHA-256 of the modules and of every package module they import, transitively.

    Comments, docstrings and formatting do not change it, since they cannot change a result.
    Imports are found by reading the sources, those inside of functions too. Data files (TOML,
    CSV, JSON) that stand beside or below a module count as part of it. A process reads them once:
    what it runs is the code that it loaded.

    Examples
    --------
    >>> import lnm_kit.errors
    >>> len(code_digest([lnm_kit.errors]))
    64
    """
    files = [Path(module.__file__) for module in modules if module.__file__]
    if len(files) < len(modules):
        raise TypeError("every module given as code must have a source file")
    return _digest_once(tuple(files))


@cache
def _digest_once(files: tuple[Path, ...]) -> str:
    return files_digest(files, package_folder())


def package_folder() -> Path:
    """Return the folder of the installed package."""
    return Path(__file__).resolve().parent


def files_digest(files: Iterable[Path], package: Path, *, code: str = "") -> str:
    """Return a SHA-256 of source files and of what they import from the package, transitively.

    Parameters
    ----------
    files
        Python source files, inside of the package or not.
    package
        The folder of the package ``lnm_kit``.
    code
        Python code that stands in no file, whose imports count too (but not itself).
    """
    waiting = [path.resolve() for path in files]
    waiting += sorted(imported_files(ast.parse(code), package, package))
    trees = {path: parse(path.read_text(encoding="utf-8")) for path in waiting}
    while waiting:
        importer = waiting.pop()
        for path in sorted(imported_files(trees[importer], package, importer.parent)):
            if path not in trees:
                trees[path] = parse(path.read_text(encoding="utf-8"))
                waiting.append(path)
    digest = hashlib.sha256()
    for name, text in sorted((_name(path, package), dump(tree)) for path, tree in trees.items()):
        digest.update(f"{name}\0{text}\0".encode())
    for path in sorted(_data_files(trees, package.resolve())):
        digest.update(f"{_name(path, package)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def parse(source: str) -> ast.Module:
    """Parse Python source and drop its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and _is_text(first.value):
                node.body = node.body[1:]
    return tree


def dump(tree: ast.Module) -> str:
    """Return the tree as text without positions."""
    return ast.dump(tree)


def imported_files(tree: ast.Module, package: Path, folder: Path) -> set[Path]:
    """Return the source files of the package's modules that a syntax tree imports.

    Parameters
    ----------
    tree
        The syntax tree.
    package
        The folder of the package ``lnm_kit``.
    folder
        Where the source of `tree` stands, for its relative imports.
    """
    stems: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            stems.update(_stem(alias.name, package.resolve()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                start = [folder, *folder.parents][node.level - 1]
                base = start.joinpath(*(node.module or "").split("."))
            else:
                base = _stem(node.module or "", package.resolve())
            stems.update([base, *(base / alias.name for alias in node.names)])
    # a package whose names are loaded when they are asked for lists them in its stub
    kinds = ("__init__.py", "__init__.pyi")
    files = {stem / kind for stem in stems for kind in kinds}
    files |= {stem.with_suffix(".py") for stem in stems}
    return {path for path in files if path.is_relative_to(package.resolve()) and path.is_file()}


def _stem(module: str, package: Path) -> Path:
    """Map a module's dotted name to its path without suffix, the package's own root included."""
    return package.parent.joinpath(*module.split(".")) if module else package.parent


def _data_files(paths: Iterable[Path], package: Path) -> set[Path]:
    """Return the data files beside the modules, and in folders below them."""
    folders = {path.parent for path in paths if path.is_relative_to(package)} - {package}
    beside = [path for folder in folders for path in folder.rglob("*")]
    return {path for path in [*beside, *package.iterdir()] if path.suffix in DATA_SUFFIXES}


def _name(path: Path, package: Path) -> str:
    root = package.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
