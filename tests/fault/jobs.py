"""Jobs, devices and nodes that are themselves the fault. The fake engine does what the prompt says:
fault:<what>@<unit>[x<times in each process>]."""

import os
import shutil
import time

from command import wait_for
from kills import CHECKPOINTS
from rig import Rig

DEVICE_LOST = 70  # exit code of a worker
SMALL = {"width": 128, "height": 128}


def serve_models(rig, names):
    """All services have these models from now on, which are enough for the fake engine; gives their
    folder."""
    models = os.path.join(rig.directory, "models")
    for name in names:
        os.makedirs(os.path.join(models, name))
        with open(os.path.join(models, name, "model_index.json"), "w") as file:
            file.write("{}")
    for service in [*rig.gateways, *rig.workers]:
        service.models = models
        service.restart()
    wait_for("a gateway", lambda: rig.phasor("stats")[0] == 0)
    return models


def fault_22_a_job_that_crashes_its_worker(seed):
    with Rig(seed, workers=2, lease=1, step_ms=10) as rig, rig.keeper():
        poison = rig.submit("fault:crash@step2", look=False, steps=5)
        neighbours = rig.submit_many(["x"] * 6, steps=5)
        done = rig.finish(poison)
        assert done["state"] == "FAILED" and "WORKER_LOST" in done["error"]["message"], done
        grants = rig.proxy.record.grants_of(poison)
        # Its workers may die before they have renewed, which counts as no crash twice.
        assert len(grants) <= 3 + 2 or len({grant.node for grant in grants[:3]}) == 1, grants
        assert len({grant.node for grant in grants}) >= 2 or len(grants) in range(6, 6 + 3), grants
        for neighbour in rig.finish_all(neighbours):
            assert neighbour["state"] == "DONE"
        rig.check()


def fault_23_a_job_that_fails(seed):
    with Rig(seed, workers=1, step_ms=10) as rig:
        poison = rig.submit("fault:internal@step2", look=False, steps=5)
        neighbour = rig.submit("x", steps=5)
        done = rig.finish(poison)
        assert done["state"] == "FAILED", done
        assert rig.crashes_and_tries(poison) == (0, 4)
        assert rig.workers[0].runs() and rig.workers[0].generation == 1
        assert rig.finish(neighbour)["state"] == "DONE"
        rig.check()


def fault_24_a_node_where_every_job_fails(seed):
    """Nothing can be stored from worker-1: it stops taking jobs, and none of them dies of it."""
    with Rig(seed, workers=1, step_ms=10) as rig:
        good = rig.workers[0]
        bad = rig.add_worker("worker-2", start=False, flags=("--cool-down", 60))
        bad.store = os.path.join(rig.directory, "worker-2.store")
        os.symlink(os.path.join(rig.directory, "store"), bad.store)
        bad.start()
        wait_for("worker-2", lambda: bad.says("worker ready"))
        os.remove(bad.store)
        with open(bad.store, "w"):
            pass  # a file where the folder was
        jobs = rig.submit_many(["x"] * 12, steps=5)
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE" and done["worker"].startswith(good.name), done
        failed = [rig.crashes_and_tries(job)[1] for job in jobs]
        print(f"failures by job: {failed}")
        assert 3 <= sum(failed) <= 4 and max(failed) <= 2, failed
        rig.check()


def fault_47_jobs_that_fail_everywhere_stop_nobody(seed):
    """Eight of them, and five good ones behind them, on two workers."""
    with Rig(seed, workers=2, step_ms=10) as rig:
        for worker in rig.workers:
            worker.pause()
        poisoned = rig.submit_many(["fault:internal@step2"] * 8, at_once=1, look=False, steps=5)
        good = rig.submit_many(["x"] * 5, at_once=1, steps=5)
        began = time.monotonic()
        for worker in rig.workers:
            worker.resume()
        for done in rig.finish_all(good):
            assert done["state"] == "DONE", done
        took = time.monotonic() - began
        print(f"the good ones were done after {took:.1f} s")
        assert took < 10
        for job, done in zip(poisoned, rig.finish_all(poisoned)):
            assert done["state"] == "FAILED", done
            grants = rig.proxy.record.grants_of(job)
            nodes = [grant.node for grant in grants]
            assert 2 <= len(nodes) <= 4, nodes
            assert len(set(nodes[:-1])) == 1, "it ends with the first failure on a second node"
        assert all(worker.runs() and worker.generation == 1 for worker in rig.workers)
        rig.check()


def fault_47_a_model_that_is_broken_on_one_node(seed):
    """Its jobs are drawn by the other node, and the broken one serves its other models."""
    with Rig(seed, workers=1, step_ms=10) as rig:
        models = serve_models(rig, ["broken", "whole"])
        bad = rig.add_worker("worker-2", start=False, flags=("--cool-down", 60, "--preload", "whole"))
        bad.models = os.path.join(rig.directory, "bad-models")
        shutil.copytree(models, bad.models)
        bad.start()
        wait_for("worker-2", lambda: bad.says("worker ready"))
        os.remove(os.path.join(bad.models, "broken", "model_index.json"))
        jobs = rig.submit_many(["x"] * 12, model="broken", steps=5, **SMALL)
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE" and done["worker"].startswith("worker-1"), done
        failed = [rig.crashes_and_tries(job)[1] for job in jobs]
        print(f"failures by job: {failed}")
        assert sum(failed) <= 3 and max(failed) <= 2, failed
        rig.workers[0].pause()
        done = rig.finish(rig.submit("x", model="whole", steps=5, **SMALL))
        assert done["state"] == "DONE" and done["worker"].startswith("worker-2"), done
        rig.workers[0].resume()
        rig.check()


