"""The long campaign: clients that draw with the demo model while workers, gateways and Redis are
killed, paused and cut off; checked while it runs and once more when it has drained.

chaos.py [--minutes M] [--seed S] [--short] [--engine real|fake] [--store folder|redis|s3]
         [--store-away MINUTES] [--report FILE] [--insert PAGE]

Which fault strikes whom and when is drawn from the seed before the run, which therefore replays it
as far as the machine's own timing allows. Exit code 1 if anything that is promised did not hold.
"""

import argparse
import os
import random
import sys
import threading
import time

import chaos_report
from chaos_faults import STORE_WEIGHTS, VOLUME_WEIGHTS, WEIGHTS, FaultRunner, plan_faults
from command import SOURCE
from exits import unexpected
from history import end_of
from rig import Rig
from stores import FolderStore, RedisStore, S3Store, SmallDisk

STORES = {"folder": FolderStore, "redis": RedisStore, "s3": S3Store}
LEASE = 3
CLIENTS = 5
SHORT_SECONDS = 40
PROMPTS = ("a red circle on a blue background", "a large yellow star on a purple background",
           "two green squares on white", "a pink heart on the left on a white background")
STEPS = (12, 16, 20)
# A job that chaos hits again and again is nobody's culprit here.
LIMITS = "limits:\n  max_crashes: 100\n  max_tries: 100\n"


class Clients:
    """Threads which submit a job, follow it to its end and read it, again and again."""

    def __init__(self, rig, looks, seconds, patience):
        self.ends = {}  # state -> jobs
        self._patience = patience  # seconds for one job
        self.problems = []
        self._rig, self._looks = rig, looks
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True)
                         for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        draw = random.Random(f"{self._rig.seed} client {number}")
        try:
            while time.monotonic() < self._end:
                prompt, flags = draw.choice(self._looks)
                self._one(prompt, flags, f"{draw.getrandbits(64):x}")
        except Exception as error:  # the run fails with its text
            self.problems.append(f"client {number}: {error}")

    def _one(self, prompt, flags, key):
        job = self._rig.submit(prompt, key=key, **flags)
        code, _, err = self._rig.phasor("watch", job, timeout=self._patience)
        if code != 0:
            self._rig.history.refused(code, err)
        view = self._rig.finish(job, seconds=self._patience)
        with self._lock:
            self.ends[view["state"]] = self.ends.get(view["state"], 0) + 1
        if end_of(view)[0] != "DONE":
            self.problems.append(f"job {job} ended as {view}")

    def run(self):
        return any(thread.is_alive() for thread in self._threads)

    def join(self):
        for thread in self._threads:
            thread.join(2 * self._patience)


def make_rig(seed, engine, store):
    flags = ["--checkpoint-share", 0.05]
    if engine == "real":
        flags += ["--threads", 1]
    rig = Rig(seed, workers=2, gateways=2, lease=LEASE, engine=engine, step_ms=45,
              worker_flags=flags, store=store)
    limits = os.path.join(rig.directory, "gateway.yaml")
    with open(limits, "w") as file:
        file.write(LIMITS)
    for gateway in rig.gateways:
        gateway.flags += ["--config", limits]
    return rig


def campaign(seed, seconds, engine, store, store_away):
    """Runs it and gives the report."""
    draw = random.Random(seed)
    looks = [(prompt, {"seed": draw.randrange(1000), "steps": steps})
             for prompt in PROMPTS for steps in STEPS]
    kind, weights = STORES[store], {**WEIGHTS, **STORE_WEIGHTS}
    if kind is FolderStore:
        # Where no volume can be mounted, the folder never fills up.
        kind, extra = (SmallDisk, VOLUME_WEIGHTS) if SmallDisk.possible() else (FolderStore, {})
        weights = {**WEIGHTS, **extra}
    with make_rig(seed, engine, kind) as rig:
        for prompt, flags in looks:
            rig.undisturbed(prompt, **flags)
        references = len(rig.history.accepted)
        began = time.monotonic()
        with rig.keeper() as workers, rig.keeper(rig.gateways) as gateways:
            clients = Clients(rig, looks, seconds, 300 + store_away)
            faults = FaultRunner(rig, plan_faults(seed, seconds, weights, store_away))
            faults.start()
            footprint = Footprint(rig.gateways[-1])
            broken = watch(rig, clients, faults, footprint, seconds)
            faults.stop()
            rig.proxy.clear()
            rig.store.clear()
            clients.join()
            took = time.monotonic() - began
            footprint.look(True)
            problems = broken + clients.problems
            problems += [f"{end.service} ended with {end.code}: {end.last}" for end in
                         unexpected(workers.exits + gateways.exits, faults.absences)]
            try:
                rig.check(seconds=300)
            except AssertionError as error:
                problems.append(str(error))
        report = chaos_report.make(rig, seed, engine, took, clients, faults, problems)
        report["undisturbed_jobs"], report["store"] = references, store
        report["footprint"] = {"early": footprint.early, "late": footprint.late}
        return report


class Footprint:
    """Memory and descriptors of the gateway that chaos spares, once it has warmed up and later."""

    def __init__(self, process):
        self.early = self.late = None
        self._process = process

    def look(self, warm):
        now = {"bytes": self._process.resident_bytes(),
               "descriptors": self._process.descriptors()}
        if warm and self.early is None:
            self.early = now
        self.late = now


def watch(rig, clients, faults, footprint, seconds):
    """Says how it goes, until the clients have ended; gives what is broken, as soon as it sees it."""
    began = said = time.monotonic()
    while clients.run():
        time.sleep(1)
        footprint.look(time.monotonic() - began > seconds / 4)
        broken = (rig.records.violations + rig.history.violations +
                  rig.proxy.record.superseded_that_took_effect())
        if broken:
            return broken
        if time.monotonic() - said >= 30:
            said = time.monotonic()
            print(f"{said - began:6.0f} s  {len(rig.history.accepted)} jobs accepted, "
                  f"{len(rig.records.first)} ended, faults: {faults.summary()}", flush=True)
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--short", action="store_true", help=f"{SHORT_SECONDS} seconds")
    parser.add_argument("--engine", choices=("real", "fake"), default="real")
    parser.add_argument("--store", choices=tuple(STORES), default="folder")
    parser.add_argument("--store-away", type=float, default=0.1, metavar="MINUTES",
                        help="for how long no service reaches the store, once; 0: never")
    parser.add_argument("--report", default=os.path.join(SOURCE, "out", "chaos"),
                        help="FILE.md and FILE.json are written")
    parser.add_argument("--insert", metavar="PAGE",
                        help="put the table between the marks of this page, docs/reliability.md")
    arguments = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    seconds = SHORT_SECONDS if arguments.short else arguments.minutes * 60
    print(f"chaos --seed {seed}, {seconds:.0f} s, {arguments.engine} engine, results in "
          f"{arguments.store}", flush=True)
    report = campaign(seed, seconds, arguments.engine, arguments.store, 60 * arguments.store_away)
    chaos_report.write(report, arguments.report)
    if arguments.insert:
        chaos_report.insert(report, arguments.insert)
    print(chaos_report.markdown(report))
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
