"""Golden tensors of the CLIP text encoder: hidden states, and what clip skip makes of them."""

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTextConfig, CLIPTextModel

from golden import generator, randomise, write_case

CASES = {"quick_gelu": 3, "gelu": 4}
VOCABULARY, LENGTH = 99, 77


def tiny_model(activation, seed):
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        hidden_act=activation,
        bos_token_id=97,
        eos_token_id=98,
        pad_token_id=98,
        projection_dim=32,
    )
    return randomise(CLIPTextModel(config), seed)


def prompt_ids():
    """Three prompts of different length: start mark, words, end marks up to 77."""
    ids = torch.full((3, LENGTH), 98)
    ids[:, 0] = 97
    for row, words in enumerate((0, 9, 75)):
        ids[row, 1 : 1 + words] = torch.randint(0, 97, (words,), generator=generator(row))
    return ids


@torch.no_grad()
def skipped(model, ids, clip_skip):
    """As StableDiffusionPipeline.encode_prompt: an earlier layer, then the final norm."""
    if clip_skip is None:
        return model(ids)[0]
    hidden = model(ids, output_hidden_states=True)[-1][-(clip_skip + 1)]
    return model.text_model.final_layer_norm(hidden)


@torch.no_grad()
def export():
    # The formula above must be diffusers' own: it names both parts of it.
    source = StableDiffusionPipeline.encode_prompt.__code__
    assert "final_layer_norm" in source.co_names and "text_model" in source.co_names
    ids = prompt_ids()
    for activation, seed in CASES.items():
        model = tiny_model(activation, seed)
        result = model(ids, output_hidden_states=True)
        tensors = {
            "ids": ids,
            "last_hidden_state": result.last_hidden_state,
            "pooled": result.pooler_output,
            "clip_skip_1": skipped(model, ids, 1),
            "clip_skip_2": skipped(model, ids, 2),
        }
        tensors |= {f"hidden_states.{i}": h for i, h in enumerate(result.hidden_states)}
        folder = write_case(
            f"clip_text/{activation}",
            tensors,
            model=f"clip_text/{activation}/text_encoder",
            activation=activation,
        )
        model.save_pretrained(folder / "text_encoder")
