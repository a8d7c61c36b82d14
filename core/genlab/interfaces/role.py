"""Roles of a method's networks. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from genlab.errors import PluginError

NetworkKind = Literal["generator", "discriminator", "network"]
FurtherInput = Literal["time", "label", "latent"]
SIDES = ("condition", "target")
_FILES = ("losses", "method", "state")


@dataclass(frozen=True)
class Role:
    """A network of a method: its kind, and what it reads and gives.

    A recipe configures it in `[networks.ROLE]`. `[generator]` and `[discriminator]` are short forms for the roles of
    these names, and defaults for all roles of these kinds. Each role has first weights, an optimizer's state, a part
    of the checkpoint and a line in summaries of its own. `dataclasses.replace` makes one like another:
    `replace(role, like="generator", trained=False)` is the role of an average of the generator's weights.

    Args:
        kind: which kind of component it is.
        reads: what it is given, joined channel by channel: a side (`condition` or `target`), a number of channels, or
            for a network the name of an earlier role, for that one's features. A discriminator's last is the image that
            it scores; the others are its condition, so that `("target",)` is one that sees an image alone.
        gives: what a generator predicts: a side, or a number of channels.
        inputs: further inputs that a generator has to take: of `time`, `label`, `latent`.
        like: the role whose table of the recipe is this one's default.
        trained: whether a phase updates it. One that is not trained gets no gradients and no optimizer, computes in
            evaluation mode, and starts with the weights of the role that it is like, whose settings it then has.

    Raises:
        PluginError: an argument is not one of these.
    """

    kind: NetworkKind
    reads: tuple[str | int, ...] = ("condition",)
    gives: str | int | None = None
    inputs: tuple[FurtherInput, ...] = ()
    like: str | None = None
    trained: bool = True

    def __post_init__(self) -> None:
        for name in ("reads", "inputs"):
            # A tuple of one without its comma is a string, which Python would iterate letter by letter.
            if isinstance(value := getattr(self, name), str):
                raise PluginError(f'a role has {name}="{value}"; expected a tuple', hint=f'Write {name}=("{value}",).')
        if self.kind not in get_args(NetworkKind):
            raise PluginError(
                f"a role is of the kind {self.kind!r}; expected one of {', '.join(get_args(NetworkKind))}"
            )
        if not self.reads:
            raise PluginError(f"a role of the kind {self.kind} reads nothing", hint='Write reads=("condition",).')
        if self.kind == "generator" and self.gives is None:
            raise PluginError("a role of the kind generator does not say what it gives", hint='Write gives="target".')


GENERATOR = Role("generator", reads=("condition",), gives="target")
"""Predicts the target from the condition."""

DISCRIMINATOR = Role("discriminator", reads=("condition", "target"))
"""Scores targets and predictions of them, and sees the condition."""


def require_roles(roles: object, name: str) -> None:
    """Check that a method's `roles` are a mapping of names to roles; `PluginError` says what to write."""
    if isinstance(roles, Mapping) and all(isinstance(role, Role) for role in roles.values()):
        _require_order(cast(Mapping[str, Role], roles), name)
        return
    hint = 'Write roles = {"generator": genlab.GENERATOR, "discriminator": genlab.DISCRIMINATOR}, with those it has.'
    raise PluginError(f"the method {name} has roles = {roles!r:.80}; expected genlab.Role by name", hint=hint)


def _require_order(roles: Mapping[str, Role], name: str) -> None:
    """Check that roles are words, and that what they refer to are earlier roles or sides."""
    earlier: dict[str, Role] = {}
    for label, role in roles.items():
        if not label.isidentifier() or label in _FILES:
            what = f"the method {name} has a role {label!r}; expected a word of letters, digits and underscores"
            raise PluginError(f"{what}, and none of {', '.join(_FILES)}, as files of checkpoints are called")
        if role.like and (role.like not in earlier or earlier[role.like].kind != role.kind):
            what = f"the role `{label}` of the method {name} is like `{role.like}`"
            raise PluginError(f"{what}; expected an earlier role of its kind: {', '.join(earlier) or 'there is none'}")
        known = (*SIDES, *earlier) if role.kind == "network" else SIDES
        named = [thing for thing in (*role.reads, role.gives) if isinstance(thing, str)]
        if unknown := [thing for thing in named if thing not in known]:
            what = f"the role `{label}` of the method {name} reads or gives `{unknown[0]}`"
            raise PluginError(f"{what}; expected a number of channels, or one of {', '.join(known)}")
        if role.kind == "discriminator" and any(isinstance(thing, int) for thing in role.reads):
            what = f"the role `{label}` of the method {name} reads {role.reads}"
            raise PluginError(f"{what}; expected sides, as it is a discriminator")
        earlier[label] = role
