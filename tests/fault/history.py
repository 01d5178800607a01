"""What clients did and saw: the submits that were acknowledged and every end that was read."""

import threading


class Accepted:
    """An acknowledged job. `look` says how its picture looks: jobs with the same look must have
    the same bytes; None where no undisturbed run exists."""

    def __init__(self, job, key, look):
        self.job, self.key, self.look = job, key, look
        self.seen = None  # the first end that a client read


class History:
    def __init__(self):
        self.accepted = {}  # id -> Accepted
        self.violations = []
        self.refusals = []  # (exit code, error text) of calls that failed
        self._lock = threading.Lock()

    def accept(self, job, key, look):
        with self._lock:
            known = self.accepted.get(job)
            if known is None:
                self.accepted[job] = Accepted(job, key, look)
            elif known.key != key:
                self.violations.append(f"keys {known.key} and {key} name the same job {job}")

    def read(self, job):
        """A client has read `job`, the JSON of `phasor get`."""
        end = end_of(job)
        if end is None:
            return
        with self._lock:
            accepted = self.accepted.get(job["id"])
            if accepted is None:
                self.violations.append(f"job {job['id']} was never submitted")
            elif accepted.seen is None:
                accepted.seen = end
            elif accepted.seen != end:
                self.violations.append(f"job {job['id']} was {accepted.seen} when it was first "
                                       f"read and is {end} now")

    def refused(self, code, text):
        with self._lock:
            self.refusals.append((code, text))


def end_of(job):
    """What must never change once it was read; None while the job goes on."""
    if job["state"] not in ("DONE", "FAILED", "CANCELED", "EXPIRED"):
        return None
    images = job.get("result", {}).get("images", [])
    return job["state"], tuple(image["sha256"] for image in images)
