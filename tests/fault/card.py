"""A card that fails, with the real engine on it: what the rows 1 and 25 to 27 promise, the latter brought
about by card_shim.cc. PHASOR_FAULT_CARD says which card (cuda:0); "imagined" runs the same on the fake engine,
with an imagined driver that ends the process as a lost card would, where there is none."""

import os
import re
import time
import urllib.request

from processes import free_port
from rig import Rig

CARD = os.environ.get("PHASOR_FAULT_CARD", "cuda:0")
IMAGINED = CARD == "imagined"
DEVICE_LOST = 70
SHARE = "4GiB"  # of the card, for each of two workers
STEPS = 40
# The demo model draws a step of this size in some milliseconds on any card.
SIZE = {} if IMAGINED else {"width": 512, "height": 512}
STALL = 3
FLAGS = ("--checkpoint-share", 1, "--stall", STALL)


def rig_on_card(seed, **options):
    if IMAGINED:
        return Rig(seed, step_ms=50, worker_flags=FLAGS, **options)
    return Rig(seed, engine="real", worker_flags=(*FLAGS, "--device", CARD, "--vram", SHARE), **options)


def arm(worker):
    """From its next start on the worker's card can be broken, once."""
    worker.card_fault = os.path.join(worker.directory, f"{worker.name}.{time.monotonic_ns()}.fault")
    worker.environment["LD_PRELOAD"] = os.environ["PHASOR_CARD_SHIM"]
    worker.environment["PHASOR_CARD_FAULT"] = worker.card_fault
    if IMAGINED:
        worker.environment["LD_LIBRARY_PATH"] = os.environ["PHASOR_FAKE_DRIVER"]
    worker.metrics = f"127.0.0.1:{free_port()}"


def disarm(worker):
    """From its next start on; nothing of the shim is left."""
    for name in ("LD_PRELOAD", "PHASOR_CARD_FAULT"):
        worker.environment.pop(name, None)


def break_card(worker, how):
    with open(worker.card_fault + ".new", "w", encoding="utf-8") as file:
        file.write(how + "\n")
    os.rename(worker.card_fault + ".new", worker.card_fault)


def xids_seen(worker):
    with urllib.request.urlopen(f"http://{worker.metrics}/metrics", timeout=10) as reply:
        return re.findall(r'^phasor_gpu_xid_errors_total\{.*xid="(\d+)".*\} (\d+)',
                          reply.read().decode(), re.MULTILINE)


def restart_armed(rig):
    for worker in rig.workers:
        arm(worker)
        worker.restart()


def broken_at(rig, worker, job, step, how):
    """Breaks the worker's card in the middle of the job; seconds until its process has ended."""
    rig.wait_for_step(job, step)
    began = time.monotonic()
    break_card(worker, how)
    code = worker.exit_code(60)
    assert code == DEVICE_LOST, f"exit code {code}: {worker.last_line()}"
    return time.monotonic() - began


def fault_01_card_worker_killed_mid_denoise(seed):
    """kill -9 between two steps: the job goes on from its checkpoint on a neighbour's part of the card, to
    the same bytes."""
    with rig_on_card(seed, workers=2) as rig:
        rig.undisturbed("a red circle", steps=STEPS, seed=7, **SIZE)
        job = rig.submit("a red circle", steps=STEPS, seed=7, **SIZE)
        worker = rig.wait_for_grant(job)
        rig.wait_for_step(job, STEPS // 2)
        worker.kill()
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        assert done["result"].get("resumed_from_step", 0) > 0, "it goes on from a checkpoint"
        worker.start()
        rig.check()


def fault_25_card_sticky_error(seed):
    """The process ends with the code that asks for a new one, the job goes on from its checkpoint on a
    neighbour's part of the same card, to the same bytes; the neighbour stays in service, whatever Xid the
    driver reports: the error was a program's own."""
    with rig_on_card(seed, workers=2) as rig:
        rig.undisturbed("a red circle", steps=STEPS, seed=7, **SIZE)
        restart_armed(rig)
        job = rig.submit("a red circle", steps=STEPS, seed=7, **SIZE)
        worker = rig.wait_for_grant(job)
        took = broken_at(rig, worker, job, STEPS // 4, "illegal")
        assert took <= 10, f"{took:.1f} s from the error to the end of the process"
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        assert done["result"].get("resumed_from_step", 0) > 0, "it goes on from a checkpoint"
        [neighbour] = [other for other in rig.workers if other is not worker]
        assert neighbour.runs() and neighbour.generation == 2
        print(f"{took:.1f} s to the end; Xids that the neighbour saw: {xids_seen(neighbour)}")
        disarm(worker)
        worker.start()
        rig.check()


def fault_26_card_hung_kernel(seed):
    """A kernel that never ends: the watchdog ends the process, and with it the driver the kernel."""
    with rig_on_card(seed, workers=1) as rig:
        rig.set_limits(stall=STALL * 1000)
        rig.undisturbed("a red circle", steps=STEPS, seed=7, **SIZE)
        restart_armed(rig)
        job = rig.submit("a red circle", steps=STEPS, seed=7, **SIZE)
        worker = rig.wait_for_grant(job)
        took = broken_at(rig, worker, job, STEPS // 4, "hang")
        disarm(worker)
        worker.start()
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        print(f"{took:.1f} s to the end")
        rig.check()


def fault_27_card_lost_early_and_late(seed):
    """Soon after the text encoder, in the middle, and shortly before the decoder: every time the job
    comes out with the bytes of an undisturbed one."""
    with rig_on_card(seed, workers=1) as rig:
        rig.undisturbed("a red circle", steps=STEPS, seed=7, **SIZE)
        [worker] = rig.workers
        for step in (1, STEPS // 2, STEPS - 2):
            restart_armed(rig)
            job = rig.submit("a red circle", steps=STEPS, seed=7, **SIZE)
            broken_at(rig, worker, job, step, "illegal")
            disarm(worker)
            worker.start()
            done = rig.finish(job)
            assert done["state"] == "DONE", done
        rig.check()
