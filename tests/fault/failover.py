"""Failovers of Redis. A fleet that is split in two: a replica was promoted, and the old master, which
some still reach, is writable as before. Redis alone can't prevent that. The terminal records hold:
there is one store. And a fleet whose old master lives on as a replica, which it has to leave."""

import os
import time

from command import wait_for
from processes import Redis, free_port
from proxy import Proxy
from rig import Rig


class SecondHalf:
    """The new master with a gateway and a worker of its own."""

    def __init__(self, rig):
        self.rig = rig
        self.redis = Redis(os.path.join(rig.directory, "replica"))
        self.proxy = Proxy(self.redis.socket, rig.seed)
        self.gateway, self.worker = rig.gateways[1], None

    def follow(self, master):
        self.redis.start()
        self.redis.replicate(master)

    def begin(self):
        """Promotes the replica and moves the second gateway to it."""
        self.redis.promote()
        self._move(self.gateway)
        self.gateway.restart()
        wait_for("its gateway", lambda: self.phasor("stats")[0] == 0)

    def add_worker(self):
        self.worker = self.rig.add_worker("worker-2", start=False)
        self.worker.gateways = [self.gateway.address]
        self._move(self.worker)
        self.worker.start()

    def _move(self, service):
        door = service.redis.removeprefix("unix://") + "2"
        self.proxy.add_door(service.name, door)
        service.redis = "unix://" + door

    def phasor(self, *arguments):
        return self.rig.phasor("--address", self.gateway.address, *arguments)

    def take_over(self):
        """The old master and all that used it are gone; the rig goes on with this half alone."""
        rig = self.rig
        for process in (rig.workers[0], rig.gateways[0], rig.redis):
            process.kill()
        old = rig.proxy
        rig.gateways, rig.workers = [self.gateway], [self.worker]
        rig.redis, rig.proxy = self.redis, self.proxy
        wrong = old.record.superseded_that_took_effect()
        old.stop()
        assert not wrong, wrong

    def stop(self):
        if self.redis.runs():
            self.redis.kill()


def fault_11_the_old_master_stays_writable(seed):
    with Rig(seed, workers=1, gateways=2, lease=2, step_ms=50) as rig:
        rig.undisturbed("x", seed=5, steps=60)
        half = SecondHalf(rig)
        try:
            split(rig, half)
        finally:
            half.stop()


def split(rig, half):
    old_gateway, old_worker = rig.gateways[0], rig.workers[0]
    rig.redis.kill()
    rig.redis.port = free_port()
    rig.redis.start()
    half.follow(rig.redis)
    common = rig.submit("x", seed=5, steps=60)
    rig.wait_for_grant(common)
    with rig.redis.client() as redis:
        redis("SET", "barrier", 1)  # WAIT waits for what its own connection wrote, and all before
        assert redis("WAIT", 1, 5000) == 1, "the replica has the grant"
    half.begin()

    # Both halves draw the job: the first to publish wins, whichever it is, and both say so.
    half.add_worker()
    wait_for("its second owner", lambda: half.proxy.record.grants_of(common))
    done = rig.finish(common)
    for worker in (old_worker, half.worker):
        wait_for("its end", lambda w=worker: w.says("job left"))
    views = [rig.phasor("--address", gateway.address, "get", common, "--json")[1]
             for gateway in (old_gateway, half.gateway)]
    assert all(f'"worker":"{done["worker"]}"' in view.replace(": ", ":") for view in views), views

    # What only the old master acknowledged is unknown to the new one; who asks again, with the
    # same key, gets the end that stands.
    key = f"{rig.random.getrandbits(64):x}"
    code, out, err = rig.phasor("--address", old_gateway.address, "submit", "x", "--key", key,
                                "--seed", 5, "--steps", 60)
    assert code == 0, err
    lost = out.strip()
    rig.phasor("--address", old_gateway.address, "watch", lost, timeout=120)
    half.take_over()
    assert rig.submit("x", key=key, seed=5, steps=60) == lost
    assert rig.finish(lost)["worker"].startswith("worker-1"), "no second result"
    rig.check()


def fault_50_the_old_master_lives_on_as_a_replica(seed):
    """Nobody is restarted, and each keeps the connections that it has: only what the server says
    shows that it is no longer the one to talk to. There and back."""
    with Rig(seed, workers=2, gateways=2, lease=3, step_ms=50) as rig:
        for steps in (40, 5):
            rig.undisturbed("x", seed=5, steps=steps)
        for _ in range(2):
            # Some run, with renewals to come, and some wait.
            jobs = rig.submit_many(["x"] * 2, at_once=2, seed=5, steps=40)
            jobs += rig.submit_many(["x"] * 2, at_once=2, seed=5, steps=5)
            rig.wait_for_step(jobs[0], 3)
            rig.fail_over()
            began = time.monotonic()
            jobs += rig.submit_many(["x"] * 2, at_once=2, seed=5, steps=5)
            print(f"submits went through {time.monotonic() - began:.1f} s after the failover")
            assert time.monotonic() - began < 5
            for done in rig.finish_all(jobs):
                assert done["state"] == "DONE", done
            assert {rig.crashes_and_tries(job) for job in jobs} == {(0, 0)}
        rig.check()
