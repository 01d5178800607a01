"""The built programs and the command line, for tests that run whole processes."""

import os
import subprocess
import time

from sanitizer import refuse_reports

BIN = os.environ["PHASOR_BIN_DIR"]
SOURCE = os.environ["PHASOR_SOURCE_DIR"]
MODELS = os.environ.get("PHASOR_TEST_MODELS") or os.path.join(SOURCE, "models")
LIMIT = 60  # seconds that any one thing may take on a slow machine


def run(*arguments, env=None, stdin=None, timeout=LIMIT):
    """Runs `phasor`; gives exit code, standard output and standard error."""
    ended = subprocess.run([os.path.join(BIN, "phasor"), *map(str, arguments)],
                           capture_output=True, text=True, timeout=timeout, input=stdin,
                           env={**os.environ, **(env or {})})
    refuse_reports("phasor", ended.stderr)
    return ended.returncode, ended.stdout, ended.stderr


def wait_for(what, condition, seconds=LIMIT, pause=0.05):
    """Asks until `condition` gives something true, which it returns."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"{what} did not happen within {seconds} s")
