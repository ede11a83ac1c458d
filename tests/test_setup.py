"""The files from which an environment is made say the same."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

LOCKS = ("requirements.lock", "requirements-pyradiomics.lock")


@pytest.fixture(scope="module")
def project(repository: Path) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def declared(project: dict) -> dict[str, Requirement]:
    lines = project["dependencies"] + project["optional-dependencies"]["dev"]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def locked_versions(repository: Path) -> dict[str, list[Version]]:
    versions: dict[str, list[Version]] = {}
    for lock in LOCKS:
        for name, version in re.findall(
            r"^([a-z0-9-]+)==([^\s;]+)", (repository / lock).read_text(), flags=re.MULTILINE
        ):
            versions.setdefault(name, []).append(Version(version))
    return versions


def test_every_declared_package_is_locked_inside_its_range(repository, declared):
    locked = locked_versions(repository)
    for name, requirement in declared.items():
        assert name in locked, f"{name} is not in a lock file"
        assert all(version in requirement.specifier for version in locked[name]), name


def test_locks_hold_a_hash_for_every_package_and_no_address(repository):
    for lock in LOCKS:
        text = (repository / lock).read_text()
        assert "://" not in text
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert all("--hash=sha256:" in block for block in blocks)


def test_conda_environment_has_the_ranges_of_pyproject(repository, project, declared):
    environment = yaml.safe_load((repository / "environment.yml").read_text())
    conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    python = next(Requirement(line) for line in conda if line.startswith("python"))
    assert set(str(python.specifier).split(",")) == set(project["requires-python"].split(","))
    # pyradiomics can't stand in the list: it needs numpy installed before it is built.
    expected = {str(req) for name, req in declared.items() if name != "pyradiomics"}
    assert {str(Requirement(line)) for line in pip} == expected
    comment = (repository / "environment.yml").read_text()
    assert str(declared["pyradiomics"]) in comment


def test_supported_pythons_agree_with_the_machine_check(repository, project):
    text = (repository / "tools" / "check_machine.py").read_text()
    low, high = re.search(r"MINIMUM, LIMIT = \((3), (\d+)\), \(3, (\d+)\)", text).group(2, 3)
    assert project["requires-python"] == f">=3.{low},<3.{high}"


def test_the_linter_reads_every_module_of_package_and_tests(repository):
    ruff = [sys.executable, "-m", "ruff", "check", "--show-files", "lnm_kit", "tests"]
    done = subprocess.run(ruff, cwd=repository, capture_output=True, text=True, check=True)
    read = {Path(line).resolve() for line in done.stdout.split()}
    modules = {
        path.resolve()
        for part in ("lnm_kit", "tests")
        for path in (repository / part).rglob("*.py")
    }
    assert modules <= read
