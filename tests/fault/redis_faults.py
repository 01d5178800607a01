"""Redis itself: killed, rolled back, without its scripts, its memory, its disk or its indexes."""

import concurrent.futures
import os
import threading
import time

import redis_layout
from command import LIMIT, wait_for
from rig import REFUSED, UNREACHABLE, Rig


def fault_09_redis_killed_every_second(seed):
    with Rig(seed, workers=2, gateways=1, lease=3, step_ms=20) as rig:
        rig.undisturbed("x", seed=5, steps=10)
        stopped = threading.Event()
        kills = []

        def kill_and_restart():
            while not stopped.wait(rig.random.uniform(0.7, 1.5)):
                rig.redis.crash(pause=rig.random.uniform(0, 0.5))
                kills.append(time.monotonic())
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            killing = pool.submit(kill_and_restart)
            jobs = []
            while len(kills) < 5:
                jobs += rig.submit_many(["x"] * 3, at_once=3, seed=5, steps=10)
            stopped.set()
            killing.result()
        for code, text in rig.history.refusals:
            assert code == 3 and "internal" not in text.lower(), (code, text)
        rig.finish_all(jobs)
        rig.check()


def fault_10_redis_rolled_back(seed, mutant=None):
    """To before the job was taken: its epoch is given a second time, to another worker."""
    with Rig(seed, workers=0, lease=10, mutant=mutant) as rig:
        job = rig.submit("x", seed=5, steps=120)
        rig.redis.save_copy("older")
        first = rig.add_worker("worker-1")
        rig.wait_for_grant(job)
        forgotten_key = f"{rig.random.getrandbits(64):x}"
        forgotten = rig.submit("y", key=forgotten_key, steps=2)
        rig.wait_for_step(job, 3)
        rig.proxy.refuse(first.name)  # it goes on drawing and can't hear that it lost the job
        rig.redis.kill()
        rig.proxy.record.new_era()
        rig.redis.roll_back("older")
        rig.redis.start()
        rig.add_worker("worker-2")
        rig.wait_for_grant(job, 2)
        rig.proxy.heal(first.name)
        one, two = rig.proxy.record.grants_of(job)
        assert (one.epoch, one.node, two.node) == (two.epoch, "worker-1", "worker-2")
        wait_for("the end of the first owner", lambda: first.says("job left"))
        rig.finish(job)
        # The client still has its key; the same submit names the same job.
        assert rig.submit("y", key=forgotten_key, steps=2) == forgotten
        rig.finish(forgotten)
        rig.check()


def fault_12_scripts_flushed(seed):
    with Rig(seed, workers=2, step_ms=10) as rig, rig.redis.client() as redis:
        stopped = threading.Event()

        def flush():
            with rig.redis.client() as own:
                while not stopped.wait(0.1):
                    own("SCRIPT", "FLUSH")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            flushing = pool.submit(flush)
            jobs = rig.submit_many(["x"] * 15, at_once=3, steps=10)
            rig.finish_all(jobs)
            stopped.set()
            flushing.result()
        assert rig.history.refusals == []
        assert {rig.crashes_and_tries(job) for job in jobs} == {(0, 0)}
        rig.check()


def fault_13_redis_out_of_memory(seed, mutant=None):
    with Rig(seed, workers=1, mutant=mutant) as rig, rig.redis.client() as redis:
        rig.workers[0].pause()
        jobs = rig.submit_many(["x"] * 6, steps=3)
        redis("CONFIG", "SET", "maxmemory", 1)
        for _ in range(2):
            code, _, err = rig.phasor("submit", "one too many")
            assert code == REFUSED, (code, err)
        rig.workers[0].resume()
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE"
        redis("CONFIG", "SET", "maxmemory", 0)
        rig.finish(rig.submit("x", steps=3))
        rig.check()


