"""Memory as the fault, with the real engine on simulated devices: about one in so many allocations of a
running fleet fails, in any phase, with any of the errors that it may come as."""

import os
import re
import time
import urllib.request

from processes import free_port
from rig import Rig

SMALL = {"width": 64, "height": 64, "steps": 4}
ONE_IN = 1_500  # allocations; a picture of this size takes some hundreds
LOOKS = 4        # different pictures


def steps_of(worker):
    """Denoising steps that it has done since it began."""
    with urllib.request.urlopen(f"http://{worker.metrics}/metrics", timeout=10) as reply:
        return sum(int(count) for count in re.findall(
            r"^phasor_step_seconds_count\{.*\} (\d+)", reply.read().decode(), re.MULTILINE))


def look_of(job):
    """Fingerprint and digests: equal fingerprints have to be equal bytes, and one differs only where a
    picture was computed in pieces."""
    result = job["result"]
    return result["fingerprint"], [image["sha256"] for image in result["images"]]


def fault_28_random_failures_of_allocations(seed):
    """All jobs come out, equal in bytes to undisturbed ones on the plain processor unless they had to be
    computed in pieces, and no step is done twice. PHASOR_FAULT_JOBS: how many."""
    count = int(os.environ.get("PHASOR_FAULT_JOBS", "40"))
    with Rig(seed, workers=1, engine="real", worker_flags=("--threads", 1)) as rig:
        expected = [look_of(rig.undisturbed(f"a red circle {look}", seed=look, **SMALL))
                    for look in range(LOOKS)]
        [plain] = rig.workers
        worker = rig.add_worker("worker-2", start=False, flags=(
            "--device", "sim", "--vram", "64MiB", "--sim-fail-one-in", ONE_IN,
            "--checkpoint-share", 0.0001))
        worker.metrics = f"127.0.0.1:{free_port()}"
        plain.kill()
        rig.workers.remove(plain)
        worker.start()
        began = time.monotonic()
        jobs = [rig.submit(f"a red circle {number % LOOKS}", look=False, seed=number % LOOKS, **SMALL)
                for number in range(count)]
        ended = rig.finish_all(jobs, seconds=120 + 2 * count)
        took = time.monotonic() - began
        failed = [job for job in ended if job["state"] != "DONE"]
        assert not failed, failed
        looks = [(look_of(job), expected[number % LOOKS]) for number, job in enumerate(ended)]
        wrong = [got for got, due in looks if (got[0] == due[0]) != (got[1] == due[1])]
        assert not wrong, f"other bytes: {wrong}"
        cut = [got for got, due in looks if got[0] != due[0]]
        degraded = [one for job in ended for one in job["result"].get("degradations", [])]
        tries = sum(rig.crashes_and_tries(job)[1] for job in jobs)
        resumed = sum("resumed_from_step" in job["result"] for job in ended)
        phases = {phase: sum(one["phase"] == phase for one in degraded)
                  for phase in ("encode", "denoise", "decode")}
        print(f"{count} jobs in {took:.0f} s: {len(degraded)} units done again by a leaner plan "
              f"{phases}, {len(cut)} jobs computed in pieces, {tries} tries given up, "
              f"{resumed} jobs resumed")
        steps = steps_of(worker)
        assert steps == count * SMALL["steps"], f"{steps} steps were done for {count} jobs"
        assert len(degraded) > 0, "nothing failed: the test shows nothing"
        assert worker.runs() and worker.generation == 1
        rig.check()
