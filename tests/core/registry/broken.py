"""Ways for a plugin to be broken, each with what its author is told."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import NamedTuple

VERSION = 'genlab_interface = "1.0"\n'
HOOK = f"import genlab\n{VERSION}\n@genlab.hookimpl\ndef genlab_register(registry):\n"


def registering(*lines: str) -> str:
    """A plugin's module whose hook does this."""
    return HOOK + indent("\n".join(lines), "    ")


def giving(kind: str, name: str, text: str) -> str:
    """A plugin's module with a class `Mine` in it."""
    return f"import genlab\nimport torch\n{dedent(text)}\n{registering(f'registry.{kind}({name!r}, Mine)')}"


def generator(name: str, *, init: str = "pass", forward: str = "return self.layer(condition)", more: str = "") -> str:
    text = f"""
    class Mine(genlab.Generator):
        def __init__(self, in_channels: int, out_channels: int) -> None:
            super().__init__()
            self.layer = torch.nn.Conv2d(in_channels, out_channels, 1)
            {init}
        def forward(self, condition):
            {forward}
    {more}
    """
    return giving("generator", name, text)


def metric(name: str, update: str = "pass", compute: str = "return 0.0") -> str:
    text = f"""
    class Mine(genlab.Metric):
        higher_is_better = False
        def reset(self): pass
        def merge(self, other): pass
        def update(self, condition, target, prediction): {update}
        def compute(self): {compute}
    """
    return giving("metric", name, text)


def method(name: str, phases: str) -> str:
    text = f"""
    class Mine(genlab.Method):
        def forward(self, batch):
            return {{"prediction": self.predict(batch.condition)}}
        def predict(self, condition):
            return self.networks["generator"](condition)
        def phases(self):
            return {phases}
    """
    return giving("method", name, text)


def dataset(name: str, opened: str) -> str:
    text = f"""
    import numpy as np
    class Few(genlab.Pairs):
        def __len__(self): return 2
        def __getitem__(self, index): return {opened}
    class Mine(genlab.Dataset):
        def open(self, split):
            return {opened if opened == "None" else "Few(genlab.ImageSide(), genlab.ImageSide(), 'few')"}
    """
    return giving("dataset", name, text)


class Case(NamedTuple):
    """A broken plugin.

    Args:
        module: its module's text.
        needs: what a recipe says that needs it, as assignments.
        said: what is said then, as a pattern.
        listed: whether `gen plugins list` says what is wrong, as it shows when the plugin registers.
    """

    module: str
    needs: tuple[str, ...]
    said: str
    listed: bool = True


def net(name: str) -> tuple[str, ...]:
    return (f"generator={{name='{name}'}}",)


UNKNOWN = net("mine")

