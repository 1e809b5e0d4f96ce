"""The package's own code holds what SECURITY.md promises: no pickle from storage, no shell."""

import ast
from pathlib import Path

import pytest

import agnews_ray

PACKAGE = Path(agnews_ray.__file__).parent

PICKLES = {
    "compat/of_ray": "tasks for our own workers, through Ray's key-value store",
    "fail_points": "functions of C, which cannot be pickled once the clock was moved; reads none",
    "run/mailbox": "tasks and results of our own workers, through Ray's key-value store",
    "run/progress": "progress of our own workers, through Ray's key-value store",
    "run/trainer": "written for our own workers",
    "run/worker_setup": "the driver's tokenizer, which came with the task",
}
"""Modules that pickle, and between whom: only processes of one cluster, never files."""

PROCESSES = {
    "app/prove_recovery": "this very program",
    "chaos/node_pair": "this very program",
    "chaos/outside": "mount and umount of a folder of ours, with fixed words",
    "chaos/submits": "this very program",
    "record/environment": "git and nvidia-smi, with fixed words",
    "run/cleanup": "this package's own watchdog",
}
"""Modules that start other programs, and which."""

IMPORTS_BY_NAME = {
    "__init__": "names of this package",
    "app/launch": "one module of this package",
    "track/tracker": "one of four modules of this package",
}
"""Modules that import by a name, and where it comes from."""

PICKLING = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "_pickle"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_METHODS = {
    ("os", "system"),
    ("os", "popen"),
    ("torch", "load"),
    ("torch", "compile_from_string"),
    ("yaml", "load"),
    ("yaml", "load_all"),
    ("yaml", "full_load"),
    ("yaml", "unsafe_load"),
    ("evaluate", "load"),
    ("pd", "read_pickle"),
}
UNSAFE_FLAGS = {("shell", True), ("allow_pickle", True), ("trust_remote_code", True)}


def modules():
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text())
        for path in sorted(PACKAGE.rglob("*.py"))
    }


MODULES = modules()


def imported(tree):
    """The last parts of all modules that are imported, also below others, such as cloudpickle."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (part for one in node.names for part in one.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (one.name for one in node.names)


def calls(tree):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def unsafe(tree):
    """Calls that run what they are given."""
    for call in calls(tree):
        of = call.func
        if isinstance(of, ast.Name) and of.id in UNSAFE_CALLS:
            yield of.id
        if isinstance(of, ast.Attribute):
            named = (getattr(of.value, "id", ""), of.attr)
            if named in UNSAFE_METHODS:
                yield ".".join(named)
        for word in call.keywords:
            if (word.arg, getattr(word.value, "value", None)) in UNSAFE_FLAGS:
                yield f"{word.arg}=True"


def users(names):
    return {name for name, tree in MODULES.items() if names & set(imported(tree))}


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (PICKLING, PICKLES),
        ({"subprocess", "pty", "pexpect"}, PROCESSES),
        ({"import_module"}, IMPORTS_BY_NAME),
    ],
    ids=["pickles", "processes", "imports by name"],
)
def test_only_these_modules_do_it_each_for_a_reason(names, listed):
    by_attribute = {
        name
        for name, tree in MODULES.items()
        if any(getattr(node, "attr", "") in names for node in ast.walk(tree))
    }
    assert users(names) | by_attribute == listed.keys()


def test_nothing_runs_what_it_is_given():
    assert {name: found for name, tree in MODULES.items() if (found := list(unsafe(tree)))} == {}


@pytest.mark.parametrize(
    "code",
    ["eval('1')", "torch.load(x)", "yaml.load(x)", "run(x, shell=True)", "os.system('ls')"],
)
def test_the_check_finds_what_it_looks_for(code):
    assert list(unsafe(ast.parse(code)))
