"""What lies between the processes: lost requests and replies, latency, black holes, partitions, and
wall clocks that are wrong."""

import os
import shutil
import time

import store_layout
from command import wait_for
from rig import Rig
from rule import LOSE_REPLY, LOSE_REQUEST, Rule

HOUR = 3600


def run_one_of_everything(rig):
    """Jobs whose life takes every script: done, cancelled, failed once, given back, expired."""
    rig.workers[0].pause()
    expired = rig.submit("late", look=False, deadline=1, steps=2)
    canceled = rig.submit("unwanted", look=False, steps=2)
    jobs = [rig.submit("x", seed=number, steps=5) for number in range(3)]
    failing = rig.submit("fault:internal@step2x1", look=False, steps=5)
    rig.phasor("cancel", canceled)
    time.sleep(1.1)
    rig.workers[0].resume()
    given_back = rig.submit("x", seed=9, steps=60)
    wait_for("its begin", lambda: rig.workers[0].says(f"job_id={given_back}"))
    rig.workers[0].restart()
    ends = [done["state"] for done in rig.finish_all(
        [expired, canceled, *jobs, failing, given_back])]
    assert ends == ["EXPIRED", "CANCELED", *["DONE"] * 5], ends
    for job in [*jobs, given_back]:
        assert rig.crashes_and_tries(job) == (0, 0), f"job {job}: {rig.crashes_and_tries(job)}"
    # Each of the two processes that it may meet plays the fault once.
    assert rig.crashes_and_tries(failing) in ((0, 1), (0, 2)), rig.crashes_and_tries(failing)


def fault_07_every_reply_lost_once(seed, mutant=None):
    with Rig(seed, workers=1, lease=4, worker_flags=("--grace", 0), mutant=mutant) as rig:
        rule = rig.proxy.add(Rule(LOSE_REPLY, once_each=True))
        run_one_of_everything(rig)
        needed = {"submit", "take", "renew", "complete", "fail", "release", "recover", "cancel",
                  "adopt", "get", "stats"}
        # A sealer whose call was lost has its job again some seconds later.
        wait_for("the loss of a reply of each script", lambda: needed <= set(rule.hits), 20)
        print(f"replies lost: {rule.hits}")
        assert rig.proxy.record.regrants >= 5, "a repeated TAKE gives the same grant"
        rig.check()


def fault_08_every_request_lost_once(seed):
    with Rig(seed, workers=1, lease=4, worker_flags=("--grace", 0)) as rig:
        rule = rig.proxy.add(Rule(LOSE_REQUEST, once_each=True))
        run_one_of_everything(rig)
        print(f"requests lost: {rule.hits}")
        rig.check()


def fault_15_redis_slow(seed):
    with Rig(seed, workers=2, lease=15, step_ms=30) as rig:
        rig.proxy.set_latency(0.5, 0.3)
        jobs = rig.submit_many(["x"] * 6, steps=40)
        rig.finish_all(jobs)
        for job in jobs:
            assert rig.crashes_and_tries(job) == (0, 0)
            assert len(rig.proxy.record.grants_of(job)) == 1, "no lease was lost"
        rig.check()


def fault_59_redis_stalls_nearly_as_long_as_the_lease(seed):
    """While workers ask for jobs, and while one runs: a grant or a renewal that comes late is kept."""
    with Rig(seed, workers=3, lease=5, step_ms=50) as rig:
        for worker in rig.workers:
            worker.pause()
        jobs = rig.submit_many(["x"] * 3, steps=20)
        rig.redis.pause()
        for worker in rig.workers:
            worker.resume()
        time.sleep(0.87 * rig.lease)
        rig.redis.resume()
        rig.finish_all(jobs)
        running = rig.submit("x", steps=150)
        rig.wait_for_step(running, 3)
        rig.redis.pause()
        time.sleep(0.64 * rig.lease)  # less than what is left of a lease that is about to be renewed
        rig.redis.resume()
        rig.finish(running)
        for job in [*jobs, running]:
            assert rig.look_at(job)["state"] == "DONE"
            assert rig.crashes_and_tries(job) == (0, 0), rig.look_at(job)
            assert len(rig.proxy.record.grants_of(job)) == 1, "nothing was dropped"
        rig.check()


def fault_17_worker_cut_off_from_redis(seed):
    with Rig(seed, workers=2, lease=2) as rig:
        rig.undisturbed("x", seed=5, steps=60)
        job = rig.submit("x", seed=5, steps=60)
        worker = rig.wait_for_grant(job)
        rig.wait_for_step(job, rig.random.randrange(3, 15))
        rig.proxy.black_hole(worker.name)
        cut = time.monotonic()
        wait_for("its stop", lambda: worker.says("why=lease lost") or worker.says(
            'why="lease lost"'), 10)
        assert time.monotonic() - cut <= rig.lease, "it stops before its lease is over"
        done = rig.finish(job)
        assert not done["worker"].startswith(worker.name)
        rig.proxy.heal(worker.name)
        rig.finish(rig.submit("x", seed=5, steps=60))
        rig.check()


