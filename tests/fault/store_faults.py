"""Fleets whose results lie in Redis or S3: what kills processes must not cost more there than in a
folder, and the store itself goes away, is slow, is full or is killed."""

import hashlib
import os
import signal
import threading
import time

from command import wait_for
from kills import CHECKPOINTS
from rig import UNREACHABLE, Rig
from rule import LOSE_REPLY, LOSE_REQUEST, Rule
from stores import FolderStore, RedisStore, S3Store, SmallDisk

HOUR = 3600


def fault_01_workers_and_gateways_killed_with_results_in_redis(seed):
    workers_and_gateways_killed(seed, RedisStore)


def fault_01_workers_and_gateways_killed_with_results_in_s3(seed):
    workers_and_gateways_killed(seed, S3Store)


def workers_and_gateways_killed(seed, store):
    with Rig(seed, workers=2, gateways=2, lease=2, worker_flags=CHECKPOINTS, store=store) as rig:
        rig.undisturbed("x", seed=5, steps=40)
        with rig.keeper():
            job = rig.submit("x", key="mine", seed=5, steps=40)
            worker = rig.wait_for_grant(job)
            rig.wait_for_checkpoint(job)
            rig.gateways[0].kill()
            worker.kill()
            done = rig.finish(job)
            second = rig.proxy.record.grants_of(job)[1]
            assert done["result"]["resumed_from_step"] == second.step > 0, done
            assert rig.crashes_and_tries(job) == (1, 0), done
        rig.gateways[0].start()
        picture = os.path.join(rig.directory, "picture.png")
        for gateway in rig.gateways:
            wait_for("the gateway", lambda g=gateway: ask(rig, g, "stats")[0] == 0)
            assert job in ask(rig, gateway, "jobs", "--state", "done")[1]
            code, _, err = ask(rig, gateway, "generate", "x", "--key", "mine", "--seed", 5,
                               "--steps", 40, "-o", picture)
            assert code == 0, err
            assert digest_of(picture) == done["result"]["images"][0]["sha256"]
        wait_for("the end of its checkpoints", lambda: not rig.store.keys(f"jobs/{job}/c/"))
        rig.check()


def ask(rig, gateway, *arguments):
    """`phasor`, of one gateway alone."""
    return rig.phasor("--address", gateway.address, *arguments)


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def fault_18_a_store_in_redis_refuses_and_is_slow(seed):
    store_goes_away(seed, RedisStore)


def fault_18_a_store_in_s3_refuses_and_is_slow(seed):
    store_goes_away(seed, S3Store)


def store_goes_away(seed, store):
    """For longer than a lease: nobody loses a job for it and no try is counted."""
    with Rig(seed, workers=2, gateways=2, lease=2, step_ms=20, worker_flags=CHECKPOINTS,
             store=store) as rig:
        first = rig.undisturbed("x", seed=5, steps=10)["id"]
        relay = rig.store.relay
        faults = {"workers refused": lambda: relay.refuse("worker"),
                  "gateways refused": lambda: relay.refuse("gateway"),
                  "nothing answers": relay.black_hole,
                  "slow": lambda: relay.set_latency(0.5, 0.3)}
        for name, strike in faults.items():
            jobs = rig.submit_many(["x"] * 4, at_once=4, seed=5, steps=10)
            rig.wait_for_grant(jobs[0])
            strike()
            healing = threading.Timer(2 * rig.lease, relay.clear)
            healing.start()
            began = time.monotonic()
            code, _, err = rig.phasor("get", first, "-o", os.path.join(rig.directory, name))
            print(f"{name}: answered after {time.monotonic() - began:.1f} s with {code} {err}")
            assert code in (0, UNREACHABLE), (name, code, err)
            jobs += rig.submit_many(["x"] * 2, seed=5, steps=10)
            for done in rig.finish_all(jobs):
                assert done["state"] == "DONE", (name, done)
            healing.join()
            for job in jobs:
                assert rig.crashes_and_tries(job) == (0, 0), (name, rig.look_at(job))
        for code, text in rig.history.refusals:
            assert code == UNREACHABLE and "internal" not in text.lower(), (code, text)
        rig.check()


def fault_18_a_store_in_redis_is_away_when_its_checkpoint_is_needed(seed):
    store_away_at_resumption(seed, RedisStore)


def fault_18_a_store_in_s3_is_away_when_its_checkpoint_is_needed(seed):
    store_away_at_resumption(seed, S3Store)


