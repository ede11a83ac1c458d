"""What importing a part of the package loads, and that its names are what they are called."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import lnm_kit

FOLDER = Path(lnm_kit.__file__).parent
LAZY = sorted(stub.parent.name for stub in FOLDER.glob("*/__init__.pyi"))
HEAVY = {"torch", "lightning_fabric", "sklearn", "imblearn", "shap", "statsmodels", "matplotlib"}


@pytest.mark.parametrize("name", LAZY)
def test_every_name_of_a_package_loads_and_none_is_hidden_by_a_module(name):
    package = import_module(f"lnm_kit.{name}")
    modules = {path.stem for path in (FOLDER / name).iterdir()}
    assert package.__all__
    for attribute in package.__all__:
        assert getattr(package, attribute) is not None
        # once its module is loaded, a module of the same name would take the attribute's place
        assert attribute not in modules


@pytest.mark.parametrize(
    "module",
    [
        "lnm_kit",
        "lnm_kit.cohort",
        "lnm_kit.explain",
        "lnm_kit.radiomics.extraction",
        "lnm_kit.simulate.frames",
    ],
)
def test_what_many_processes_load_is_light(module):
    code = f"import sys, {module}; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_drawing_figures_does_not_load_networks():
    code = "import sys, lnm_kit.figures, lnm_kit.runs; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
