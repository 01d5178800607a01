"""Workers and gateways that are killed, paused or stopped in order."""

import concurrent.futures
import os
import signal
import subprocess
import time

import redis_layout
from command import BIN, wait_for
from rig import Rig
from rule import LOSE_REPLY, LOSE_REQUEST, Rule

CHECKPOINTS = ("--checkpoint-share", 0.5)  # seen in a job of a second, however slow the disk


def fault_01_worker_killed_mid_denoise(seed, mutant=None):
    with Rig(seed, workers=2, lease=2, step_ms=50, worker_flags=CHECKPOINTS, mutant=mutant) as rig:
        rig.undisturbed("a red circle", seed=5, steps=24)
        with rig.keeper():
            for _ in range(2):
                job = rig.submit("a red circle", seed=5, steps=24)
                worker = rig.wait_for_grant(job)
                rig.wait_for_step(job, rig.random.randrange(8, 20))
                worker.kill()
                killed = time.monotonic()
                rig.wait_for_grant(job, 2)
                second = rig.proxy.record.grants_of(job)[1]
                assert second.at - killed <= rig.lease + 2, f"taken after {second.at - killed} s"
                assert second.step > 0, "it goes on from a checkpoint"
                done = rig.finish(job)
                assert done["result"]["resumed_from_step"] == second.step
                assert rig.crashes_and_tries(job) == (1, 0), done
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


def fault_01_worker_killed_with_a_group(seed):
    """Jobs that share the device are lost together and go on one by one."""
    flags = CHECKPOINTS + ("--fake-swap-ms", 5, "--group", 3)
    with Rig(seed, workers=1, lease=2, step_ms=50, worker_flags=flags) as rig:
        rig.undisturbed("a red circle", seed=5, steps=40)
        rig.submit("a red circle", seed=5, steps=40)
        jobs = [rig.submit("a red circle", seed=5, steps=40) for _ in range(3)]
        worker = rig.wait_for_grant(jobs[-1])
        rig.wait_for_step(jobs[0], rig.random.randrange(8, 20))
        assert all(rig.proxy.record.grants_of(job) for job in jobs), "all are in hand"
        worker.kill()
        rig.add_worker("worker-2")
        resumed = []
        for job in jobs:
            done = rig.finish(job)
            assert rig.crashes_and_tries(job) == (1, 0), done
            resumed.append(done["result"].get("resumed_from_step", 0))
        assert resumed[0] > 0 and resumed[1:] == [0, 0], resumed
        rig.check()


def fault_02_killed_between_blob_and_record(seed):
    with Rig(seed, workers=1) as rig:
        rig.undisturbed("x", seed=5, steps=3)
        rig.workers[0].shim(record="kill before").restart()
        job = rig.submit("x", seed=5, steps=3)
        assert rig.workers[0].exit_code() == -signal.SIGKILL
        blobs = f"jobs/{job}/r/"
        assert len(rig.store.keys(blobs)) == 1 and job not in rig.records.first
        rig.add_worker("worker-2")
        done = rig.finish(job)
        assert done["state"] == "DONE" and done["worker"].startswith("worker-2"), done
        assert len(rig.store.keys(blobs)) == 2, "the orphan is the sweeper's, which waits a day"
        rig.check()


def fault_03_killed_between_record_and_complete(seed):
    with Rig(seed, workers=1) as rig:
        rig.undisturbed("x", seed=5, steps=3)
        rig.workers[0].shim(record="kill after").restart()
        job = rig.submit("x", seed=5, steps=3)
        assert rig.workers[0].exit_code() == -signal.SIGKILL
        second = rig.add_worker("worker-2")
        rig.wait_for_grant(job, 2)
        done = rig.finish(job)
        assert done["worker"].startswith("worker-1"), done
        wait_for("the queue's word", lambda: second.says("job left"))
        assert second.says("the job had ended already")
        rig.check()


def fault_03_a_finished_job_does_not_expire(seed, mutant=None):
    """The record says DONE; the queue, which never heard of it, wants EXPIRED."""
    with Rig(seed, workers=1, lease=1) as rig:  # the mutant is the shim's
        if mutant == "store-overwrites":
            rig.gateways[0].shim(record="overwrite").restart()
        rig.workers[0].shim(record="kill after").restart()
        job = rig.submit("x", steps=3, deadline=3)
        assert rig.workers[0].exit_code() == -signal.SIGKILL
        done = rig.finish(job)
        assert done["state"] == "DONE"
        rig.workers[0].shim()
        # Nobody takes it; its deadline passes, the sealer finds the record and the queue adopts it.
        rig.check(seconds=15)
        assert rig.look_at(job)["state"] == "DONE"


def fault_04_paused_past_the_lease(seed):
    with Rig(seed, workers=2, lease=1) as rig:
        rig.undisturbed("x", seed=5, steps=20)
        job = rig.submit("x", seed=5, steps=20)
        worker = rig.wait_for_grant(job)
        rig.wait_for_step(job, rig.random.randrange(2, 15))
        worker.pause()
        rig.wait_for_grant(job, 2)
        rig.finish(job)
        worker.resume()
        wait_for("its end there", lambda: worker.says("job left"))
        assert rig.crashes_and_tries(job) == (1, 0)
        rig.check()