def store_away_at_resumption(seed, store):
    with Rig(seed, workers=1, lease=2, worker_flags=CHECKPOINTS, store=store) as rig:
        rig.undisturbed("x", seed=5, steps=40)
        job = rig.submit("x", seed=5, steps=40)
        rig.wait_for_checkpoint(job)
        rig.workers[0].kill()
        second = rig.add_worker("worker-2")
        wait_for("another worker", lambda: second.says("worker ready"))
        rig.store.relay.refuse(second.name)
        rig.wait_for_grant(job, 2)
        time.sleep(2 * rig.lease)
        rig.store.relay.heal(second.name)
        done = rig.finish(job)
        grant = rig.proxy.record.grants_of(job)[1]
        assert done["result"].get("resumed_from_step", 0) == grant.step > 0, done
        assert rig.crashes_and_tries(job) == (1, 0)
        rig.check()


def fault_48_a_folder_is_away_for_many_leases(seed):
    store_is_away_for_many_leases(seed, FolderStore)


def fault_48_a_store_in_redis_is_away_for_many_leases(seed):
    store_is_away_for_many_leases(seed, RedisStore)


def store_is_away_for_many_leases(seed, store):
    """And for many times what a silent unit may take. One job waits for its checkpoint, another to
    publish, others for a worker: none is blamed."""
    with Rig(seed, workers=3, lease=1, step_ms=20, worker_flags=(*CHECKPOINTS, "--stall", 0.3),
             store=store) as rig:
        rig.set_limits(stall=300)
        rig.undisturbed("x", seed=5, steps=40)
        rig.undisturbed("x", seed=6, steps=20)
        moved = rig.submit("x", seed=5, steps=40)
        worker = rig.wait_for_grant(moved)
        rig.wait_for_checkpoint(moved)
        worker.kill()
        jobs = rig.submit_many(["x"] * 5, seed=6, steps=20)
        rig.store.go_away()
        time.sleep(10 * rig.lease)
        waiting = [w for w in rig.workers if w.runs() and w.says("the store is away")]
        assert len(waiting) == 2, [w.name for w in waiting]
        rig.store.come_back()
        for done in rig.finish_all([moved, *jobs]):
            assert done["state"] == "DONE", done
        assert rig.crashes_and_tries(moved) == (1, 0), "its worker was killed"
        assert rig.look_at(moved)["result"].get("resumed_from_step", 0) > 0
        for job in jobs:
            assert rig.crashes_and_tries(job) == (0, 0), rig.look_at(job)
            assert len(rig.proxy.record.grants_of(job)) == 1, job
        rig.check()


def fault_02_a_loser_of_a_store_in_redis_is_swept(seed):
    loser_is_swept(seed, RedisStore)


def fault_02_a_loser_of_a_store_in_s3_is_swept(seed):
    loser_is_swept(seed, S3Store)


def loser_is_swept(seed, store):
    """Killed before the record and after it; then days pass for the queue, the store and the gateway
    that sweeps."""
    flags = ("--sweep-every", 1, "--keep-results", 48, "--keep-records", 96)
    rig = Rig(seed, workers=1, gateways=1, lease=1, worker_flags=CHECKPOINTS, gateway_flags=flags,
              store=store)
    rig.set_clock(0)
    for server in (rig.redis, rig.store.server):
        server.shim(clock=rig.clock)
    with rig:
        rig.undisturbed("x", seed=5, steps=10)
        worker, jobs = rig.workers[0], []
        for action in (LOSE_REQUEST, LOSE_REPLY):
            rig.store.relay.add(Rule(action, client=worker.name, count=1, when=store.creates_record,
                                     on_hit=lambda _: worker.signal(signal.SIGKILL)))
            jobs.append(rig.submit("x", seed=5, steps=10))
            assert worker.exit_code() == -signal.SIGKILL
            worker.start()
            rig.finish(jobs[-1])
        wait_for("the word of the queue", lambda: worker.log_text().count("job left") >= 3)
        orphaned, published = jobs
        assert len(rig.store.keys(f"jobs/{orphaned}/r/")) == 2, "the orphan waits a day"
        assert len(rig.store.keys(f"jobs/{published}/r/")) == 1
        assert worker.says("the job had ended already")
        gateway = rig.gateways[0].shim(clock=rig.clock)
        for hours in (25, 49, 97):
            rig.set_clock(hours * HOUR)
            gateway.restart()
            wait_for("the gateway", lambda: rig.phasor("stats")[0] == 0)
            if hours == 25:
                wait_for("the end of the orphan", lambda: len(rig.store.keys(
                    f"jobs/{orphaned}/r/")) == 1)
                rig.check()
                rig.records.stop()
            elif hours == 49:
                wait_for("the end of results", lambda: not any(
                    "/r/" in key for key in rig.store.keys("jobs/")))
                view = rig.look_at(orphaned)
                assert view["state"] == "DONE" and view["result"]["images"], view
                code, _, err = rig.phasor("get", orphaned, "-o", os.path.join(rig.directory, "x"))
                print(f"a picture past its time: exit code {code}, {err}")
                assert code == 4, err
            else:
                wait_for("an empty store", lambda: not rig.store.keys("jobs/"))
                view = rig.look_at(orphaned)
                assert view is None or view["state"] == "DONE", view


