#!/usr/bin/env python3
"""Writes unicode_tables.cc: what the reference tokenizer library believes about Unicode.

Every code point is put through `tokenizers` 0.22.2 itself (its regex classes, lower-casing and
NFC are of three different Unicode versions), so the tables are the reference's behaviour and not
a system library's. Needs `pip install tokenizers==0.22.2`.

    python3 make_unicode_tables.py > unicode_tables.cc
"""
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
NFC, NFD, LOWER = normalizers.NFC(), normalizers.NFD(), normalizers.Lowercase()


def members(pattern):
    """Code points that the pattern matches, asked a line of 256 at a time."""
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    found = []
    for start in range(0, len(POINTS), 256):
        chunk = POINTS[start:start + 256]
        # A separator that no class holds keeps neighbours apart.
        text = "".join("\U0010FFFE" + chr(c) for c in chunk)
        marks = set()
        for piece, (begin, _) in split.pre_tokenize_str(text):
            if piece != "\U0010FFFE" and len(piece) == 1 and begin % 2 == 1:
                marks.add(begin // 2)
        for i, c in enumerate(chunk):
            if i in marks and len(split.pre_tokenize_str("\U0010FFFE" + chr(c))) == 2:
                found.append(c)
    return found


def ranges(points):
    out = []
    for c in points:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def lower_runs():
    """[first, last, step, delta]: first, first + step, ... last map to themselves + delta."""
    pairs = []
    for c in POINTS:
        low = LOWER.normalize_str(chr(c))
        if low != chr(c) and c != 0x130:  # U+0130 has two characters: done in code
            assert len(low) == 1, hex(c)
            pairs.append((c, ord(low) - c))
    assert LOWER.normalize_str("\u0130") == "i\u0307"
    runs = []
    for c, delta in pairs:
        if runs and runs[-1][3] == delta:
            last = runs[-1]
            step = c - last[1]
            if step <= 2 and (last[0] == last[1] or last[2] == step):
                last[1], last[2] = c, step
                continue
        runs.append([c, c, 1, delta])
    return runs


def combining_classes():
    """The reference's canonical combining classes: Python's, where a probe shows it has one."""
    out = []
    for c in POINTS:
        value = unicodedata.combining(chr(c))
        if not value:
            continue
        before = "a" + chr(c) + "\u0334"   # class 1: goes first if c's is higher
        after = "a\u035d" + chr(c)         # class 234
        late = "a\u0345" + chr(c)          # class 240
        moves = [t for t in (before, after, late) if NFD.normalize_str(t) != t]
        if moves:
            out.append((c, value))
    runs = []
    for c, value in out:
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == value:
            runs[-1][1] = c
        else:
            runs.append([c, c, value])
    return runs


def decompositions():
    """(c, a, b, composes): one canonical step, b = 0 for singletons. Hangul is done in code."""
    out = []
    for c in POINTS:
        if 0xAC00 <= c <= 0xD7A3 or NFD.normalize_str(chr(c)) == chr(c):
            continue
        parts = unicodedata.decomposition(chr(c)).split()
        assert parts and not parts[0].startswith("<"), hex(c)
        a, b = int(parts[0], 16), int(parts[1], 16) if len(parts) > 1 else 0
        composes = b != 0 and NFC.normalize_str(chr(a) + chr(b)) == chr(c)
        out.append((c, a, b, composes))
    return out


def emit(kind, name, rows):
    cells = ["{" + ", ".join(row) + "}," for row in rows]
    print(f"const {kind} {name}[] = {{")
    line = "   "
    for cell in cells:
        if len(line) + len(cell) + 1 > 100:
            print(line)
            line = "   "
        line += " " + cell
    print(line)
    print("};")
    print(f"const size_t {name}Count = {len(rows)};\n")


def main():
    print("// Written by make_unicode_tables.py; not to be edited.")
    print('#include "engine/tokenizers/unicode_tables.h"\n')
    print("// clang-format off\nnamespace phasor::engine {\n")
    for name, pattern in (("kLetters", r"\p{L}"), ("kNumbers", r"\p{N}"), ("kSpaces", r"\s"),
                          ("kWords", r"\w")):
        emit("CodeRange", name, [[hex(a), hex(b)] for a, b in ranges(members(pattern))])
    emit("LowerRun", "kLowerRuns",
         [[hex(a), hex(b), str(step), str(delta)] for a, b, step, delta in lower_runs()])
    emit("CombiningRun", "kCombiningRuns",
         [[hex(a), hex(b), str(value)] for a, b, value in combining_classes()])
    emit("Decomposition", "kDecompositions",
         [[hex(c), hex(a), hex(b), str(int(ok))] for c, a, b, ok in decompositions()])
    print("}  // namespace phasor::engine")


main()