def fault_14_the_disk_of_redis_full(seed):
    """The last --appendfsync counts: with 'always' Redis ends itself when it can't write."""
    with Rig(seed, workers=1, redis_flags=("--appendfsync", "everysec")) as rig:
        rig.workers[0].pause()
        jobs = rig.submit_many(["x"] * 3, steps=3)
        rig.redis.limit_file_size(0)
        rig.phasor("submit", "y", "--key", "the write that finds out")
        time.sleep(0.2)
        code, _, err = rig.phasor("submit", "x", "--key", "while it is full")
        assert code in (3, REFUSED), (code, err)
        rig.workers[0].resume()
        rig.redis.limit_file_size(None)
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE"
        rig.finish_all([rig.submit("x", key="while it is full"),
                        rig.submit("y", key="the write that finds out")])
        rig.check()


def fault_14_the_disk_of_the_store_full(seed):
    with Rig(seed, workers=1, step_ms=20) as rig:
        rig.undisturbed("x", seed=5, steps=10)
        rig.workers[0].limit_file_size(0)
        job = rig.submit("x", seed=5, steps=10)
        rig.wait_for_grant(job)
        time.sleep(4 * rig.lease)  # its log can't be written either
        assert job not in rig.records.first
        rig.workers[0].limit_file_size(None)
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        assert rig.crashes_and_tries(job) == (0, 0), "nothing of it was the job's"
        rig.check()


def fault_16_members_deleted_from_the_indexes(seed, mutant=None):
    """Of jobs in every state one member is deleted from the index that the state names."""
    patience = 20 if mutant else 60  # seconds
    with Rig(seed, workers=1, lease=2, step_ms=50, mutant=mutant) as rig:
        with rig.redis.client() as redis:
            failing = rig.submit("fault:internal@step1x2", look=False, steps=3)
            deleted = {"delay": wait_for("a delay", lambda: redis_layout.take_from_index(
                redis, "delay", failing), pause=0.01)}
            rig.workers[0].pause()
            queued = rig.submit_many(["x"] * 4, steps=5)
            expiring = rig.submit("x", steps=5, deadline=20)
            deleted["live"] = redis_layout.take_from_index(redis, "live", queued[0])
            deleted["due"] = redis_layout.take_from_index(redis, "due", expiring)
            deleted["tenants"] = redis_layout.drop_tenant_counters(redis)
            deleted["lists"] = redis_layout.take_from_lists(redis, queued[1])
            deleted["rings"] = redis_layout.drop_rings(redis)
            rig.workers[0].resume()
            leased = rig.submit("x", steps=100)
            rig.wait_for_grant(leased, seconds=patience)
            rig.workers[0].kill()
            deleted["lease"] = redis_layout.take_from_index(redis, "lease", leased)
            print(f"deleted: {deleted}")
            assert all(deleted.values()), deleted
        damaged = time.monotonic()
        rig.workers[0].start()
        jobs = [failing, *queued, expiring, leased]
        rig.finish_all(jobs, seconds=patience)
        print(f"all had ended {time.monotonic() - damaged:.1f} s later")
        rig.check()


def fault_37_the_local_disk_full_for_checkpoints(seed):
    with Rig(seed, workers=1, worker_flags=("--checkpoint-share", 0.05)) as rig:
        rig.undisturbed("x", seed=5, steps=40)
        job = rig.submit("x", seed=5, steps=40)
        rig.wait_for_step(job, 2)
        rig.workers[0].limit_file_size(0)
        wait_for("a checkpoint that fails",
                 lambda: rig.proxy.record.steps.get(job, (0, 0))[0] >= 25)
        rig.workers[0].limit_file_size(None)
        done = rig.finish(job)
        assert done["state"] == "DONE" and rig.crashes_and_tries(job) == (0, 0)
        assert not rig.store.keys(f"jobs/{job}/c/")
        rig.check()


