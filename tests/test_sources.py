import pytest

from lnm_kit.sources import files_digest


@pytest.fixture
def package(tmp_path):
    """A package in which a imports b inside of a function, b imports c relatively, d is alone."""
    folder = tmp_path / "lnm_kit"
    (folder / "sub" / "tables").mkdir(parents=True)
    files = {
        "__init__.py": '"""Top."""\n',
        "a.py": '"""A."""\n\ndef f():\n    from lnm_kit.sub import b\n    return b\n',
        "sub/__init__.py": "",
        "sub/b.py": "from .c import x\n",
        "sub/c.py": "x = 1\n",
        "sub/tables/numbers.toml": "n = 1\n",
        "d.py": "import lnm_kit\ny = 1\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_code_that_is_imported_however_indirectly_counts(package):
    before = files_digest([package / "a.py"], package)
    (package / "sub" / "c.py").write_text("x = 2\n")
    assert files_digest([package / "a.py"], package) != before


def test_names_that_a_package_loads_when_asked_for_count(package):
    lazily = "from lazy_loader import attach_stub\n"
    (package / "sub" / "__init__.py").write_text(lazily)
    (package / "sub" / "__init__.pyi").write_text("from .c import x as x\n")
    (package / "a.py").write_text("from lnm_kit.sub import x\n")
    before = files_digest([package / "a.py"], package)
    (package / "sub" / "c.py").write_text("x = 2\n")
    assert files_digest([package / "a.py"], package) != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.py", "y = 2\n"),
        (
            "a.py",
            'def f():\n    """Doc."""\n    # why\n    from lnm_kit.sub import b\n    return b\n',
        ),
    ],
)
def test_other_modules_comments_and_docstrings_do_not_count(package, name, text):
    before = files_digest([package / "a.py"], package)
    (package / name).write_text(text)
    assert files_digest([package / "a.py"], package) == before


def test_data_files_of_the_modules_count(package):
    before = files_digest([package / "a.py"], package)
    (package / "sub" / "tables" / "numbers.toml").write_text("n = 2\n")
    assert files_digest([package / "a.py"], package) != before


def test_code_without_a_file_counts_by_what_it_imports(package):
    code = "from lnm_kit.sub.c import x"
    before = files_digest([], package, code=code)
    assert files_digest([], package, code=code + "\nprint(x)") == before
    (package / "sub" / "c.py").write_text("x = 2\n")
    assert files_digest([], package, code=code) != before


def test_digest_does_not_depend_on_where_the_package_is(package, tmp_path):
    before = files_digest([package / "a.py"], package)
    moved = tmp_path / "elsewhere" / "lnm_kit"
    moved.parent.mkdir()
    package.rename(moved)
    assert files_digest([moved / "a.py"], moved) == before
