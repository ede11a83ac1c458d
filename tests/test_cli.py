import logging
import subprocess
import sys

import pytest

from lnm_kit import cli


@pytest.fixture
def lnm(monkeypatch, capsys):
    """Return a function that runs the command line and returns exit code, output and errors."""
    logger = logging.getLogger("lnm_kit")
    handlers, level = list(logger.handlers), logger.level

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["lnm", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        code = caught.value.code
        return (0 if code is None else code, *capsys.readouterr())

    yield call
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_help_names_the_commands_and_loads_little(repository):
    script = "import sys; sys.argv = ['lnm', '--help']; from lnm_kit.cli import main\n"
    script += "try: main()\nfinally: assert not {'numpy', 'torch', 'pandas'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    for command in ("run", "predict", "book", "cohort", "realism", "info"):
        assert f" {command} " in done.stdout


def test_wrong_input_is_one_message_and_exit_code_2(lnm):
    code, out, err = lnm("run", "lnlm")
    assert (code, out) == (2, "")
    assert "chapter is 'lnlm'; allowed: " in err
    assert "Did you mean 'llnm'?" in err
    code, _, err = lnm("run", "llnm", "-p", "epochs=0", "-p", "sede=3")
    assert code == 2
    assert "epochs is 0" in err
    assert "did you mean seed?" in err
    code, _, err = lnm("run", "llnm", "-p", "seed")
    assert (code, "name=value" in err) == (2, True)
    code, _, err = lnm("book", "--profile", "demoo")
    assert (code, "Did you mean 'demo'?" in err) == (2, True)
    assert lnm("run", "llnm", "-f", "nowhere.toml")[0] == 2


def test_parameters_of_a_chapter_are_listed(lnm):
    code, out, _ = lnm("run", "llnm", "--list")
    assert code == 0
    assert "folds = 4 / 10 / 10" in out
    assert "allowed: auto, cpu, cuda or cuda:N" in out


def test_cohort_commands_are_mounted(lnm):
    code, out, _ = lnm("cohort", "--help")
    assert code == 0
    for command in ("check", "import", "simulate"):
        assert command in out


def test_realism_command_is_mounted(lnm):
    code, out, _ = lnm("realism", "--help")
    assert (code, "SRC" in out) == (0, True)


def test_info_names_versions_but_no_place(lnm, repository):
    code, out, _ = lnm("info")
    assert code == 0
    assert "torch" in out
    assert "cache" in out
    assert str(repository) not in out
