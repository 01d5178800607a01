#!/usr/bin/env python3
"""The autoscaler's policy on made-up load, as a pure simulation: no fleet, no cluster, no Redis.

    bench/autoscaler/simulate.py [--seeds N]      prints the tables of docs/autoscaling.md

Time goes in steps of a second. Jobs arrive, workers take them in order, a worker takes a while to
start, the autoscaler sees a number that is up to a scrape old and sets the number of workers as a
HorizontalPodAutoscaler does (KEDA makes one): ceil(number / threshold) within 10 %, upwards at once but
at most doubled (or four more) in 15 s, downwards to the largest wish of the last five minutes or so; to zero
after five minutes without demand; from zero at KEDA's next look. Who is taken away is chance, as it is
in Kubernetes: a busy worker checkpoints and gives its job back, which goes on elsewhere.
"""
import argparse
import collections
import dataclasses
import math
import random
import statistics

SYNC, SCRAPE, POLL, COOLDOWN = 15, 15, 30, 300  # seconds
MAX_WORKERS = 40
HOUR = 3600


@dataclasses.dataclass(frozen=True)
class Policy:
    name: str
    number: str = "demand"  # or "depth" (what is ready alone), or "drain" (work left)
    threshold: float = 2    # jobs for each worker; of "drain" seconds of work for each
    least: int = 0
    window: int = 300       # seconds: downwards goes to the largest wish of these
    gently: bool = False    # downwards one worker a minute


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    hours: float
    rate: object              # jobs a second at a time of day
    burst: tuple = (0, 0)     # every so many seconds, so many jobs at once
    poison: float = 0.0       # share of jobs that end their worker 2 s in, three times each
    start: int = 60           # seconds from wanting a worker to its first job
    seconds: float = 6.0      # a job's mean


@dataclasses.dataclass
class Job:
    born: int
    left: float
    crashes: int = 0
    poison: bool = False


@dataclasses.dataclass
class Worker:
    ready: int  # when it takes jobs
    job: Job = None


class Fleet:
    """Queue and workers of one model."""

    def __init__(self, load, seed):
        self.load, self.chance = load, random.Random(seed)
        self.queue, self.workers = collections.deque(), []
        self.waits, self.arrived, self.worker_seconds, self.given_back, self.ended = [], 0, 0, 0, 0

    def arrivals(self, now):
        rate = self.load.rate(now)
        count = sum(self.chance.random() < rate / 10 for _ in range(10))
        every, size = self.load.burst
        if every and now % every == every // 2:
            count += size
        self.arrived += count
        for _ in range(count):
            left = self.load.seconds * self.chance.lognormvariate(-0.08, 0.4)
            self.queue.append(Job(now, left, poison=self.chance.random() < self.load.poison))

    def work(self, now):
        for worker in self.workers:
            self.worker_seconds += 1
            if worker.ready > now:
                continue
            if worker.job is None and self.queue:
                worker.job = self.queue.popleft()
            if worker.job is None:
                continue
            worker.job.left -= 1
            if worker.job.poison and worker.job.left < self.load.seconds - 2:
                self.crash(worker, now)
            elif worker.job.left <= 0:
                self.waits.append(now + 1 - worker.job.born)
                worker.job = None

    def crash(self, worker, now):
        """The job comes back at the head after its lease; the worker starts again."""
        job, worker.job, worker.ready = worker.job, None, now + self.load.start
        job.crashes, job.left = job.crashes + 1, self.load.seconds
        if job.crashes < 3:
            self.queue.appendleft(job)
        else:
            self.ended += 1  # for good, without a picture

    def scale(self, wanted, now):
        while len(self.workers) < wanted:
            self.workers.append(Worker(now + self.load.start))
        while len(self.workers) > wanted:
            worker = self.workers.pop(self.chance.randrange(len(self.workers)))
            if worker.job is not None:
                self.given_back += 1
                self.queue.appendleft(worker.job)

    def number(self, kind):
        running = sum(worker.job is not None for worker in self.workers)
        if kind == "depth":
            return len(self.queue)
        if kind == "demand":
            return len(self.queue) + running
        return (len(self.queue) + running) * self.load.seconds  # as if each had its mean before it


