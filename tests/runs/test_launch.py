"""Buttons to Colab stand on the pages of a book that came from a public repository, on no other."""

import subprocess

import pytest

from lnm_kit.runs.launch import launch_settings, repository_address

ADDRESS = "https://github.com/someone/book"


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/someone/book",
        "https://github.com/someone/book.git\n",
        "https://x-access-token:secret@github.com/someone/book",
        "git@github.com:someone/book.git",
        "ssh://git@github.com/someone/book",
    ],
)
def test_every_form_of_a_public_remote_is_one_address_without_a_secret(remote):
    assert repository_address(remote) == ADDRESS


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/book",
        "https://git.example/someone/book",
        "https://github.com.example/a/b",
        "file:///x",
    ],
)
def test_another_remote_is_none(remote):
    assert repository_address(remote) is None


def test_the_remote_of_a_checkout_decides(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert launch_settings(tmp_path) == {}
    git = ["git", "-C", tmp_path, "remote", "add", "origin", "git@github.com:someone/book.git"]
    subprocess.run(git, check=True)
    settings = launch_settings(tmp_path)
    assert settings["repository_url"] == ADDRESS
    assert set(settings["launch_buttons"]) == {"colab_url"}
