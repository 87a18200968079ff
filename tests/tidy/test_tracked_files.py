"""What is committed names no machine and no package registry: it must work anywhere, from any mirror."""

import re

from tests.tidy.source import committed_files, name_of

# Put together, so that this file does not name what it forbids.
MACHINE_PATHS = re.compile(rb"(?<![\w.\-])/(?:" + rb"|".join([b"work", b"root", b"home", b"tmp/w"]) + rb")(?![\w.\-])")
REGISTRIES = [
    ".".join(parts).encode()
    for parts in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("registry", "npmjs", "org"),
    ]
]


def test_no_file_names_a_path_of_a_machine() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100].decode(errors='replace')}"
        for path in committed_files()
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]
    assert not found, "paths of one machine break on the next; make them relative or configurable:\n" + "\n".join(found)


def test_no_file_names_a_package_registry() -> None:
    found = [
        f"{name_of(path)}: {host.decode()}"
        for path in committed_files()
        for host in REGISTRIES
        if host in path.read_bytes()
    ]
    assert not found, "the client's own settings say where packages come from; take these out:\n" + "\n".join(found)


def test_both_searches_see_what_they_look_for() -> None:
    assert MACHINE_PATHS.search(b'cd "/' + b'work/main"')
    assert MACHINE_PATHS.search(b"/" + b"root")
    assert not MACHINE_PATHS.search(b"tests/" + b"work/main or framework/x or /workers")
    assert len(REGISTRIES) == len(set(REGISTRIES))
