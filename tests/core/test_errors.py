import re

import pytest

import genlab
from genlab import DataError, DataUnavailableError, GenlabError, RecipeError, StorageError, TrainingError, errors
from genlab.errors import Fault

CLASSES = {name: value for name, value in vars(errors).items() if isinstance(value, type) and value is not Fault}


def test_an_error_says_where_what_and_what_to_do() -> None:
    error = DataError("there are no pairs", where="pairs/train", hint="Name another folder.")
    assert str(error) == "pairs/train: there are no pairs\nName another folder."
    assert (error.what, error.where, error.hint) == ("there are no pairs", "pairs/train", "Name another folder.")


def test_an_error_may_say_what_alone() -> None:
    assert str(GenlabError("it is so")) == "it is so"


@pytest.mark.parametrize("name", [name for name, value in CLASSES.items() if issubclass(value, GenlabError)])
def test_every_error_is_public_and_stands_in_the_tree(name: str) -> None:
    assert getattr(genlab, name) is CLASSES[name]
    (line,) = [line for line in (errors.__doc__ or "").splitlines() if re.match(rf"[│├└─ ]*{name}\b", line)]
    depth = len(re.match(r"[│├└─ ]*", line)[0]) // 4  # pyright: ignore[reportOptionalSubscript]
    assert CLASSES[name].__mro__.index(GenlabError) == depth


def test_what_the_user_can_mend_ends_with_2_and_a_failed_run_with_1() -> None:
    assert GenlabError.exit_code == RecipeError.exit_code == DataUnavailableError.exit_code == 2
    assert TrainingError.exit_code == StorageError.exit_code == 1


def test_a_fault_without_a_place_says_what_it_knows() -> None:
    assert str(Fault(("a",), "wrong")) == "wrong"
    assert str(Fault(("a",), "wrong", "Mend it.")) == "wrong\nMend it."


def test_a_recipes_error_is_a_paragraph_for_each_fault() -> None:
    first = Fault(("a",), "wrong", place="r.toml:1:2", quote="  1 | x\n    | ^")
    error = RecipeError([first, Fault(("b",), "odd", "Mend it.")])
    assert str(error) == "r.toml:1:2: wrong\n  1 | x\n    | ^\n\nodd\nMend it."
    assert error.faults[1].hint == "Mend it."


def test_long_lines_lose_their_middle() -> None:
    error = DataError("a" * 400_000, where="b" * 400_000, hint=f"{'c' * 400_000}\nUse d.")
    assert len(str(error)) < 3000
    assert str(error).endswith("\nUse d.")
    assert len(str(Fault(("a",), "a" * 400_000, "b" * 400_000, place="c" * 400_000))) < 3000


def test_a_recipes_error_names_the_first_faults_and_counts_the_rest() -> None:
    error = RecipeError([Fault((), f"wrong {number}") for number in range(5000)])
    assert len(error.faults) == 5000
    assert "wrong 19" in str(error) and "wrong 20" not in str(error)
    assert str(error).endswith("and 4,980 more errors")
