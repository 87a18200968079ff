"""No rule in an `@event` body: it runs again at every replay, and a rule tightened later would refuse old history."""

import ast
from collections.abc import Iterator

from tests.tidy.source import last_name, methods, modules, name_of, tree_of

CURE = "decide in the plain method that tells the event; the @event body only applies"
RULES: dict[type[ast.AST], str] = {
    ast.Raise: "raises",
    ast.Assert: "asserts",
    ast.If: "decides with if",
    ast.IfExp: "decides with if",
    ast.Match: "decides with match",
    ast.While: "loops with a condition",
    ast.Try: "catches",
    ast.With: "enters a context",
}
TELLS = {"tell", "trigger_event", "born"}
# "LicensePool._resized": "why this `if` can never refuse history"
ALLOWED_IFS: dict[str, str] = {}


def is_event_body(method: ast.FunctionDef) -> bool:
    return any(isinstance(mark, ast.Call) and last_name(mark.func) == "event" for mark in method.decorator_list)


def rules_in(name: str, body: ast.FunctionDef) -> Iterator[str]:
    """Says what in the body could refuse, or tell more."""
    for node in (found for statement in body.body for found in ast.walk(statement)):
        if not isinstance(node, ast.stmt | ast.expr):
            continue
        rule = RULES.get(type(node))
        if rule and not (isinstance(node, ast.If | ast.IfExp) and name in ALLOWED_IFS):
            yield f"line {node.lineno} {rule}"
        elif isinstance(node, ast.Return) and node.value is not None:
            yield f"line {node.lineno} answers something"
        elif isinstance(node, ast.Call):
            called = last_name(node.func)
            if called.lstrip("_").startswith("refuse"):
                yield f"line {node.lineno} calls the rule {called}"
            elif called in TELLS:
                yield f"line {node.lineno} tells another event"


def test_no_rule_stands_in_an_event_body() -> None:
    bodies = [
        (path, name, method)
        for path in modules("domain")
        for name, method in methods(tree_of(path))
        if is_event_body(method)
    ]
    broken = [f"{name_of(path)} {name}: {rule}" for path, name, method in bodies for rule in rules_in(name, method)]
    assert bodies, "no @event body was found in domain/: this test no longer sees them"
    assert not broken, f"{CURE}:\n" + "\n".join(broken)


def test_a_rule_in_an_event_body_is_seen() -> None:
    source = """
class Pool:
    @event(Resized)
    def _resized(self, total):
        if total < 1:
            raise ValueError
        self._refuse_total(total)
        self.tell(self.Other)
        for batch in self.batches:
            assert batch
        return total
"""
    [(name, method)] = methods(ast.parse(source))
    said = list(rules_in(name, method))
    assert [line.split(" ", 2)[2] for line in sorted(said, key=lambda line: int(line.split()[1]))] == [
        "decides with if",
        "raises",
        "calls the rule _refuse_total",
        "tells another event",
        "asserts",
        "answers something",
    ]


def test_applying_is_allowed() -> None:
    source = """
class Pool:
    @event(Resized)
    def _resized(self, total, batches):
        self.total = total
        for batch in batches:
            self.batches[batch.number] = batch
        self.open = [batch for batch in batches if batch.licenses]
"""
    [(name, method)] = methods(ast.parse(source))
    assert not list(rules_in(name, method))
