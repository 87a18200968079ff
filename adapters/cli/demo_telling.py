"""How the demo tells its story: what is typed, what comes back, and whether that was expected."""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

from rich.rule import Rule
from rich.text import Text

from adapters.cli.answer import console_on, plain, plural
from adapters.cli.demo_report import Checked, Report
from adapters.cli.demo_stage import Outcome, Stage, typed
from adapters.settings import Settings

WIDTH = 110  # of a command, before it is cut


class Telling:
    """Runs verbs on a stage, prints them, and keeps every expectation."""

    organization_id: UUID
    by_admin: tuple[str, ...] = ()
    by_purchaser: tuple[str, ...] = ()
    resized_at = 0

    def __init__(self, stage: Stage, report: Report, *, quiet: bool) -> None:
        self.stage, self.report = stage, report
        self.console = console_on(sys.stderr if quiet else sys.stdout)
        self.console.quiet = quiet
        self.step = ""
        self.chapters = 0

    def say(self, line: str) -> None:
        self.console.print(plain(line))

    def chapter(self, title: str) -> None:
        self.step = title
        self.chapters += 1
        self.report.broker = self.stage.broker_kind
        self.console.print()
        self.console.print(Rule(Text(f" {self.chapters}. {title} ", style="bold"), align="left", style="dim"))

    def command(self, words: tuple[str, ...]) -> None:
        text = typed(words)
        self.console.print(Text(f"$ {text if len(text) <= WIDTH else text[:WIDTH] + ' …'}", style="cyan"))

    def run(self, *words: str) -> Outcome:
        """A verb that is to succeed; a failure is a difference."""
        self.command(words)
        outcome = self.stage.run(*words)
        if outcome.refusal is not None:
            self.check(f"{words[0]} succeeds", None, outcome.refusal)
            raise StoryEnded(f"the demo cannot go on: {outcome.data['error']['message']}")
        return outcome

    def refused(self, code: str, what: str, *words: str) -> None:
        """A verb that is to be refused."""
        self.command(words)
        outcome = self.stage.run(*words)
        if outcome.refusal is not None:
            self.say(f"  refused: {outcome.data['error']['message']}")
        self.check(f"refused: {what}", [code, 1], [outcome.refusal, outcome.exit_code], brief=code)

    def show(self, *words: str) -> None:
        """What people see."""
        self.console.print(plain(self.stage.shown(*words).rstrip()))

    def show_found(self, data: dict[str, Any]) -> None:
        """What an audit looked at."""
        about = f"{plural(data['events'], 'event')} of {plural(data['organizations'], 'organization')}"
        self.say(f"  {about}; checked: {', '.join(data['checks'])}")
        for one in data["differences"]:
            self.say(f"  {one['check']}: {one['key']}: {one['what']}")

    def check(self, what: str, expected: Any, actual: Any, *, brief: str | None = None) -> None:
        """Keeps and prints an expectation; `brief` stands for a long value."""
        checked = Checked(self.step, what, expected, actual)
        self.report.checks.append(checked)
        if checked.equal:
            value = brief if brief is not None else text_of(expected)
            self.console.print(Text.assemble(("  ok ", "green"), plain(f"{what}: {value}")))
        else:
            words = f"{what}: expected {text_of(expected)}, found {text_of(actual)}"
            self.console.print(Text.assemble(("  DIFFERS ", "bold red"), plain(words)))

    def end(self, report: str, *, seconds: float) -> None:
        checks, differing = len(self.report.checks), len(self.report.differing)
        self.console.print()
        self.console.print(Rule(style="dim"))
        if differing:
            self.console.print(Text(f"{differing} of {plural(checks, 'check')} differ from what was done", "bold red"))
        else:
            self.console.print(Text(f"all {checks} checks are as expected, in {seconds:.0f} s", style="bold green"))
        self.say(f"report: {report}")
        if self.report.api:
            usual = Settings.model_fields["api_port"].default
            self.say(f"the HTTP API answered at {self.report.api}; `seatledger up` serves it at port {usual}")


class StoryEnded(Exception):
    """Says why the story cannot be told to its end."""


def text_of(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(str(one) for one in value[:4])
        return shown + (f" and {len(value) - 4} more" if len(value) > 4 else "") if value else "none"  # noqa: PLR2004
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
