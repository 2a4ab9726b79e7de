"""Commands without the packages that they need: said at once, and nothing is left behind."""

import sys

import pytest

from creases import cli
from creases.errors import MissingExtraError


def without(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize(
    ("package", "named"),
    [
        *((package, package) for package in ("sqlalchemy", "torch", "distributed", "jinja2", "matplotlib", "pandas")),
        ("sklearn", "scikit-learn"),
    ],
)
def test_bad_input_paper_run_leaves_nothing(package, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    without(monkeypatch, package)
    assert cli.run(["paper", "run", "-o", "report/of/mine"]) == 2
    said = capsys.readouterr().err
    assert "Running the papers' experiments needs the package" in said
    assert f"{named!r}. Install it with: pip install 'creases[paper]'" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["sqlalchemy", "torch", "pandas"])
def test_bad_input_train_leaves_nothing(package, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    without(monkeypatch, package)
    assert cli.run(["train", "--task", "points"]) == 2
    assert f"Training needs the package '{package}'. Install it with" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["sklearn", "torch", "matplotlib"])
def test_bad_input_demo_leaves_nothing(package, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    without(monkeypatch, package)
    assert cli.run(["demo", "--quick", "--out", "mine"]) == 2
    assert "Install it with: pip install" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bad_input_paper_run_into_a_file(tmp_path, monkeypatch, capsys):
    """Said before any run, and before there is a store."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    assert cli.run(["paper", "run", "-o", "taken/report"]) == 2
    assert "taken is a file, and a folder is needed there. Choose another with --output." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_bad_input_missing_modules():
    from creases.errors import need_modules

    need_modules("plot", "Drawing", "numpy")
    with pytest.raises(MissingExtraError, match=r"Drawing needs the package 'no_plot'.*pip install 'creases\[plot\]'"):
        need_modules("plot", "Drawing", "numpy", "no_plot")
