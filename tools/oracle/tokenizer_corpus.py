"""The tokenizer corpus: prompts with the ids of transformers' CLIPTokenizer, for two vocabularies.

The demo model's own vocabulary has few merges. The second one is trained here on English text and
on the corpus itself, so that merges of all lengths and scripts are exercised. Its special tokens
are written as published SD 1.x files write them (objects with `normalized: true`), the demo
model's as plain strings; the two differ in how they treat <|ENDOFTEXT|>.
"""

import json
from pydoc_data import topics

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from corpus_texts import texts
from golden import DEMO_MODEL, REPOSITORY

CORPUS = REPOSITORY / "tests" / "corpus"
START, END = "<|startoftext|>", "<|endoftext|>"
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def byte_symbols():
    """The 256 byte symbols in CLIP's order: printable ones first, then the stand-ins."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def train_merges(count):
    """Merges learnt the way CLIP's were: on lower-cased words with an end mark."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=count + 512,
        min_frequency=2,
        initial_alphabet=byte_symbols(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    english = [topics.topics[key] for key in sorted(topics.topics)]
    tokenizer.train_from_iterator(english + texts(), trainer)
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    return merges[:count]


def write_vocabulary(folder, merges):
    """vocab.json and merges.txt in CLIP's layout: bytes, bytes with end mark, merges, specials."""
    symbols = byte_symbols()
    tokens = symbols + [s + "</w>" for s in symbols] + [a + b for a, b in merges] + [START, END]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")

    def special(content):
        flags = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
        return {"__type": "AddedToken", "content": content, **flags}

    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": 77,
        "bos_token": special(START),
        "eos_token": special(END),
        "unk_token": special(END),
        "pad_token": END,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def write_ids(tokenizer, path):
    """One line a prompt; non-ASCII escaped, so that no editor or diff can change a prompt."""
    with path.open("w") as out:
        for text in texts():
            ids = tokenizer(text, padding="max_length", max_length=77, truncation=True).input_ids
            out.write(json.dumps({"text": text, "ids": ids}, separators=(",", ":")) + "\n")


def export():
    second = CORPUS / "vocab2"
    if not (second / "merges.txt").exists():  # training breaks ties at random: made once, then kept
        write_vocabulary(second, train_merges(3000))
    write_ids(
        CLIPTokenizer.from_pretrained(DEMO_MODEL / "tokenizer"), CORPUS / "clip_prompts.jsonl"
    )
    write_ids(CLIPTokenizer.from_pretrained(second), second / "clip_prompts.jsonl")
