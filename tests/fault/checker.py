"""A0, what must hold after every fault once the fleet has drained:

- every acknowledged submit has exactly one terminal record, and the queue agrees with it;
- no record, and no job in the queue, that nobody submitted;
- the indexes are empty and the tenants' counters zero;
- no record and no answer changed after it was first read;
- a picture has the bytes that its record says, and those of the undisturbed run;
- no call of a superseded owner took effect (record.py).
"""

import hashlib
import json
import threading
import time

import redis_layout
from stores import StoreIsAway

# What a client is shown of a record's state.
SHOWN = {"DONE": "DONE", "CANCELED": "CANCELED", "EXPIRED": "EXPIRED", "DEAD": "FAILED"}
MOST_READ = 40


class RecordWatch:
    """Looks at the terminal records in a store again and again: one that is not what it was, or is
    gone, is a violation."""

    def __init__(self, store, pause=0.05):
        self.first = {}  # job -> the record's bytes when it was first seen
        self.violations = []
        self._store = store
        self._stamps = {}
        self._pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(self._pause):
            began = time.monotonic()
            self.look()
            # At most a tenth of a core, however many records there are.
            self._stopped.wait(9 * (time.monotonic() - began))

    def look(self):
        try:
            known, stamps = list(self.first), self._store.record_stamps()
            for job, stamp in stamps.items():
                if self._stamps.get(job) != stamp:
                    self._look_at(job, stamp)
        except StoreIsAway:
            return
        self.violations += [f"the record of job {job} is gone"
                            for job in known if job not in stamps]

    def _look_at(self, job, stamp):
        data = self._store.read(f"jobs/{job}/terminal")
        if data is None:
            return  # the next look finds it gone
        self._stamps[job] = stamp
        if self.first.setdefault(job, data) != data:
            self.violations.append(f"the record of job {job} changed: first "
                                   f"{brief(self.first[job])}, now {brief(data)}")

    def stop(self):
        self._stopped.set()
        self._thread.join(10)


def brief(data):
    record = json.loads(data)
    return " ".join(f"{name}={record[name]}" for name in ("state", "epoch", "nonce", "worker"))


def check_everything(rig, seconds):
    problems = []
    drain(rig, seconds, problems)
    rig.records.look()
    problems += rig.records.violations
    problems += read_unread(rig)
    for job in rig.history.accepted:
        problems += check_job(rig, job)
    problems += check_queue(rig)
    problems += rig.history.violations
    problems += rig.proxy.record.superseded_that_took_effect()
    return problems


def drain(rig, seconds, problems):
    """Waits until every accepted job has a record and the queue holds no open job."""
    end = time.monotonic() + seconds
    while True:
        rig.records.look()
        missing = [job for job in rig.history.accepted if job not in rig.records.first]
        with rig.redis.client() as redis:
            live = redis_layout.open_jobs(redis, 10)
        if not missing and not live:
            return
        if time.monotonic() > end:
            problems += [f"job {job} has no record after {seconds} s" for job in missing[:10]]
            problems += [f"job {job} is still open in the queue" for job in live]
            return
        time.sleep(0.1)


def check_job(rig, job):
    data = rig.records.first.get(job)
    if data is None:
        return [f"job {job} was acknowledged and has no terminal record"]
    problems = []
    record = json.loads(data)
    for image in record["images"]:
        picture = rig.store.read(image["blob"])
        digest = "not there" if picture is None else hashlib.sha256(picture).hexdigest()
        if digest != image["sha256"]:
            problems.append(f"job {job}: blob {image['blob']} is {digest}, not {image['sha256']}")
    accepted = rig.history.accepted[job]
    expected = rig.expected(accepted.look)
    found = tuple(image["sha256"] for image in record["images"])
    if record["state"] == "DONE" and expected is not None and found != expected:
        problems.append(f"job {job} differs from the undisturbed run: {found}, not {expected}")
    if accepted.seen is not None and accepted.seen[0] != SHOWN[record["state"]]:
        problems.append(f"job {job} was read as {accepted.seen[0]}, its record: {record['state']}")
    return problems


def read_unread(rig):
    """Clients read some of the jobs that nobody has looked at yet."""
    unread = [job for job, accepted in rig.history.accepted.items() if accepted.seen is None]
    return [f"job {job} can't be read" for job in unread[:MOST_READ] if rig.look_at(job) is None]


def check_queue(rig):
    with rig.redis.client() as redis:
        problems = redis_layout.leftovers(redis)
        for job in redis_layout.jobs(redis):
            problems += check_mirror(rig, redis, job)
    return problems


def check_mirror(rig, redis, job):
    """The queue knows of the job what its record says."""
    state = redis_layout.state_of(redis, job)
    if job.split("#")[0] not in rig.history.accepted:
        return [f"the queue holds job {job}, which nobody submitted"]
    data = rig.records.first.get(job)
    wanted = json.loads(data)["state"] if data else "no record"
    return [] if state == wanted else [f"job {job} is {state} in the queue, its record: {wanted}"]
