"""All that is wrong with a file of printed numbers, each with its line."""

import re

from lnm_kit.errors import InputError


class Problems:
    """All that is wrong with a file.

    Parameters
    ----------
    text
        Of the file; "" where there is none, and then no lines are named.
    """

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.found: list[str] = []

    def add(self, section: str, needle: str, what: str, *, number: bool = False) -> None:
        """Keep a problem; its line is the first of the section that holds the needle.

        A line that holds it as a word goes before one that holds it inside of a longer word. With
        `number` it is a number that stands outside of quotes, however many zeros end it.
        """
        line = self._line(section, needle, number)
        self.found.append(what if line is None else f"line {line}: {what}")

    def raise_all(self, source: str) -> None:
        """Raise one InputError with all problems; return when there are none."""
        if self.found:
            count = f"{len(self.found)} problem" + ("s" if len(self.found) > 1 else "")
            raise InputError("\n  ".join([f"{source} has {count}:", *self.found]))

    def _line(self, section: str, needle: str, number: bool) -> int | None:
        """Return the first line of a section that holds the needle, else that of its heading."""
        lines, heading = self._section(section)
        bare = re.escape(needle)
        word = rf'(?<!["\w.]){bare}0*(?!["\w.])' if number else rf"(?<![\w.]){bare}(?![\w.])"
        for pattern in (word, bare) if needle else ():
            for place, line in lines:
                if re.search(pattern, line):
                    return place
        return heading

    def _section(self, section: str) -> tuple[list[tuple[int, str]], int | None]:
        """Lines of a section with their numbers, and the line of its heading; "" for all lines."""
        heading, lines = None, []
        for number, line in enumerate(self.lines, start=1):
            opened = re.match(r"\s*\[+\s*([\w.-]+)\s*\]+\s*(?:#|$)", line)
            if opened and heading is not None:
                break
            if opened:
                heading = number if opened[1] == section else None
            elif heading is not None or not section:
                lines.append((number, line))
        return lines, heading