def fault_18_worker_cut_off_from_the_store(seed):
    with Rig(seed, workers=0) as rig:
        store = os.path.join(rig.directory, "worker-1.store")
        os.symlink(os.path.join(rig.directory, "store"), store)
        worker = rig.add_worker("worker-1", start=False)
        worker.store = store
        worker.start()
        rig.undisturbed("x", seed=5, steps=10)
        job = rig.submit("x", seed=5, steps=10)
        rig.wait_for_grant(job)
        os.remove(store)
        with open(store, "w"):
            pass  # a file where the folder was: every access fails
        wait_for("the failure", lambda: rig.crashes_and_tries(job)[1] >= 1)
        assert job not in rig.records.first, "no end without bytes"
        grants = len(rig.proxy.record.grants_of(job))
        assert grants <= 3, "it backs off"
        os.remove(store)
        os.symlink(os.path.join(rig.directory, "store"), store)
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        rig.check()


def fault_19_black_holed_tcp(seed):
    with Rig(seed, workers=2, lease=3, over_tcp=True) as rig:
        rig.undisturbed("x", seed=5, steps=20)
        jobs = rig.submit_many(["x"] * 6, seed=5, steps=20)
        rig.wait_for_grant(jobs[0])
        rig.proxy.black_hole()
        time.sleep(2 * rig.lease)
        rig.proxy.heal()
        began = time.monotonic()
        rig.submit("x", seed=5, steps=20)
        assert time.monotonic() - began < 10, "no thread of the gateway is stuck"
        rig.finish_all(jobs)
        rig.check()


def fault_20_wrong_clocks_on_worker_and_gateway(seed):
    with Rig(seed, workers=2, gateways=1, lease=2) as rig:
        rig.undisturbed("x", seed=5, steps=20)
        clocks = []
        for hours, service in ((1, rig.workers[0]), (-1, rig.workers[1]), (1, rig.gateways[0])):
            clocks.append(os.path.join(rig.directory, f"clock of {service.name}"))
            rig.set_clock(hours * HOUR, clocks[-1])
            service.shim(clock=clocks[-1]).restart()
        for _ in range(2):
            jobs = rig.submit_many(["x"] * 4, seed=5, steps=20)
            worker = rig.wait_for_grant(jobs[0])
            worker.kill()
            worker.start()
            rig.finish_all(jobs)
            for clock in clocks:  # and now somebody sets them all back, under the running processes
                rig.set_clock(-2 * HOUR, clock)
        rig.check()


def fault_21_the_clock_of_redis_jumps(seed):
    with Rig(seed, workers=2, lease=2) as rig:
        rig.undisturbed("x", seed=5, steps=30)
        rig.set_clock(0)
        rig.redis.shim(clock=rig.clock)
        rig.redis.crash()
        jobs = rig.submit_many(["x"] * 4, seed=5, steps=30)
        for hours in (1, 0, -1, 0):
            rig.set_clock(hours * HOUR)
            jobs += rig.submit_many(["x"] * 2, seed=5, steps=30)
            time.sleep(1)
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE"
        rig.check()


def fault_44_forged_checkpoints(seed):
    """Bytes of chance, and a whole checkpoint that belongs to another request."""
    with Rig(seed, workers=1, lease=1, worker_flags=("--checkpoint-share", 0.05)) as rig:
        rig.undisturbed("x", seed=5, steps=30)
        other = checkpoint_of_a_killed_run(rig, "another prompt", steps=40)
        foreign = os.path.join(rig.directory, "foreign")
        shutil.copy(other, foreign)
        rig.workers[0].start()
        for forge in ("noise", "foreign"):
            path = checkpoint_of_a_killed_run(rig, "x", seed=5, steps=30)
            if forge == "foreign":
                shutil.copy(foreign, path)
            else:
                with open(path, "wb") as file:
                    file.write(rig.random.randbytes(1000))
            rig.workers[0].start()
            job = store_layout.key_of(os.path.join(rig.directory, "store"), path).split("/")[1]
            done = rig.finish(job)
            assert done["result"].get("resumed_from_step", 0) == 0, forge
            assert done["state"] == "DONE"
        assert rig.workers[0].log_text().count("checkpoint not taken") == 2
        rig.check()


def checkpoint_of_a_killed_run(rig, prompt, **flags):
    """Submits, kills the worker once the queue knows a checkpoint; gives the checkpoint's file."""
    job = rig.submit(prompt, **flags)
    rig.wait_for_checkpoint(job)
    rig.workers[0].kill()
    return store_layout.path_of(os.path.join(rig.directory, "store"), rig.wait_for_checkpoint(job))
