"""Which faults strike during chaos, when and whom: drawn from the seed in advance, then carried out
by a thread. Kills of workers are noted with the job that the worker had, for the recovery times."""

import random
import threading
import time

import redis_layout
from command import wait_for
from exits import Absence
from rule import LOSE_REPLY, LOSE_REQUEST, Rule

MEAN_PAUSE = 3.0  # seconds from one fault to the next
# What strikes how often.
WEIGHTS = {"worker killed": 12, "worker paused past its lease": 2, "Redis killed": 2,
           "gateway killed": 2, "replies lost": 2, "requests lost": 1, "worker cut off": 1,
           "latency": 1, "worker stopped in order": 1, "scripts flushed": 1,
           "members of indexes deleted": 1, "READONLY failover": 1, "ACL user without channels": 1}
# Of a store that is no folder.
STORE_WEIGHTS = {"store refused": 2, "store slow": 2}
# Of a store that is a folder on a small volume.
VOLUME_WEIGHTS = {"store's volume full": 1}
# Once, for as long as the campaign is told.
STORE_AWAY = "store away"
# After these a job may wait for something else than its lease.
LOUD = {"Redis killed", "gateway killed", "replies lost", "requests lost", "latency",
        "worker cut off", "worker paused past its lease", "members of indexes deleted",
        "READONLY failover", "ACL user without channels", *STORE_WEIGHTS, *VOLUME_WEIGHTS, STORE_AWAY}


class Fault:
    def __init__(self, at, kind, target, amount):
        self.at, self.kind, self.target, self.amount = at, kind, target, amount


def plan_faults(seed, seconds, weights, store_away=0):
    """`target` and `amount` are in [0, 1): which process, and how long or how much. After a third of
    the time no service reaches the store for `store_away` seconds; meanwhile nothing else strikes,
    for a service that is killed could not start without it."""
    draw = random.Random(f"{seed} faults")
    plan, at = [], draw.expovariate(1 / MEAN_PAUSE)
    while at < seconds:
        kind = draw.choices(list(weights), list(weights.values()))[0]
        plan.append(Fault(at, kind, draw.random(), draw.random()))
        at += 0.5 + draw.expovariate(1 / (MEAN_PAUSE - 0.5))
    if store_away <= 0:
        return plan
    began = seconds / 3
    for fault in plan:
        if fault.at >= began:
            fault.at += store_away
    plan.append(Fault(began, STORE_AWAY, 0, store_away))
    return sorted((fault for fault in plan if fault.at < seconds), key=lambda fault: fault.at)


class Kill:
    """A worker's end while it had a job."""

    def __init__(self, grant, step, at):
        self.job, self.epoch, self.step, self.at = grant.job, grant.epoch, step, at


class FaultRunner:
    def __init__(self, rig, plan):
        self.counts = {kind: 0 for kind in [*WEIGHTS, *(fault.kind for fault in plan)]}
        self.kills = []
        self.loud = []  # (from, until) of the faults in LOUD
        self.absences = []  # of the store
        self._rig, self._plan = rig, plan
        self._stopped = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._began = time.monotonic()
        self._thread.start()

    def stop(self):
        """Raises what ended the faults before their time: a campaign without faults proves nothing."""
        self._stopped.set()
        self._thread.join(60)
        if self._failure:
            raise self._failure

    def summary(self):
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)

    def _run(self):
        try:
            self._strike_all()
        except Exception as failure:
            self._failure = failure
            raise

    def _strike_all(self):
        for fault in self._plan:
            if self._stopped.wait(max(0, self._began + fault.at - time.monotonic())):
                return
            begin = time.monotonic()
            self._strike(fault)
            self.counts[fault.kind] += 1
            if fault.kind in LOUD:
                self.loud.append((begin, time.monotonic()))

    def _strike(self, fault):
        rig, lease = self._rig, self._rig.lease
        worker = rig.workers[int(fault.target * len(rig.workers))]
        if fault.kind == "worker killed":
            self._kill(worker)
        elif fault.kind == "worker paused past its lease":
            worker.pause()
            self._stopped.wait(lease * (1.1 + fault.amount))
            worker.resume()
        elif fault.kind == "Redis killed":
            rig.redis.crash(pause=fault.amount)
        elif fault.kind == "gateway killed":
            rig.gateways[0].kill()  # the other one shows whether memory stays flat
        elif fault.kind == "worker stopped in order":
            wait_for("a worker that waits for signals", worker.waits_for_signals)
            worker.end()
        elif fault.kind == "members of indexes deleted":
            with rig.redis.client() as redis:
                for index in redis_layout.INDEXES:
                    redis_layout.pop_from_index(redis, index)
        elif fault.kind == "READONLY failover":
            rig.fail_over()
        elif fault.kind == "ACL user without channels":
            self._without_channels(1 + 2 * fault.amount)
        elif fault.kind == "worker cut off":
            rig.proxy.black_hole(worker.name)
            self._stopped.wait(lease * (0.5 + fault.amount))
            rig.proxy.heal(worker.name)
        elif fault.kind == "latency":
            rig.proxy.set_latency(0.1, 0.08)
            self._stopped.wait(1 + 2 * fault.amount)
            rig.proxy.set_latency(0, 0)
        elif fault.kind == "store refused":
            whom, begin = worker.name if fault.amount < 0.5 else "", time.monotonic()
            rig.store.relay.refuse(whom)
            self._stopped.wait(lease * (0.5 + fault.amount))
            rig.store.relay.heal()
            self.absences.append(Absence(whom, begin, time.monotonic()))
        elif fault.kind == "store slow":
            rig.store.relay.set_latency(0.2, 0.15)
            self._stopped.wait(1 + 2 * fault.amount)
            rig.store.relay.set_latency(0, 0)
        elif fault.kind == STORE_AWAY:
            begin = time.monotonic()
            rig.store.go_away()
            self._stopped.wait(fault.amount)
            rig.store.come_back()
            self.absences.append(Absence("", begin, time.monotonic()))
        elif fault.kind == "store's volume full":
            rig.store.fill()
            self._stopped.wait(lease * (0.5 + fault.amount))
            rig.store.free()
        elif fault.kind == "scripts flushed":
            with rig.redis.client() as redis:
                redis("SCRIPT", "FLUSH")
        else:
            action = LOSE_REPLY if fault.kind == "replies lost" else LOSE_REQUEST
            rule = rig.proxy.add(Rule(action, probability=0.3, seed=fault.target))
            self._stopped.wait(1 + 2 * fault.amount)
            rig.proxy.remove(rule)

    def _without_channels(self, seconds):
        # A service that starts meanwhile would be refused, and rightly.
        for service in [*self._rig.gateways, *self._rig.workers]:
            wait_for(f"{service.name} to be up", lambda s=service: s.runs() and s.has_served())
        with self._rig.redis.client() as redis:
            redis("ACL", "SETUSER", "default", "resetchannels")
            self._stopped.wait(seconds)
            redis("ACL", "SETUSER", "default", "allchannels")

    def _kill(self, worker):
        record = self._rig.proxy.record
        grant = record.holds.get(worker.name)
        step = record.steps.get(grant.job, (0, 0))[0] if grant else 0
        worker.kill()
        # What it had sent is with the proxy by now; a job that it completed is held no more.
        time.sleep(0.02)
        if grant is not None and record.holds.pop(worker.name, None) is grant:
            self.kills.append(Kill(grant, max(step, grant.step), time.monotonic() - 0.02))
