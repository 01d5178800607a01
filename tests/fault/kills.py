"""Workers and gateways that are killed, paused, stopped in order."""

import time

from command import wait_for
from rig import Rig


def fault_01_worker_killed_mid_denoise(seed):
    with Rig(seed, workers=2, lease=2, step_ms=50,
             worker_flags=("--checkpoint-share", 0.05)) as rig:
        rig.undisturbed("a red circle", seed=5, steps=24)
        with rig.keeper():
            for _ in range(2):
                job = rig.submit("a red circle", seed=5, steps=24)
                worker = rig.wait_for_grant(job)
                rig.wait_for_step(job, rig.random.randrange(8, 20))
                worker.kill()
                killed = time.monotonic()
                rig.wait_for_grant(job, 2)
                first, second = rig.proxy.record.grants_of(job)
                assert second.at - killed <= rig.lease + 2, f"taken after {second.at - killed} s"
                assert second.step > 0, "it goes on from a checkpoint"
                done = rig.finish(job)
                assert done["result"]["resumed_from_step"] == second.step
                assert (done.get("tries", 0), done["crashes"]) == (0, 1), done
        rig.check()


def fault_01_recovery_within_the_default_lease(seed):
    with Rig(seed, workers=2, lease=15, step_ms=100) as rig:
        job = rig.submit("a red circle", seed=5, steps=60)
        worker = rig.wait_for_grant(job)
        rig.wait_for_step(job, 3)
        worker.kill()
        killed = time.monotonic()
        rig.wait_for_grant(job, 2)
        taken = rig.proxy.record.grants_of(job)[1].at - killed
        print(f"taken again after {taken:.2f} s")
        assert taken <= 17
        rig.finish(job)
        rig.check()