def fault_55_a_gateway_whose_clock_is_40_days_ahead(seed):
    gateway_far_ahead(seed, FolderStore)


def fault_55_a_gateway_whose_clock_is_40_days_ahead_of_a_store_in_redis(seed):
    gateway_far_ahead(seed, RedisStore)


def gateway_far_ahead(seed, store):
    """It deletes nothing, neither of what has ended nor of what runs, and says why."""
    flags = ("--sweep-every", 1, "--keep-results", 48, "--keep-records", 96)
    with Rig(seed, workers=1, gateways=2, worker_flags=CHECKPOINTS, gateway_flags=flags,
             store=store) as rig:
        ended = [rig.undisturbed("x", seed=5, steps=10)["id"]]
        rig.set_clock(40 * 24 * HOUR)
        wrong = rig.gateways[0].shim(clock=rig.clock)
        wrong.restart()
        wait_for("its word", lambda: wrong.says("nothing is swept while clocks differ"))
        ended += [rig.finish(rig.submit("x", seed=5, steps=40))["id"]]
        time.sleep(3)  # rounds of a second
        for job in ended:
            assert len(rig.store.keys(f"jobs/{job}/r/")) == 1, rig.store.keys("jobs/")
            assert rig.store.read(f"jobs/{job}/terminal")
        rig.check()


def fault_54_the_volume_of_the_store_full(seed):
    """Again and again, at any moment of a publication: nobody sees DONE without its picture."""
    if not SmallDisk.possible():
        print("no volume can be mounted here")
        return
    with Rig(seed, workers=2, gateways=2, lease=2, step_ms=10, worker_flags=CHECKPOINTS,
             store=SmallDisk) as rig:
        rig.undisturbed("x", seed=5, steps=10)
        jobs = []
        for _ in range(4):
            jobs += rig.submit_many(["x"] * 4, at_once=4, seed=5, steps=10)
            time.sleep(rig.random.uniform(0, 0.3))
            rig.store.fill()
            time.sleep(rig.random.uniform(0.5, 2))
            rig.store.free()
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE", done
        rig.check()


def fault_09_the_redis_of_the_store_killed_every_second(seed):
    with Rig(seed, workers=2, gateways=2, lease=3, step_ms=20, worker_flags=CHECKPOINTS,
             store=RedisStore) as rig:
        rig.undisturbed("x", seed=5, steps=10)
        stopped = threading.Event()
        kills = []

        def kill_and_restart():
            while not stopped.wait(rig.random.uniform(0.7, 1.5)):
                rig.store.server.crash(pause=rig.random.uniform(0, 0.5))
                kills.append(time.monotonic())
        killing = threading.Thread(target=kill_and_restart)
        killing.start()
        jobs = []
        try:
            while len(kills) < 5:
                jobs += rig.submit_many(["x"] * 3, at_once=3, seed=5, steps=10)
        finally:
            stopped.set()
            killing.join()
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE", done
        for code, text in rig.history.refusals:
            assert code == UNREACHABLE and "internal" not in text.lower(), (code, text)
        rig.check()


def fault_14_the_redis_of_the_store_full(seed):
    with Rig(seed, workers=1, lease=2, step_ms=20, worker_flags=CHECKPOINTS,
             store=RedisStore) as rig, rig.store.server.client() as redis:
        rig.undisturbed("x", seed=5, steps=10)
        redis("CONFIG", "SET", "maxmemory", 1)
        job = rig.submit("x", seed=5, steps=10)
        wait_for("the waiting", lambda: rig.workers[0].says("the store is away"))
        time.sleep(3 * rig.lease)
        assert job not in rig.records.first, "no end without bytes"
        redis("CONFIG", "SET", "maxmemory", 0)
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        assert rig.crashes_and_tries(job) == (0, 0), "nothing of it was the job's"
        rig.check()
