"""Help pages."""

from __future__ import annotations

import pytest
from tests.conftest import GenCommand


@pytest.mark.parametrize(("verb", "shown"), [("", "--version"), ("run", "--stop-at"), ("plugins new", "NAME")])
def test_gen_help_is_the_help_of_a_verb(verb: str, shown: str, gen: GenCommand) -> None:
    asked, plain = gen("help", *verb.split()), gen(*verb.split(), "--help")
    assert asked.returncode == 0
    assert shown in asked.stdout
    assert asked.stdout == plain.stdout


def test_flags_and_arguments_show_no_type(gen: GenCommand) -> None:
    page = gen("predict", "--help").stdout
    assert "--overwrite" in page
    assert "<auto|cpu|cuda|mps>" in page
    assert not {"<bool>", "<path>", "<str>", "<list[Path]>"} & set(page.split())


def test_help_for_a_verb_that_is_not_there_names_the_nearest(gen: GenCommand) -> None:
    done = gen("help", "rnu")
    assert done.returncode == 2
    assert "Did you mean 'run'?" in done.stderr