def fault_61_more_models_than_one_take_may_name(seed):
    with Rig(seed, workers=1, step_ms=10) as rig:
        serve_models(rig, [f"m{number:03}" for number in range(150)])
        jobs = [rig.submit("x", model=f"m{number:03}", steps=5, **SMALL)
                for number in (149, 0, 64, 100)]
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE", done
        rig.check()


def fault_68_a_model_that_loads_slowly(seed):
    """Longer than a unit may take, but no part of it does: nobody takes it for a hung unit."""
    flags = ("--stall", 0.2, "--fake-load-ms", 1000, "--preload", "first")
    with Rig(seed, workers=0, step_ms=10, worker_flags=flags) as rig:
        rig.set_limits(stall=200)
        serve_models(rig, ["first", "second"])
        worker = rig.add_worker("worker-1", start=False, lease=1)
        worker.models = rig.gateways[0].models
        worker.start()
        job = rig.submit("x", model="second", steps=5, **SMALL)
        done = rig.finish(job)
        assert done["state"] == "DONE" and rig.crashes_and_tries(job) == (0, 0), done
        assert len(rig.proxy.record.grants_of(job)) == 1
        rig.check()


def fault_25_device_lost(seed):
    with Rig(seed, workers=1, lease=2, step_ms=50, worker_flags=CHECKPOINTS) as rig:
        job = rig.submit("fault:device-lost@step15x1", look=False, steps=30)
        worker = rig.wait_for_grant(job)
        assert worker.exit_code() == DEVICE_LOST
        ended = time.monotonic()
        failed = [call.passed_at for call in rig.proxy.record.owner_calls if call.name == "fail"]
        assert ended - failed[0] <= 5, failed
        assert len(rig.proxy.record.grants) == 1, "it takes nothing any more"
        # A new process plays the fault only when it comes to that step again.
        rig.add_worker("worker-2")
        rig.wait_for_grant(job, 2)
        second = rig.proxy.record.grants_of(job)[1]
        assert 0 < second.step <= 15, "it goes on from the last checkpoint"
        rig.workers[1].exit_code()
        rig.phasor("cancel", job)
        rig.finish(job)
        rig.check()


def fault_26_a_unit_that_hangs(seed, mutant=None):
    """The queue refuses to extend the lease, and the worker's watchdog ends the process."""
    stall = 1.5
    with Rig(seed, workers=1, lease=2, step_ms=20, worker_flags=("--stall", stall),
             mutant=mutant) as rig:
        rig.set_limits(stall=int(stall * 1000))
        rig.finish(rig.submit("x", steps=5))  # the pace of a step is known from now on
        job = rig.submit("fault:hang@step3x1", look=False, steps=5)
        worker = rig.wait_for_grant(job)
        assert worker.exit_code(30) == DEVICE_LOST
        wrong = rig.proxy.record.renewed_without_progress(stall)
        assert not wrong, wrong
        rig.add_worker("worker-2")
        rig.wait_for_grant(job, 2)
        rig.phasor("cancel", job)
        rig.finish(job)
        rig.check()


def fault_27_device_lost_in_every_phase(seed):
    """Each ends its worker with the code that asks for a new process; other jobs go on."""
    with Rig(seed, workers=2, lease=1, step_ms=10) as rig, rig.keeper() as keeper:
        rig.set_limits(max_tries=2)
        jobs = [rig.submit(f"fault:device-lost@{unit}", look=False, steps=5)
                for unit in ("encode", "step2", "decode")]
        neighbours = rig.submit_many(["x"] * 4, steps=5)
        for done in rig.finish_all(jobs):
            assert done["state"] == "FAILED", done
        for done in rig.finish_all(neighbours):
            assert done["state"] == "DONE", done
        assert {end.code for end in keeper.exits} == {DEVICE_LOST}, keeper.exits
        rig.check()


def fault_28_out_of_memory_in_each_phase(seed):
    with Rig(seed, workers=1, step_ms=10) as rig:
        jobs = [rig.submit(f"fault:oom@{unit}x1", look=False, steps=5)
                for unit in ("encode", "step2", "decode")]
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE", done
        assert rig.workers[0].generation == 1 and rig.workers[0].runs()
        rig.check()


def fault_38_host_memory_pressure(seed):
    """The watermark is put below what is in use, as any host has it."""
    with Rig(seed, workers=1, step_ms=10) as rig:
        full = rig.workers[0]
        full.flags += ["--max-memory-percent", 1]
        full.restart()
        job = rig.submit("x", steps=3)
        time.sleep(2)
        assert rig.proxy.record.grants == [], "no job is taken above the watermark"
        rig.add_worker("worker-2")
        done = rig.finish(job)
        assert done["worker"].startswith("worker-2")
        rig.check()
