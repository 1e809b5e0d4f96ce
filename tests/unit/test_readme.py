import re
import shlex
from pathlib import Path

import pytest

from agnews_ray.cli.main import main

ROOT = Path(__file__).parents[2]
FILES = ["README.md", "jobs/README.md", "benchmarks/README.md"]
COMMANDS = [
    (name, line.strip())
    for name in FILES
    for block in re.findall(r"```\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip().startswith(("agnews-ray ", "make "))
]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize(("name", "line"), COMMANDS)
def test_every_command_in_the_docs_is_one_we_have(name, line):
    program, *words = shlex.split(line, comments=True)
    if program == "make":
        assert words[0] in TARGETS
        return
    command = main.commands[words[0]]
    parsed = command.make_context(words[0], words[1:], resilient_parsing=False).params
    if parsed.get("job"):
        assert (ROOT / parsed["job"]).is_file()


def test_the_docs_have_commands():
    assert {name for name, _ in COMMANDS} >= {"README.md"}


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_link_leads_somewhere(name):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / name).read_text())
    assert all((ROOT / link).exists() for link in links), links


def test_the_architecture_names_every_module():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    modules = [p for p in (ROOT / "agnews_ray").rglob("*.py") if p.stem != "__init__"]
    assert [p.name for p in modules if f"`{p.stem}`" not in text] == []
