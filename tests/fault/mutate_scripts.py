"""Writes the queue's scripts together with mutants of them, for the test programs alone:
mutate_scripts.py scripts.cc mutant_scripts.cc

scripts.cc is what the build embeds; the output defines the same symbols, and PHASOR_MUTANT in the
environment chooses at start-up. Fails when a text that a mutant replaces is not there any more.
"""

import hashlib
import re
import sys

# mutant -> (script or None for all that have the text, text, replacement)
MUTANTS = {
    "nonce-check-dropped": (None, "return job.epoch == epoch and job.nonce == nonce",
                            "return job.epoch == epoch"),
    "renew-without-progress": ("renew", "then return change.commit('STALLED') end", "then end"),
    "crash-counted-as-a-try": (None, "job.crashes, job.crash_nodes, job.solo = job.crashes + 1, nodes, 1",
                               "job.tries = job.tries + 1; job.crashes, job.crash_nodes, "
                               "job.solo = job.crashes + 1, nodes, 1"),
    "submit-with-allow-oom": ("submit", "#!lua\n", "#!lua flags=allow-oom\n"),
    "take-without-tk": ("take", "if job and job.state == 'LEASED' and job.nonce == taker.nonce then",
                        "if false then"),
    "no-auditor": ("audit", "\n-- AUDIT:", "\ndo return {'', 0, 0, {}} end\n-- AUDIT:"),
}
SCRIPT = re.compile(r'const Script (k\w+)\{"(\w+)", "(\w+)", R"LUA\((.*?)\)LUA"\};', re.DOTALL)
HEAD = """// Written by mutate_scripts.py, not to be edited.
#include "common/queue/redis/scripts.h"
#include "tests/fault/mutant.h"

namespace phasor::queue::scripts {
"""


def literal(name, text):
    sha = hashlib.sha1(text.encode()).hexdigest()
    return f'{{"{name}", "{sha}", R"LUA({text})LUA"}}'


def variants(name, text):
    """(mutant, text) for each mutant that changes the script."""
    for mutant, (script, old, new) in MUTANTS.items():
        if script in (None, name) and old in text:
            yield mutant, text.replace(old, new)


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        scripts = SCRIPT.findall(file.read())
    used = set()
    out = [HEAD]
    for symbol, name, sha, text in scripts:
        assert hashlib.sha1(text.encode()).hexdigest() == sha, f"{name} was not read as it is"
        entries = [("", text), *variants(name, text)]
        used.update(mutant for mutant, _ in entries)
        rows = ",\n".join(f'{{"{mutant}", {literal(name, body)}}}' for mutant, body in entries)
        out.append(f"\nconst Script {symbol} = fault::Chosen({{{rows}}});\n")
    missing = set(MUTANTS) - used
    if missing:
        sys.exit(f"the scripts have no longer the text that is replaced by: {sorted(missing)}")
    names = ", ".join(f'"{name}"' for name in ["none", *MUTANTS])
    out.append(f"\nstatic const bool kKnown = fault::IsKnown({{{names}}});\n")
    out.append("\n}  // namespace phasor::queue::scripts\n")
    with open(target, "w", encoding="utf-8") as file:
        file.write("".join(out))


if __name__ == "__main__":
    main()
