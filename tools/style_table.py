#!/usr/bin/env python3
"""Prints the sizes of files and functions in this tree next to those of well-kept C++ projects.

Exit code 1 if a file or function is above its hard limit, each one named. Functions are found by
their layout, which clang-format guarantees: they open with a line that ends in '{' after a ')'
and close with a '}' at the same indentation.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("common", "engine", "services", "tests", "bench", "tools")

# kind: (median, 90th percentile) of CTranslate2, userver, TensorFlow Serving and leveldb,
# as ranges, and our hard limit in lines.
ANCHORS = {
    ".cc": ("70-155", "287-554", 600),
    ".h": ("40-80", "180", 300),
    "test": ("100-200", "400", 600),
    "main.cc": ("50", "-", 80),
    "CMakeLists.txt": ("25", "-", 60),
    "function": ("5-15", "30", 100),
}

OPENING = re.compile(r"^( {0,2})(?![ #/}]|namespace|class|struct|enum|extern|union)\S.*\{$")
GENERATED = "not to be edited"  # in the first line of a file that a program wrote
PARENTHESIS = re.compile(r"\)[^()]*\{$")


def kind_of(path):
    """Which row of the table a file belongs to, or None."""
    if path.name == "CMakeLists.txt":
        return "CMakeLists.txt"
    if path.suffix not in (".cc", ".h"):
        return None
    if path.stem.endswith(("_test", "_contract")):
        return "test"
    return "main.cc" if path.name == "main.cc" else path.suffix


def functions(path, lines):
    """Yields (name of the place, lines) for each function in a source file."""
    start, indent = None, ""
    for number, line in enumerate(lines, 1):
        if start is None:
            match = OPENING.match(line)
            if match and PARENTHESIS.search(line):
                start, indent = number, match.group(1)
        elif line.startswith(indent + "}"):
            yield f"{path}:{start}", number - start + 1
            start = None


def measure():
    """All sizes by kind: {kind: [(lines, place)]}."""
    sizes = {kind: [] for kind in ANCHORS}
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*")):
            path = file.relative_to(ROOT)
            kind = kind_of(path)
            if kind is None:
                continue
            lines = file.read_text(encoding="utf-8").splitlines()
            if lines and GENERATED in lines[0]:
                continue
            sizes[kind].append((len(lines), str(path)))
            if kind in (".cc", ".h", "main.cc"):
                sizes["function"].extend((count, place) for place, count in functions(path, lines))
    return sizes


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def main():
    sizes = measure()
    print(f"{'':16}{'count':>7}{'median':>8}{'p90':>6}{'max':>6}{'limit':>7}"
          f"   others: median, p90")
    too_long = []
    for kind, (median, p90, limit) in ANCHORS.items():
        counts = sorted(count for count, _ in sizes[kind])
        if not counts:
            continue
        print(f"{kind:16}{len(counts):7}{percentile(counts, 0.5):8}{percentile(counts, 0.9):6}"
              f"{counts[-1]:6}{limit:7}   {median}, {p90}")
        too_long += [(count, place, limit) for count, place in sizes[kind] if count > limit]
    total = {kind: sum(count for count, _ in sizes[kind]) for kind in ANCHORS}
    source = total[".cc"] + total[".h"] + total["main.cc"]
    print(f"source {source} lines, tests {total['test']} lines, "
          f"tests per source {total['test'] / max(1, source):.2f} (aim 0.6)")
    for count, place, limit in too_long:
        print(f"{place}: {count} lines, the limit is {limit}", file=sys.stderr)
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