def fault_04_paused_right_before_publishing(seed):
    with Rig(seed, workers=1, lease=1) as rig:
        rig.undisturbed("x", seed=5, steps=3)
        stale = rig.workers[0].shim(record="stop before")
        stale.restart()
        job = rig.submit("x", seed=5, steps=3)
        wait_for("the stop", stale.is_paused)
        rig.add_worker("worker-2")
        rig.finish(job)
        stale.resume()
        wait_for("its end there", lambda: stale.log_text().count("job left") == 2)
        assert stale.says("another writer was first")
        answers = [call.reply for call in rig.proxy.record.owner_calls
                   if (call.name, call.client, call.argument("job")) ==
                   ("complete", "worker-1", job)]
        assert answers == [redis_layout.FENCED], answers
        rig.check()


def fault_05_gateway_killed_during_submit(seed):
    with Rig(seed, workers=1) as rig, rig.keeper(rig.gateways):
        for action in (LOSE_REQUEST, LOSE_REPLY):
            rule = rig.proxy.add(Rule(action, scripts=["submit"], count=1, on_hit=lambda _: (
                rig.gateways[0].signal(signal.SIGKILL))))
            rig.finish(rig.submit("x", steps=2))
            assert rule.hits == {"submit": 1}
        assert rig.gateways[0].generation >= 3
        assert len(rig.history.accepted) == 2
        rig.check()


def fault_06_gateway_killed_with_100_streams(seed):
    with Rig(seed, workers=2, gateways=2, step_ms=100) as rig:
        jobs = [rig.submit("x", steps=140, seed=number) for number in range(2)]
        for job in jobs:
            rig.wait_for_step(job, 1)
        logs = [os.path.join(rig.directory, f"watch-{number}") for number in range(100)]
        watchers = [watch_into(rig, jobs[number % 2], log) for number, log in enumerate(logs)]
        wait_for("100 streams", lambda: all(os.path.getsize(log) for log in logs))
        rig.gateways[0].kill()
        killed = time.monotonic()
        time.sleep(0.3)  # what was under way arrives
        sizes = [os.path.getsize(log) for log in logs]
        wait_for("news on all streams", lambda: all(
            os.path.getsize(log) > size for log, size in zip(logs, sizes)), 10)
        news = time.monotonic() - killed
        print(f"all 100 streams had news {news:.2f} s after the kill")
        assert news <= 5
        rig.gateways[0].start()
        assert [watcher.wait(60) for watcher in watchers] == [0] * 100
        for log in logs:
            with open(log) as file:
                assert '"DONE"' in file.read().splitlines()[-1], "the last event is the end"
        rig.check()


def watch_into(rig, job, path):
    with open(path, "w") as log:
        return subprocess.Popen([os.path.join(BIN, "phasor"), "--address", rig.address(), "--json",
                                 "watch", job], stdout=log, stderr=subprocess.DEVNULL)


def fault_39_rolling_restart_under_load(seed):
    with Rig(seed, workers=2, gateways=2, lease=3, step_ms=20) as rig:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            load = pool.submit(rig.submit_many, ["x"] * 60, at_once=3, steps=10)
            for service in [*rig.workers, *rig.gateways] * 2:
                time.sleep(0.2)
                assert service.restart() == 0, f"{service.name} stops in order"
                wait_for(f"{service.name}", lambda s=service: s.says("worker ready") or s.says(
                    "serving"))
            jobs = load.result()
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE", done
        rig.check()
        assert {rig.crashes_and_tries(job) for job in jobs} == {(0, 0)}


def fault_40_drain_with_a_job_longer_than_the_grace(seed):
    with Rig(seed, workers=1, worker_flags=(*CHECKPOINTS, "--grace", 0.3)) as rig:
        rig.undisturbed("x", seed=5, steps=40)
        job = rig.submit("x", seed=5, steps=40)
        rig.wait_for_step(job, rig.random.randrange(5, 20))
        assert rig.workers[0].end() == 0
        first = rig.proxy.record.grants_of(job)[0]
        assert rig.proxy.record.holds == {}, "it gave the job back"
        rig.add_worker("worker-2")
        done = rig.finish(job)
        assert done["result"]["resumed_from_step"] > first.step
        assert rig.crashes_and_tries(job) == (0, 0)
        rig.check()


def fault_40_drain_while_the_answer_to_a_take_is_lost(seed):
    """The worker does not know that it has a job; nobody is to wait for its lease to run out."""
    with Rig(seed, workers=1, lease=15, worker_flags=("--grace", 0)) as rig:
        worker = rig.workers[0]
        rig.proxy.add(Rule(LOSE_REPLY, scripts=["take"], count=1,
                           when=lambda call: redis_layout.granted(call.parts[-1].reply),
                           on_hit=lambda _: worker.signal(signal.SIGTERM)))
        job = rig.submit("x", steps=20)
        assert worker.exit_code() == 0
        assert rig.proxy.record.holds == {}, "it asked again and gave the job back"
        rig.add_worker("worker-2")
        rig.finish(job)
        assert rig.crashes_and_tries(job) == (0, 0)
        rig.check()


def fault_65_a_worker_lost_before_it_hears_of_its_grant(seed):
    """The answers to two TAKEs of a job are lost, each with the worker that waits for it."""
    with Rig(seed, workers=2, step_ms=20) as rig:
        rig.undisturbed("x", seed=5, steps=10)
        killed = []

        def kill(call):
            worker = next(w for w in rig.workers if call.client.startswith(w.name))
            killed.append(worker.name)
            worker.signal(signal.SIGKILL)

        with rig.keeper():
            rig.proxy.add(Rule(LOSE_REPLY, scripts=["take"], count=2, on_hit=kill,
                               when=lambda call: redis_layout.granted(call.parts[-1].reply)))
            job = rig.submit("x", seed=5, steps=10)
            done = rig.finish(job)
        assert len(killed) == 2, killed
        assert done["state"] == "DONE" and rig.crashes_and_tries(job) == (0, 0), done
        rig.check()