def fault_51_a_redis_user_without_channels(seed):
    """Redis 7 gives a new user none. What runs goes on without events; what starts is refused, and
    told which rule is missing."""
    with Rig(seed, workers=2, step_ms=20) as rig, rig.redis.client() as redis:
        rig.undisturbed("x", seed=5, steps=10)
        redis("ACL", "SETUSER", "default", "resetchannels")
        jobs = rig.submit_many(["x"] * 8, at_once=4, seed=5, steps=10)
        for done in rig.finish_all(jobs):
            assert done["state"] == "DONE", done
        assert {rig.crashes_and_tries(job) for job in jobs} == {(0, 0)}
        assert rig.history.refusals == []
        late = rig.add_worker("worker-3")
        assert late.exit_code(LIMIT) == 1
        assert late.says("&" + redis_layout.key("ev")), late.log_text()
        rig.workers.remove(late)
        redis("ACL", "SETUSER", "default", "allchannels")
        rig.finish(rig.submit("x", seed=5, steps=10))
        rig.check()


def fault_56_another_store_than_the_fleets(seed):
    """A worker that is started with one is refused; a store that is exchanged under running processes
    is not written to, and the job in hand waits for the right one."""
    with Rig(seed, workers=1, lease=3, step_ms=50) as rig:
        rig.undisturbed("x", seed=5, steps=100)
        stranger = rig.add_worker("worker-2", start=False)
        stranger.store = os.path.join(rig.directory, "elsewhere")
        stranger.start()
        assert stranger.exit_code(LIMIT) == 1
        assert stranger.says("store"), stranger.log_text()
        rig.workers.remove(stranger)

        job = rig.submit("x", seed=5, steps=100)
        rig.wait_for_step(job, 3)
        rig.store.unmount()
        rig.proxy.reset()
        time.sleep(2 * rig.lease)
        written = rig.store.mount()
        assert "terminal" not in written, written
        done = rig.finish(job)
        assert done["state"] == "DONE", done
        rig.check()


def fault_53_a_redis_that_evicts_or_forgets(seed):
    """Who starts on one is refused, and told why, unless jobs may be lost; what runs goes on."""
    with Rig(seed, workers=1, step_ms=20) as rig, rig.redis.client() as redis:
        rig.undisturbed("x", seed=5, steps=10)

        def wrong(name, value, words):
            right = redis("CONFIG", "GET", name)[1]
            redis("CONFIG", "SET", name, value)
            late = rig.add_worker(f"worker-on-{value}")
            assert late.exit_code(LIMIT) == 1
            assert late.says(words), late.log_text()
            rig.workers.remove(late)
            assert rig.finish(rig.submit("x", seed=5, steps=10))["state"] == "DONE"
            return right

        redis("CONFIG", "SET", "maxmemory", "100mb")
        policy = wrong("maxmemory-policy", "allkeys-lru", "not noeviction")
        redis("CONFIG", "SET", "maxmemory-policy", policy)
        appends = wrong("appendonly", "no", "no append-only file")
        bold = rig.add_worker("worker-that-may-lose-jobs", flags=["--allow-job-loss"])
        wait_for("it", lambda: bold.says("worker ready"))
        redis("CONFIG", "SET", "appendonly", appends)
        rig.finish(rig.submit("x", seed=5, steps=10))
        rig.check()


def fault_57_gateways_with_different_secrets(seed):
    """One that is started with another secret than the fleet's is refused. When the fleet's becomes
    another one, those that run stop serving: one key would name two jobs."""
    with Rig(seed, workers=1, gateways=2, step_ms=20) as rig, rig.redis.client() as redis:
        rig.undisturbed("x", seed=5, steps=10)
        stranger = rig.gateways.pop()
        stranger.kill()
        stranger.secret = os.path.join(rig.directory, "another-secret")
        stranger.start()
        assert stranger.exit_code(LIMIT) == 1
        assert stranger.says("the secret is not the fleet's"), stranger.log_text()

        fleet = redis_layout.key("fleet")
        secret = redis("HGET", fleet, "secret")
        redis("HSET", fleet, "secret", "another")
        rig.proxy.reset()  # who connects again looks again
        wait_for("its refusal", lambda: rig.phasor("jobs")[0] == UNREACHABLE)
        redis("HSET", fleet, "secret", secret)
        rig.proxy.reset()
        key = f"{rig.random.getrandbits(64):x}"
        job = rig.submit("x", key=key, seed=5, steps=10)
        assert rig.submit("x", key=key, seed=5, steps=10) == job
        assert rig.finish(job)["state"] == "DONE"
        rig.check()
