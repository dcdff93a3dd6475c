"""What the house promises a newcomer: commands that exist, pins, documents that are complete."""

import ast
import os
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from click import Context

import tinghao
from tinghao.app.cli import main

ROOT = Path(__file__).parent.parent
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
REQUIREMENTS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

LOADED_BY_NAME = {
    "async-timeout",  # redis waits with it on the first releases of Python 3.11
    "flit-core",  # builds the package
    "httptools",  # uvicorn parses requests with it
    "psycopg",  # SQLAlchemy connects to PostgreSQL with it
    "tzdata",  # zoneinfo reads it where the system has no time zones
    "uvloop",  # uvicorn runs on it
}
"""Dependencies that the package needs without importing them."""


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", REQUIREMENTS, ids=name_of)
def test_requirements_are_pinned_and_name_no_host(path):
    """Whoever installs decides where from; what is installed is exactly what was tested."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    entries = " ".join(line.rstrip("\\") for line in lines).replace(" --hash", "\n--hash")
    starts = [line for line in lines if not line.startswith(" ")]
    assert [line for line in starts if not re.match(r"[a-z0-9-]+==[\w.]+( ; .+)? \\$", line)] == []
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entries)) >= len(starts)
    assert "://" not in path.read_text()


def test_the_checks_run_with_what_the_hall_runs_with():
    """An environment made for the checks serves for running too."""
    runs, checks = (
        set(re.findall(r"^\S+==\S+", path.read_text(), re.MULTILINE)) for path in REQUIREMENTS
    )
    assert runs - checks == set()


def test_every_dependency_is_declared_and_used():
    """What is imported is asked for by name, and what is asked for is needed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {canonical(re.split(r"[\[><=]", each)[0]) for each in project["dependencies"]}
    distributions = packages_distributions()
    used = {
        canonical(distribution)
        for module in imported_modules(ROOT / "tinghao")
        for distribution in distributions.get(module, [])
    }
    used.discard("tinghao")
    assert used - declared == set()
    assert declared - used - LOADED_BY_NAME == set()


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_modules(package):
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_in_the_documents_exist(path):
    """A script that a document tells one to run is there and can be run."""
    named = set(re.findall(r"script/[a-z]+", path.read_text()))
    assert [each for each in named if not os.access(ROOT / each, os.X_OK)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_in_the_documents_lead_somewhere(path):
    """Every link to a file of ours has a file at its end."""
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text()) + re.findall(
        r"(?:src|href)=\"([^\"#]+)\"", path.read_text()
    )
    local = [each for each in targets if "://" not in each]
    assert [each for each in local if not (path.parent / each).exists()] == []


def test_both_readmes_say_the_same():
    """Chinese and English readers are given the same commands, addresses and pictures."""
    english, chinese = (
        sorted(re.findall(r"`(?:script|tinghao|/)[^`]*`|\]\((?!README)[^)]+\)", path.read_text()))
        for path in READMES
    )
    assert english == chinese


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_readmes_name_every_command(path):
    """What the command line can do is seen without trying."""
    text = path.read_text()
    commands = main.list_commands(Context(main))
    assert [name for name in commands if f"| `tinghao {name}` |" not in text] == []


def test_the_changelog_knows_this_version():
    """Whoever upgrades finds what changed."""
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == tinghao.__version__


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_says_why_what_and_what_follows(path):
    """Each record has its three parts in order, and the list of records names it."""
    headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
    assert f"({path.name})" in (path.parent / "README.md").read_text()


def test_decisions_are_numbered_without_a_gap():
    """A missing number would be a record that was taken away."""
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


PAGES = [
    path
    for folder in ("static", "templates")
    for path in sorted((ROOT / "tinghao" / folder).rglob("*"))
    if path.suffix in {".html", ".css", ".js", ".svg", ".json", ".webmanifest"}
    and "vendor" not in path.parts
]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_pages_name_no_other_host(path):
    """Halls are often offline: whatever a page needs comes from the service itself."""
    addresses = re.findall(r"(?:https?:|wss?:|[\"'(=]\s*)//[\w.-]+", path.read_text())
    # A namespace looks like an address but is never fetched.
    assert [each for each in addresses if each != "http://www.w3.org"] == []
