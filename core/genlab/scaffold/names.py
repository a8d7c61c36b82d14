"""Names of a new plugin, and their validation.

Importing this imports no torch.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import unicodedata
from dataclasses import dataclass

import genlab
from genlab.errors import PluginError
from genlab.interfaces.kinds import KINDS

LONGEST = 32
"""In letters: the module's name stands three times on a line of the new package, which is 120 wide."""

IMPORTED = frozenset(f"{kind.capitalize()}Suite" for kind in KINDS) | {
    *("Annotated", "Any", "ClassVar", "Ge", "Gt", "Iterable", "Iterator", "Le", "Literal", "Lt", "Mapping", "NDArray"),
    *("Optimizer", "Parameter", "Path", "Sequence", "Tensor", "ToyLoss"),
}
"""Names that templates import, beside those of genlab."""

RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_IS = "a name is lower-case words of letters and digits, joined by - or _"


@dataclass(frozen=True)
class Names:
    """Names of a plugin in its package, module and class.

    Args:
        component: as recipes and entry points have it, such as `edge_aware`; the component's module too.
    """

    component: str

    @property
    def package(self) -> str:
        """Name of the distribution."""
        return f"genlab-{self.component.replace('_', '-')}"

    @property
    def module(self) -> str:
        """Name of the import package."""
        return f"genlab_{self.component}"

    @property
    def cls(self) -> str:
        """Name of the class."""
        return "".join(word.capitalize() for word in self.component.split("_"))

    @property
    def title(self) -> str:
        """Name of the component in prose."""
        return self.component.replace("_", " ").capitalize()


def names_of(given: str) -> Names:
    """Derive all names from the given one; `PluginError` says why it is invalid, and suggests a valid one."""
    if fault := _fault(given):
        likely = _mended(given)
        raise PluginError(fault, where=_printable(given), hint=f"Did you mean `{likely}`?" if likely else None)
    return _names(given)


def _names(given: str) -> Names:
    return Names(given.replace("-", "_"))


def _fault(given: str) -> str | None:
    return _fault_of_form(given) or _fault_of_word(_names(given))


def _fault_of_form(given: str) -> str | None:
    if len(given) > LONGEST:
        return f"a name has {LONGEST} letters at most, and this one has {len(given)}"
    if odd := re.search(r"[^a-z0-9_-]", given):
        return f'{_IS}, and "{_printable(odd.group())}" is none of these'
    if not given[:1].isalpha():
        return f'{_IS}, and begins with a letter, not with "{given[:1]}"' if given else f"{_IS}, and this one is empty"
    if not _NAME.fullmatch(given):
        return f"{_IS}: one between two words, and none at the end"
    return None


def _fault_of_word(names: Names) -> str | None:
    word, cls = names.component, names.cls
    if word.startswith("genlab"):
        return "the package's name begins with \"genlab\" by itself, and the component's does without it"
    if keyword.iskeyword(word) or keyword.iskeyword(cls):
        return f'"{word}" is a reserved word of Python'
    if word in sys.stdlib_module_names:
        return f'"{word}" is a module of Python\'s own'
    if word in RESERVED:
        return f'"{word}" cannot be the name of a file on Windows'
    if word.startswith("test"):
        return f"its class would be `{cls}`, which pytest would take for tests"
    if cls in IMPORTED or cls in genlab.__all__ or hasattr(builtins, cls):
        return f"its class would be `{cls}`, a name that is taken"
    return None


def _mended(given: str) -> str | None:
    """The most likely valid name, if there is one."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", given).casefold())
    words = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode())
    words = re.sub(r"^(genlab|[0-9-])+", "", words)[:LONGEST].strip("-")
    return next((name for name in (words, f"my-{words}") if words and not _fault(name)), None)


def _printable(text: str) -> str:
    """Text with control characters escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]
