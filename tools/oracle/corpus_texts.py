"""The prompts of the tokenizer corpus: everything that has tripped a CLIP tokenizer, and noise."""

import random
import sys
import unicodedata

SUBJECTS = (
    "cat,astronaut,castle,old fisherman,red circle,robot,lighthouse,bowl of soup,horse".split(",")
)
STYLES = "oil painting,watercolor,8k,highly detailed,by Greg,trending on artstation,bokeh".split(
    ","
)
COLOURS = "red orange yellow green blue purple pink white black grey".split()
SHAPES = "circle square triangle star heart ring diamond cross".split()

HAND_PICKED = [
    "", " ", "\t", "\n", "   \r\n  ", "a", "A", "'", "''", "'s", "'S", "''s", "!'s", "'sam", "it's",
    "IT'S", "it’s", "don't", "we'll've", "I'd I'm they're you've", "rock'n'roll", "'tis", "o'clock",
    "'ll'd've", "a'b'c", "s's's", "'re're", "1's", "é's", "'ſ", "'ſ s", "0", "42", "3.14", "1,000,000",
    "2024-12-31", "½ ² Ⅳ ① ٣ ४", "x²+y²=z²", "10%", "$5.00", "#hashtag @mention", "a_b __init__",
    "snake_case CamelCase", "C++ & C#", "(masterpiece:1.2), [ugly], {x|y}", "a,b;c:d", "...", "…", "?!",
    "!!", "!!!1!", "--", "—", "«quoted»", "“smart” ‘quotes’", "http://example.com/?q=1&r=a+b#frag",
    "<lora:thing:0.8>", "<b>bold</b> &amp; &lt;", "\\n \\t \\", "a\\b/c", "`code`", "~^|", "a\u00a0b",
    "a\u2003b\u3000c\u1680d\u202fe\u205ff", "a\u0085b", "a\u2028b\u2029c", "a\u200bb", "a\ufeffb",
    "\ufeffstart", "a\u200cb\u200dc", "soft\u00adhyphen", "a\u180eb", "a\x0bb\x0cc", "a\x1cb\x1dc\x1ed\x1fe",
    "nul\x00inside", "\x00", "\x00\x00", "a \x00 b", "\x01\x02\x03\x7f", "\x80\x9f", "\x1b[31mred\x1b[0m",
    "bell\x07", "café", "cafe\u0301", "e\u0301\u0302", "\u0301", "\u0301a", "a\u0300\u0301\u0302\u0303",
    "q\u0323\u0307 q\u0307\u0323", "Å Å Å", "ﬁ ﬂ ﬃ", "ＦＵＬＬ　ｗｉｄｔｈ", "① ② ③", "㎏ ㎡", "ǅ Ǆ ǆ", "İstanbul",
    "ISTANBUL ıi", "İ", "ΣΊΣΥΦΟΣ", "ὈΔΥΣΣΕΎΣ", "Σ", "ΑΣ ΑΣ.", "straße STRASSE ẞ", "ÀÉÎÕÜ", "ŸŒÆØ", "ŊĦŦ",
    "Ĳ ĳ ŉ", "ᏣᎳᎩ Ꭰ ꭰ", "Ⴀ ა Ა", "Ⅷ ⅷ", "Ⓐ ⓐ", "𝐀𝐁𝐂 𝕏 𝓗", "𐐀𐐨", "𝟘𝟙𝟚", "日本語のテキスト", "中文字符", "한국어 텍스트",
    "각", "\u1100\u1161\u11a8", "が か\u3099 ガ ｶﾞ", "ไทย ภาษา", "हिन्दी क्षत्रिय", "தமிழ்", "বাংলা", "မြန်မာ",
    "ខ្មែរ", "አማርኛ", "עברית עִבְרִית", "العربية اَلْعَرَبِيَّةُ", "\u202eRTL override\u202c", "\u200fright\u200emark", "فارسی ۱۲۳",
    "русский ЁЛКА ё е\u0308", "Ελληνικά άέή", "Tiếng Việt Ðặng", "naïve façade Noël", "😀", "😀😁", "a😀b", "👍🏽",
    "👨‍👩‍👧‍👦 family", "🏳️‍🌈 🏴‍☠️", "🇩🇪🇫🇷", "1️⃣ #️⃣ *️⃣", "❤ ❤️ ♥", "☃️", "👩🏿‍🚀 in space", "©®™", "→ ⇒ ∀x∈ℝ",
    "ﷺ", "꧁༺ name ༻꧂", "Z\u0351\u036b\u0343a\u0363\u0368l\u0357g\u0366o\u0307", "\ufffd", "a\ufffdb", "\ufffe", "\uffff", "\U0010ffff", "\ue000\uf8ff",
    "\U000f0000", "\U0001f9ff\U0001fae0", "\u0378", "\ud7ff", "\U000e0001", "a\u034fb", "\u2066iso\u2069",
    "<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|EndOfText|>", "<|StartOfText|> a cat",
    "a cat<|endoftext|>a dog", "a cat <|endoftext|> a dog", "<|endoftext|><|endoftext|>", "<|endoftext|>'s",
    "it<|endoftext|>'s", "<|endoftext|>!!", "!!<|endoftext|>", "<|endoftext", "endoftext|>", "<| endoftext |>",
    "<|startoftext|>a<|endoftext|>", "<<|endoftext|>>", "<|ENDOFTEXT|>!!", "!!<|ENDOFTEXT|>", "x<|ENDOFTEXT|>y",
    "<|endoftext|>\u0301", "e<|endoftext|>\u0301", "<|ſtartoftext|>", "<|startoftext|>" * 3, "<|endoftext|>" * 80,
    "a " * 74, "a " * 75, "a " * 76, "a " * 200, "!" * 74, "! " * 75, "1" * 75, "1" * 76, "1" * 300,
    "a" * 1000, "ab" * 800, "é" * 100, "日" * 200, "👨‍👩‍👧‍👦" * 20, "'s" * 80, "\x00" * 80, " " * 500,
    "pneumonoultramicroscopicsilicovolcanoconiosis", "Donaudampfschifffahrtsgesellschaftskapitän",
    "supercalifragilisticexpialidocious " * 12, "looooooooooooooooooooooooooooooong",
]  # fmt: skip


