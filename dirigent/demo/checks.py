"""The checks of the demo: each one a sentence that holds or does not, shown at once and counted at the end."""

from dataclasses import dataclass, field

from rich.console import Console


@dataclass(slots=True)
class Checks:
    """Collects checks and shows them as they are made."""

    console: Console
    failed: list[str] = field(default_factory=list)
    made: int = 0

    def that(self, sentence: str, holds: bool, reason: str) -> bool:
        """Note one check; the reason is shown when it does not hold."""
        self.made += 1
        if holds:
            self.console.print(f"  [green]✓[/green] {sentence}", highlight=False, soft_wrap=True)
        else:
            self.failed.append(sentence)
            self.console.print(f"  [red]✗[/red] {sentence}: {reason}", highlight=False, soft_wrap=True)
        return holds

    def same(self, sentence: str, found: object, expected: object) -> bool:
        """Note that two values are equal; both are shown when they are not."""
        return self.that(sentence, found == expected, f"found {found}, computed {expected}")

    @property
    def all_hold(self) -> bool:
        """Whether something was checked and all of it holds."""
        return self.made > 0 and not self.failed
