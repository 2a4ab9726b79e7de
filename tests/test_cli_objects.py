"""Commands that take objects: the options that typer sees, and the objects that the command is given."""

import inspect
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from creases.cli.app import app as our_app
from creases.cli.objects import flattened

PANEL = "How large"


@dataclass(frozen=True)
class Paper:
    sheet: Annotated[str, typer.Argument(metavar="SHEET", help="Which sheet.")]
    width: Annotated[float, typer.Option("--width", min=0.0, help="How wide.", rich_help_panel=PANEL)] = 1.5
    ruled: Annotated[bool, typer.Option("--ruled", help="With lines.")] = False


@dataclass(frozen=True)
class Folds:
    number: Annotated[int, typer.Option("--folds", "-f", help="How many.")]
    names: tuple[str, str] | None = None

    def __post_init__(self):
        if self.number > 7:
            raise typer.BadParameter(f"--folds is at most 7; got {self.number}")


def fold(paper: Paper, loud: Annotated[bool, typer.Option("--loud")], folds: Folds, copies: int = 1) -> None:
    """Fold a sheet."""
    typer.echo(f"{paper} {loud} {folds} {copies}")


def run(*arguments, command=fold):
    app = typer.Typer()
    app.command()(flattened(command))
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_known_order_and_defaults():
    options = inspect.signature(flattened(fold)).parameters
    assert list(options) == ["sheet", "width", "ruled", "loud", "number", "names", "copies"]
    required = [name for name, option in options.items() if option.default is option.empty]
    assert required == ["sheet", "loud", "number"]
    assert {name: option.default for name, option in options.items() if name not in required} == {
        "width": 1.5,
        "ruled": False,
        "names": None,
        "copies": 1,
    }


def test_known_name_and_help_are_the_commands():
    assert (flattened(fold).__name__, flattened(fold).__doc__) == ("fold", "Fold a sheet.")


def test_known_objects_are_what_was_typed():
    found = run("a4", "--folds", 2, "--loud")
    assert (found.exit_code, found.output) == (
        0,
        "Paper(sheet='a4', width=1.5, ruled=False) True Folds(number=2, names=None) 1\n",
    )
    found = run("a4", "-f", 3, "--loud", "--width", 2, "--ruled", "--names", "hill", "dale", "--copies", 4)
    assert (found.exit_code, found.output) == (
        0,
        "Paper(sheet='a4', width=2.0, ruled=True) True Folds(number=3, names=('hill', 'dale')) 4\n",
    )


def test_known_help_has_the_panels_of_the_fields():
    shown = run("--help").output
    assert "Fold a sheet." in shown
    assert shown.index("Which sheet.") < shown.index("With lines.") < shown.index("How many.")
    assert shown.index("How many.") < shown.index(PANEL) < shown.index("How wide.")


def test_known_field_without_default_is_an_argument():
    @dataclass(frozen=True)
    class Plain:
        sheet: str
        width: float = 1.0

    def command(plain: Plain) -> None: ...

    app = typer.Typer()
    app.command()(flattened(command))
    kinds = {p.name: (p.param_type_name, p.required) for p in get_command(app).params}
    assert kinds["sheet"] == ("argument", True)
    assert kinds["width"] == ("option", False)


def test_known_computed_field_is_no_option():
    @dataclass(frozen=True)
    class Square:
        side: float = 2.0
        area: float = field(init=False, default=4.0)

    def command(square: Square) -> float:
        return square.side * square.area

    assert list(inspect.signature(flattened(command)).parameters) == ["side"]
    assert flattened(command)(side=3.0) == 12.0


def test_known_command_without_objects_stays():
    def command(number: int = 3) -> int:
        return number

    assert flattened(command)() == 3
    assert flattened(command)(number=4) == 4


def test_bad_input_is_told_as_by_any_command():
    for arguments, message in [
        ((), "Missing argument 'SHEET'"),
        (("a4", "--loud"), "Missing option '--folds'"),
        (("a4", "--loud", "-f", "two"), "Invalid value for '--folds'"),
        (("a4", "--loud", "-f", 2, "--width", -1), "Invalid value for '--width'"),
        (("a4", "--loud", "-f", 8), "--folds is at most 7; got 8"),
    ]:
        found = run(*arguments)
        assert found.exit_code == 2
        assert message in found.output


def test_bad_input_two_options_of_one_name():
    def command(paper: Paper, width: float = 1.0) -> None: ...

    with pytest.raises(TypeError, match=r"command: two options are named 'width'. Rename one of the fields."):
        flattened(command)


def test_bad_input_default_where_typer_does_not_look():
    def command(folds: Folds = Folds(2)) -> None: ...

    with pytest.raises(TypeError, match=r"folds has a default; give defaults to the fields of Folds instead."):
        flattened(command)

    @dataclass(frozen=True)
    class Listed:
        names: list[str] = field(default_factory=list)

    def other(listed: Listed) -> None: ...

    with pytest.raises(TypeError, match=r"Listed.names has a default_factory; give it a plain default."):
        flattened(other)


def test_bad_input_unknown_keyword():
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        flattened(fold)(sheet="a4", loud=True, number=2, colour="red")


def test_house_commands_take_few_parameters():
    few = {
        command.callback.__name__: len(inspect.signature(command.callback.__wrapped__).parameters)
        for command in our_app.registered_commands
    }
    assert max(few.values()) <= 6, few