CASES = {
    "needs a package that is not there": Case(
        "import no_such_package", UNKNOWN, r"ModuleNotFoundError: No module named 'no_such_package' \(.*, line 1\)"
    ),
    "is no Python": Case("def (:\n", UNKNOWN, r"SyntaxError: invalid syntax \(.*, line 1\)"),
    "ends the process": Case("import sys\nsys.exit(3)", UNKNOWN, r"SystemExit: 3 \(.*, line 2\)"),
    "raises what is no Exception": Case(
        "class Stop(BaseException): ...\nraise Stop('enough')", UNKNOWN, r"Stop: enough \(.*, line 2\)"
    ),
    "takes a name from genlab that it has not": Case(
        "from genlab import Painter", UNKNOWN, r"ImportError: cannot import name 'Painter' from 'genlab'"
    ),
    "raises while registering": Case(
        registering("registry.generator('fine', 'x:Y')", "raise RuntimeError('not so fine')"),
        net("fine"),
        r"RuntimeError: not so fine \(.*, line \d+\)",
    ),
    "has no hook": Case(VERSION, UNKNOWN, "it has no hook `genlab_register` marked with `@genlab.hookimpl`"),
    "asks for an unknown hook": Case(
        HOOK.replace("genlab_register", "genlab_paint") + "    pass", UNKNOWN, "unknown hook 'genlab_paint'"
    ),
    "asks for an argument that there is not": Case(
        HOOK.replace("(registry)", "(registry, app)") + "    pass", UNKNOWN, r"Argument\(s\) {'app'}"
    ),
    "registers a kind that there is not": Case(
        registering("registry.painter('mine', 'x:Y')"), UNKNOWN, "'Registry' object has no attribute 'painter'"
    ),
    "registers what is no name": Case(
        registering("registry.generator('my net', 'x:Y')"), UNKNOWN, "generator name 'my net' is not a word of letters"
    ),
    "registers a name twice": Case(
        registering(*["registry.generator('twice', 'x:Y')"] * 2), UNKNOWN, "generator 'twice' is registered twice"
    ),
    "says of no interface": Case(
        registering("pass").replace(VERSION, ""), UNKNOWN, "it does not say which version of the interface"
    ),
    "imports a name that was renamed": Case(
        "from genlab import Shared",
        UNKNOWN,
        r"ImportError: genlab.Shared is called genlab.Outputs now \([^;)]*\)(\n|$)",
    ),
    "is made for a later interface": Case(
        HOOK.replace('"1.0"', '"2.0"').replace("genlab_register", "genlab_paint") + "    pass",
        UNKNOWN,
        "made for version 2.0 of the interface, and this genlab has 1.0; a newer genlab is needed",
    ),
    "is made for a later minor version": Case(
        registering("pass").replace('"1.0"', '"1.7"'), UNKNOWN, "version 1.7 of the interface, and this genlab has 1.0"
    ),
    "is made for an earlier interface": Case(
        registering("pass").replace('"1.0"', '"0.9"'), UNKNOWN, "a newer version of the plugin is needed"
    ),
    "gives the interface as a number": Case(
        registering("pass").replace('"1.0"', "1.0"), UNKNOWN, "its `genlab_interface` is 1.0; expected text"
    ),
    "has a name that another gives": Case(
        registering("registry.generator('shared', 'x:Y')"),
        net("shared"),
        'more than one plugin gives a generator "shared"\nSay which: "[^"]+:shared" or "[^"]+:shared";',
    ),
    "has that other's name": Case(
        registering("registry.generator('shared', 'x:Y')"), net("shared"), "more than one plugin"
    ),
    # What follows shows only when a recipe names the component.
    "has a class that cannot be imported": Case(
        registering("registry.generator('far', 'no_such_module:Far')"),
        net("far"),
        "breaks the contract: no_such_module:Far cannot be imported: ModuleNotFoundError",
        listed=False,
    ),
    "has a class of another kind": Case(
        giving("generator", "strange", "class Mine: ..."),
        net("strange"),
        "breaks the contract: Mine does not derive from genlab.Generator",
        listed=False,
    ),
    "has a class that is not whole": Case(
        giving("generator", "half", "class Mine(genlab.Generator): ..."),
        net("half"),
        "breaks the contract: Mine lacks `forward`",
        listed=False,
    ),
    "has a setting without a type": Case(
        generator("untyped").replace("out_channels: int)", "out_channels: int, width=3)"),
        net("untyped"),
        "breaks the contract: its setting `width` has no type",
        listed=False,
    ),
    "fails when it is constructed": Case(
        generator("thrower", init="{}['x']"),
        net("thrower"),
        r"the plugin {package} 1.2 failed: KeyError: 'x' \({module}.py, line \d+\)",
        listed=False,
    ),
    "fails when it is called": Case(
        generator("mismatched", forward="return self.layer(condition[:, :2])"),
        net("mismatched"),
        r"the plugin {package} 1.2 failed: RuntimeError: Given groups=1.* \({module}.py, line \d+\)",
        listed=False,
    ),
    "ends the process when it is called": Case(
        generator("leaver", forward="raise SystemExit(0)"),
        net("leaver"),
        "the plugin {package} 1.2 failed: SystemExit: 0",
        listed=False,
    ),
    "runs out of input when it is called": Case(  # which the command line would take for its own
        generator("starved", forward="raise EOFError('ran out of input')"),
        net("starved"),
        "the plugin {package} 1.2 failed: EOFError: ran out of input",
        listed=False,
    ),
    "breaks a pipe when it is called": Case(
        generator("piper", forward="raise BrokenPipeError(32, 'its worker has gone')"),
        net("piper"),
        "the plugin {package} 1.2 failed: BrokenPipeError: .*its worker has gone",
        listed=False,
    ),
    "ends the command when it is called": Case(
        generator("exit", forward="import typer; raise typer.Exit(0)"),
        net("exit"),
        "the plugin {package} 1.2 failed: Exit",
        listed=False,
    ),
    "raises what is no Exception when it is called": Case(
        generator("base", forward="raise type('Stop', (BaseException,), {})('enough')"),
        net("base"),
        "the plugin {package} 1.2 failed: Stop: enough",
        listed=False,
    ),
    "says what cannot be printed": Case(
        generator("mute", forward=r"raise RuntimeError('\udcff\n' + 'and more')"),
        net("mute"),
        r"the plugin {package} 1.2 failed: RuntimeError: \\udcff and more",
        listed=False,
    ),
    "cannot say what it is": Case(
        generator("shy", forward="raise type('Shy', (Exception,), {'__str__': lambda self: 1 / 0})()"),
        net("shy"),
        r"the plugin {package} 1.2 failed: Shy \(",
        listed=False,
    ),
    "has a note to what it raises": Case(
        generator("noted", forward="e = RuntimeError('it is this'); e.add_note('see there'); raise e"),
        net("noted"),
        "the plugin {package} 1.2 failed: RuntimeError: it is this",
        listed=False,
    ),
    "has a hook that yields": Case(
        registering("yield registry.generator('mine', 'x:Y')"),
        UNKNOWN,
        "its hook `genlab_register` must be a plain function",
    ),
    "has a default that TOML has no word for": Case(
        generator("void").replace("out_channels: int)", "out_channels: int, of: dict = {'a': None})"),
        net("void"),
        "the default of its setting `of` cannot be written in a recipe",
        listed=False,
    ),
    "says a size that is none": Case(
        generator("sized", more="    size_multiple = '16'"),
        net("sized"),
        "breaks the contract: its `size_multiple` is '16'; expected an integer of at least 1",
        listed=False,
    ),
    "has levels that are none": Case(
        generator("levelled", more="    def levels(self): return ['one']"),
        net("levelled"),
        "breaks the contract: its `levels` contain 'one'; expected a genlab.Level",
        listed=False,
    ),
    "predicts another size": Case(
        generator("grower", forward="return self.layer(condition)[..., 1:]"),
        net("grower"),
        r"expected a tensor of floats \(1, 3, 32, 32\), got a tensor of float32 \(1, 3, 32, 31\)",
        listed=False,
    ),
    "opens no pairs": Case(
        dataset("empty", "None"),
        ("data={name='empty'}",),
        r'breaks the contract: its `open\("train"\)` returns nothing; expected genlab.Pairs',
        listed=False,
    ),
    "has pairs that were not made whole": Case(
        dataset("hollow", "genlab.Pair('a', *[np.zeros((8, 8, 3), np.uint8)] * 2)").replace(
            "    def __len__", "    def __init__(self, *a): pass\n    def __len__", 1
        ),
        ("data={name='hollow'}",),
        r"breaks the contract: the constructor of Few does not call super\(\).__init__\(a, b, description\)",
        listed=False,
    ),
    "has a method that was not made whole": Case(
        method("hollow", "[]").replace(
            "    def forward", "    def __init__(self, networks: dict, losses: dict): pass\n    def forward", 1
        ),
        ("method={name='hollow'}", "losses.adversarial.weight=0"),
        r"breaks the contract: its constructor does not call super\(\).__init__\(networks, losses\)",
        listed=False,
    ),
    "has parameters without a shape": Case(
        generator("lazy", init="self.late = torch.nn.LazyConv2d(3, 1)"),
        net("lazy"),
        "breaks the contract: `late.weight` is a lazy parameter",
        listed=False,
    ),
    "does not say its receptive field": Case(
        giving(
            "discriminator",
            "blind",
            """
            class Mine(genlab.Discriminator):
                def __init__(self, condition_channels: int, image_channels: int) -> None:
                    super().__init__()
                    self.layer = torch.nn.Conv2d(image_channels, 1, 1)
                def forward(self, condition, image): return self.layer(image)
            """,
        ),
        ("discriminator={name='blind'}",),
        "breaks the contract: it has no `receptive_field`; set it in the class or in its constructor",
        listed=False,
    ),
    "gives pairs that are none": Case(
        dataset("loose", "(1, 2)"), ("data={name='loose'}",), "expected a genlab.Pair, got a tuple", listed=False
    ),
    "has phases that are none": Case(
        method("phased", "[None]"),
        ("method={name='phased'}", "losses.adversarial.weight=0"),
        "breaks the contract: its `phases` contain None; expected a genlab.Phase",
        listed=False,
    ),
    "has terms that are none": Case(
        method("termless", "[genlab.Phase('g', ('generator',), lambda b, s: {'l1': s['prediction'].mean()})]"),
        ("method={name='termless'}", "losses.adversarial.weight=0"),
        "the term g/l1: expected a genlab.Term, got a Tensor",
        listed=False,
    ),
    "has terms without names": Case(
        method("nameless", "[genlab.Phase('g', ('generator',), lambda b, s: [s['prediction'].mean()])]"),
        ("method={name='nameless'}", "losses.adversarial.weight=0"),
        "the phase g: expected its terms by name, in a mapping, got a list",
        listed=False,
    ),
    "fails while it measures": Case(
        metric("divider", update="1 / 0"),
        ("evaluate.metrics.divider={}",),
        "the plugin {package} 1.2 failed: ZeroDivisionError",
        listed=False,
    ),
    "measures what is no number": Case(
        metric("poet", compute="return 'good'"),
        ("evaluate.metrics.poet={}",),
        "the metric poet: expected an int or float, got a str",
        listed=False,
    ),
}


def package_of(name: str) -> str:
    return f"genlab-case-{list(CASES).index(name)}"


def module_of(name: str) -> str:
    return package_of(name).replace("-", "_")
