"""Finds what a sanitizer (CMakePresets.json: asan, tsan) reported in a process whose exit code
nobody looks at, or that a supervisor started again: no test passes over that."""

import glob
import os
import re

_REPORT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer[: ]|: runtime error: ")


class SanitizerReport(Exception):
    """No AssertionError: it is not what a test looks for."""


def refuse_reports(name, text):
    """Raises what a sanitizer says in the text, which the process `name` has written."""
    found = _REPORT.search(text)
    if found:
        raise SanitizerReport(f"{name}:\n" + text[max(0, found.start() - 200):][:8000])


def refuse_reports_in(directory):
    """The same for all logs in it and below."""
    for path in glob.glob(os.path.join(directory, "**", "*.log"), recursive=True):
        with open(path, errors="replace") as log:
            refuse_reports(path, log.read())
