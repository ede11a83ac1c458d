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

    def add(self, section: str, needle: str, what: str) -> None:
        """Keep a problem; its line is the first of the section that holds the needle."""
        line = self._line(section, needle)
        self.found.append(what if line is None else f"line {line}: {what}")

    def raise_all(self, source: str) -> None:
        """Raise one InputError with all problems; return when there are none."""
        if self.found:
            count = f"{len(self.found)} problem" + ("s" if len(self.found) > 1 else "")
            raise InputError("\n  ".join([f"{source} has {count}:", *self.found]))

    def _line(self, section: str, needle: str) -> int | None:
        """Return the first line of a section that holds the needle, else that of its heading."""
        heading = None
        for number, line in enumerate(self.lines, start=1):
            opened = re.match(r"\s*\[+\s*([\w.-]+)\s*\]+\s*(?:#|$)", line)
            if opened:
                if heading is not None:
                    return heading
                if opened[1] == section:
                    heading = number
            elif (heading is not None or not section) and needle and needle in line:
                return number
        return heading