class Autoscaler:
    """What KEDA and the HorizontalPodAutoscaler make of the number."""

    def __init__(self, policy):
        self.policy, self.seen, self.idle_since = policy, 0, 0
        self.wishes = collections.deque()  # (when, workers) of the last window
        self.changes = []                  # (when, +1 or -1)

    def workers(self, fleet, now):
        """How many there shall be; asks no more often than the real ones."""
        have = len(fleet.workers)
        if now % SCRAPE == 7:
            self.seen = fleet.number(self.policy.number)
            if self.seen > 0:
                self.idle_since = now
        wanted = have
        if have == 0:
            wanted = 1 if now % POLL == 0 and self.seen > 0 else 0
        elif now % SYNC == 0:
            wanted = self.wish(have, now)
            if self.policy.least == 0 and now - self.idle_since >= COOLDOWN and self.seen == 0:
                wanted = 0
        wanted = max(wanted, self.policy.least)
        if wanted != have:
            self.changes.append((now, 1 if wanted > have else -1))
        return wanted

    def wish(self, have, now):
        exact = self.seen / self.policy.threshold
        wish = have if abs(exact / have - 1) <= 0.1 else math.ceil(exact)
        wish = min(max(wish, 1), MAX_WORKERS)
        self.wishes.append((now, wish))
        while self.wishes[0][0] <= now - self.policy.window:
            self.wishes.popleft()
        if wish > have:
            return min(wish, max(2 * have, have + 4))
        down = min(have, max(one for _, one in self.wishes))
        if not self.policy.gently or down == have:
            return down
        return have - 1 if now % 60 == 0 else have

    def turns(self):
        """Changes of direction within ten minutes: flapping."""
        pairs = zip(self.changes, self.changes[1:])
        return sum(a[1] != b[1] and b[0] - a[0] < 600 for a, b in pairs)


def run(load, policy, seed):
    fleet, scaler = Fleet(load, seed), Autoscaler(policy)
    fleet.scale(policy.least, -load.start)
    for now in range(int(load.hours * HOUR)):
        fleet.arrivals(now)
        fleet.scale(scaler.workers(fleet, now), now)
        fleet.work(now)
    return fleet, scaler


def day(now):
    """Nothing from midnight to six, most at noon and in the evening."""
    hour = now / HOUR % 24
    return 0 if hour < 6 else 0.6 * max(0.1, math.sin((hour - 6) / 18 * math.pi))


LOADS = [
    Load("steady 0.5/s", 4, lambda _: 0.5),
    Load("bursts of 100", 6, lambda _: 0.02, burst=(1200, 100)),
    Load("a day", 24, day),
    Load("steady, poison", 4, lambda _: 0.5, poison=0.05),
    Load("bursts, slow starts", 6, lambda _: 0.02, burst=(1200, 100), start=300),
]
POLICIES = [
    Policy("ready jobs alone, 2 each", number="depth"),
    Policy("demand, 1 each", threshold=1),
    Policy("demand, 2 each"),
    Policy("demand, 4 each", threshold=4),
    Policy("demand, 8 each", threshold=8),
    Policy("demand, 2 each, never below 1", least=1),
    Policy("demand, 2 each, window 1 min", window=60),
    Policy("demand, 2 each, window 15 min", window=900),
    Policy("demand, 2 each, down one a minute", gently=True),
    Policy("30 s of work each", number="drain", threshold=30),
]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0


def measure(load, policy, seeds):
    """Cells of the four tables."""
    waits, hours, given, turns = [], [], 0, []
    for seed in range(seeds):
        fleet, scaler = run(load, policy, seed)
        waits += fleet.waits
        hours.append(fleet.worker_seconds / HOUR)
        given += fleet.given_back
        turns.append(scaler.turns() / load.hours)
    return (f"{percentile(waits, 0.5):.0f} / {percentile(waits, 0.95):.0f}", f"{statistics.mean(hours):.0f}",
            f"{1000 * given / max(1, len(waits)):.0f}", f"{statistics.mean(turns):.1f}")


TITLES = ("Seconds to the picture, p50 / p95", "Worker hours", "Of 1000 jobs taken from a worker that was sent away",
          "Turns an hour")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seeds", type=int, default=3)
    seeds = options.parse_args().seeds
    rows = [[measure(load, policy, seeds) for load in LOADS] for policy in POLICIES]
    for number, title in enumerate(TITLES):
        print(f"\n| {title} | " + " | ".join(load.name for load in LOADS) + " |")
        print("|---" * (len(LOADS) + 1) + "|")
        for policy, cells in zip(POLICIES, rows):
            print(f"| {policy.name} | " + " | ".join(cell[number] for cell in cells) + " |")


if __name__ == "__main__":
    main()
