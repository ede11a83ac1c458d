"""The workflows do what a reader is told to type, with nothing but the host's own actions."""

import re
import subprocess
import tomllib

import pytest
import yaml

NAMES = ("book", "publish", "tests")
# what `make test` and `make book` do not say: the outside look at the pages
ALSO = (
    ".venv/bin/python tools/check_book.py _build/html",
    ".venv/bin/python tools/check_book.py public",
)


def read(repository, name):
    text = (repository / ".github" / "workflows" / f"{name}.yml").read_text()
    return text, yaml.safe_load(text)


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow):
    return [line for step in steps(workflow) for line in step.get("run", "").splitlines() if line]


def told(repository):
    """Commands of the code blocks that a reader sees, without their comments."""
    pages = ("README.md", "book/start/re-run.md")
    text = "\n".join((repository / page).read_text() for page in pages)
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [
        re.split(r"\s{2,}#", line)[0].strip() for block in blocks for line in block.splitlines()
    ]
    lines += re.findall(r"`(make [^`]+)`", text)
    return {re.sub(r"^lnm ", ".venv/bin/lnm ", line) for line in lines}


def test_there_are_three(repository):
    found = sorted(path.stem for path in (repository / ".github" / "workflows").iterdir())
    assert found == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_one_that_a_reader_is_told(repository, name):
    _, workflow = read(repository, name)
    found = commands(workflow)
    assert found
    assert set(found) <= told(repository) | set(ALSO)


def test_the_two_commands_of_the_readme_are_called(repository):
    called = {name: commands(read(repository, name)[1]) for name in NAMES}
    assert "make test" in called["tests"]
    assert "make book PROFILE=smoke" in called["book"]
    assert called["publish"][:2] == ["make book", ".venv/bin/lnm book --publish public"]


def test_every_target_of_make_is_there(repository):
    called = [line for name in NAMES for line in commands(read(repository, name)[1])]
    for line in called:
        if line.startswith("make "):
            done = subprocess.run(
                [*line.split(), "--dry-run"], cwd=repository, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr


def test_every_python_that_the_package_takes_is_tested(repository):
    _, workflow = read(repository, "tests")
    found = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    assert found == [f"3.{minor}" for minor in range(int(low), int(high))]


@pytest.mark.parametrize("name", NAMES)
def test_only_the_hosts_own_actions_few_rights_and_a_time_limit(repository, name):
    text, workflow = read(repository, name)
    assert not re.search(r"https?://|\bsecrets\.|pull_request_target", text)
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
        # what others write (titles, branches) must not reach a shell
        assert "${{" not in step.get("run", "")
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 180


def test_publication_is_not_of_every_push(repository):
    # YAML reads the word `on` as true
    triggers = read(repository, "publish")[1][True]
    assert set(triggers) == {"release", "workflow_dispatch"}