def scene_like(rng):
    colour, shape, ground = rng.choice(COLOURS), rng.choice(SHAPES), rng.choice(COLOURS)
    article = rng.choice(["a", "an", "two", "three", "the"])
    place = rng.choice(["", " on the left", " at the top", " above a white ring"])
    return f"{article} {colour} {shape}{place} on {rng.choice(['a ', ''])}{ground} background"


def prompt_like(rng):
    parts = [f"{rng.choice(['a photo of', 'An', 'THE', ''])} {rng.choice(SUBJECTS)}"]
    parts += rng.sample(STYLES, rng.randrange(1, 5))
    text = rng.choice([", ", ",", " , ", "; "]).join(parts)
    return rng.choice([str, str.upper, str.title, str.lower])(text)


def assigned(rng, low=0, high=sys.maxunicode):
    """A character that Unicode 14 knows: newer ones differ between libraries, not between tokenizers."""
    while True:
        character = chr(rng.randint(low, high))
        if unicodedata.category(character) not in ("Cn", "Cs"):
            return character


def random_plane(rng):
    low, high = rng.choice(
        [(0, 0x2FF), (0x300, 0x1FFF), (0x2000, 0x2FFF), (0x3000, 0xFFFF), (0x10000, 0x1FAFF)]
    )
    return "".join(assigned(rng, low, high) for _ in range(rng.randrange(1, 25)))


def random_ascii(rng):
    return "".join(chr(rng.randrange(128)) for _ in range(rng.randrange(1, 60)))


def random_punctuated(rng):
    pieces = [
        "'",
        "'s",
        "'ll",
        " ",
        "!",
        "1",
        "a",
        "Z",
        "é",
        "\u0301",
        "_",
        "<|",
        "|>",
        "\u200d",
        "\u00a0",
        "😀",
        "．",
    ]
    return "".join(rng.choice(pieces) for _ in range(rng.randrange(2, 30)))


def random_marks(rng):
    """Letters with stacks of combining marks, in and out of canonical order."""
    marks = [chr(c) for c in range(0x300, 0x345)] + list(
        "\u05b0\u05bc\u064b\u0651\u3099\u0323\u1dc0"
    )
    return "".join(
        rng.choice("aeiouAEIOUqzאبか") + "".join(rng.choices(marks, k=rng.randrange(3)))
        for _ in range(rng.randrange(1, 15))
    )


def random_words(rng):
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [
        "".join(rng.choices(letters, k=rng.randrange(1, 16))) for _ in range(rng.randrange(1, 40))
    ]
    return " ".join(rng.choice([w, w.upper(), w.capitalize()]) for w in words)


def spliced(rng):
    """Two hand-picked prompts joined in the middle, so that their rules meet."""
    left, right = rng.choice(HAND_PICKED)[:40], rng.choice(HAND_PICKED)[:40]
    return left + rng.choice(["", " ", "'", "!"]) + right


KINDS = {
    scene_like: 300,
    prompt_like: 350,
    random_plane: 450,
    random_ascii: 250,
    random_punctuated: 300,
    random_marks: 200,
    random_words: 250,
    spliced: 400,
}


def texts(seed=1):
    """All prompts, without repeats, in a fixed order."""
    rng = random.Random(seed)
    drawn = [kind(rng) for kind, count in KINDS.items() for _ in range(count)]
    return list(dict.fromkeys(HAND_PICKED + drawn))
