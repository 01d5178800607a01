"""Train the demo model's UNet and text encoder, from its present weights or a stored state.

    train_unet.py --until 14:20 --workers 2      on a CPU: one process a core
    train_unet.py --steps 20000 --device cuda    on a GPU

On a CPU each process works alone with one thread and only the gradients are exchanged, once a step:
an OpenMP team that shares its cores with other programs waits at every one of its barriers.
The random numbers of a step depend on its number alone, so a resumed run goes on as if it had
never stopped.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from diffusers import DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel

from flat_weights import FlatWeights
from latent_set import LatentSet
from schedule import Schedule, parse_until
from train_dir import MODEL, train_dir

SAVE_SECONDS = 240
LOG_STEPS = 50


def load_networks(device):
    unet = UNet2DConditionModel.from_pretrained(MODEL, subfolder="unet", dtype=torch.float32)
    text = CLIPTextModel.from_pretrained(MODEL, subfolder="text_encoder", dtype=torch.float32)
    return {"unet": unet.to(device).train(), "text_encoder": text.to(device).train()}


def target_and_weight(prediction, latents, noise, alpha):
    """What the network is to predict, and how much an error counts at each noise level.

    "epsilon" with min-SNR weights (gamma 5) hardly counts the noisiest levels, where a small error
    of the noise is a large one of the picture, yet layout and colours are decided there. With
    "v_prediction" the weights below keep half an error of the picture in force at every level.
    """
    snr = alpha / (1 - alpha)
    if prediction == "epsilon":
        return noise, snr.clamp(max=5) / snr
    velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
    return velocity, (snr + 0.5).clamp(max=5) / (snr + 1)


def loss_of(networks, batch, alphas_cumprod, prediction):
    alpha = alphas_cumprod[batch.timesteps].view(-1, 1, 1, 1)
    noisy = alpha.sqrt() * batch.latents + (1 - alpha).sqrt() * batch.noise
    noisy = noisy.to(memory_format=torch.channels_last)
    context = networks["text_encoder"](batch.ids).last_hidden_state
    predicted = networks["unet"](noisy, batch.timesteps, context, return_dict=False)[0]
    target, weight = target_and_weight(prediction, batch.latents, batch.noise, alpha)
    return ((predicted - target).square() * weight).mean()


class Training:
    """Weights, optimiser, average and position of one run, and how they are stored."""

    def __init__(self, args):
        self.prediction = args.prediction
        self.networks = load_networks(args.device)
        self.weights = FlatWeights(self.networks)
        self.optimizer = torch.optim.AdamW(
            [self.weights.vector], lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.average = self.weights.vector.detach().clone()
        self.step = 0
        self.schedule = Schedule(args.rate, 0, time.time(), args.steps, args.until, args.warmup)
        if args.state.exists():
            self._resume(torch.load(args.state, map_location=args.device))

    def _resume(self, state):
        with torch.no_grad():
            self.weights.vector.copy_(self.weights.flatten(state["weights"]))
        self.average = self.weights.flatten(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        if self.schedule.same_end(state["schedule"]):
            self.schedule = Schedule(**state["schedule"])
        else:
            self.schedule.start_step = self.step

    def save(self, path: Path):
        temporary = path.with_suffix(".tmp")
        state = {
            "weights": self.weights.tensors(self.weights.vector),
            "average": self.weights.tensors(self.average),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "prediction": self.prediction,
            "schedule": self.schedule.stored(),
        }
        torch.save(state, temporary)
        temporary.rename(path)

    def advance(self, batch, alphas_cumprod, workers, decay):
        """One optimiser step over all processes; returns loss and progress, the same for all."""
        self.weights.vector.grad.zero_()
        loss = loss_of(self.networks, batch, alphas_cumprod, self.prediction)
        loss.backward()
        # Each process reads its own clock; averaged, all follow one schedule.
        told = torch.tensor([loss.item(), self.schedule.progress(self.step)])
        if workers > 1:
            for tensor in (self.weights.vector.grad, told):
                dist.all_reduce(tensor)
                tensor /= workers
        loss, progress = told.tolist()
        torch.nn.utils.clip_grad_norm_([self.weights.vector], 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.step, progress)
        self.optimizer.step()
        self.step += 1
        with torch.no_grad():
            self.average.lerp_(self.weights.vector, 1 - min(decay, self.step / (self.step + 10)))
        return loss, progress


def train(rank, args, rendezvous):
    torch.set_num_threads(args.threads)
    if args.workers > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=args.workers
        )
    training = Training(args)
    config = training.networks["text_encoder"].config
    latents = LatentSet(train_dir() / "latents", config.eos_token_id, config.bos_token_id)
    scheduler = DDPMScheduler.from_pretrained(MODEL, subfolder="scheduler")
    alphas_cumprod = scheduler.alphas_cumprod.to(args.device)
    mean_loss, progress, logged, saved = 0.0, 0.0, time.time(), time.time()
    while progress < 1:
        step = training.step
        if args.shards_every and step % args.shards_every == 0:
            latents.reload()
        batch = latents.batch(
            args.batch // args.workers,
            torch.Generator().manual_seed(step * 64 + rank),
            part=(rank, args.workers),
            full_length=step % args.full_every == 0,
            shift=args.shift,
        )
        batch = type(batch)(**{k: v.to(args.device) for k, v in vars(batch).items()})
        loss, progress = training.advance(batch, alphas_cumprod, args.workers, args.average)
        mean_loss += loss / LOG_STEPS
        if rank == 0 and training.step % LOG_STEPS == 0:
            seconds = (time.time() - logged) / LOG_STEPS
            rate = training.optimizer.param_groups[0]["lr"]
            print(
                f"step {training.step} progress {progress:.3f} rate {rate:.2e} "
                f"loss {mean_loss:.5f} scenes {len(latents)} {seconds:.2f} s/step",
                flush=True,
            )
            mean_loss, logged = 0.0, time.time()
        if rank == 0 and (time.time() - saved > SAVE_SECONDS or progress >= 1):
            training.save(args.state)
            saved = time.time()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--steps", type=int, help="this many more steps")
    end.add_argument("--until", type=parse_until, help="until this time, e.g. 14:20 (UTC)")
    parser.add_argument("--prediction", choices=["epsilon", "v_prediction"], default="v_prediction")
    parser.add_argument("--batch", type=int, default=32, help="scenes a step, all workers together")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--shift", type=float, default=0.2, help="coarse noise on colours")
    parser.add_argument("--warmup", type=int, default=100, help="steps to reach the peak")
    parser.add_argument("--average", type=float, default=0.999, help="decay of the average")
    parser.add_argument("--full-every", type=int, default=16, help="padding to 77 every n-th step")
    parser.add_argument("--shards-every", type=int, default=0, help="look for shards every n steps")
    parser.add_argument("--workers", type=int, default=1, help="processes, one a core on a CPU")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--state", type=Path, default=None)
    args = parser.parse_args()
    args.state = args.state or train_dir() / "unet-state.pt"
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = os.path.join(folder, "rendezvous")
        if args.workers == 1:
            train(0, args, rendezvous)
        else:
            mp.spawn(train, (args, rendezvous), nprocs=args.workers)


if __name__ == "__main__":
    main()
