"""Jobs that are submitted while a fleet is disturbed, and what has to have become of them: each ends with one
picture, to the bytes of an undisturbed run."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

LIMIT = 300  # seconds
PROMPTS = [f"a {color} {shape}" for color in ("red", "blue", "green", "yellow")
           for shape in ("circle", "star", "heart")]


def run(*command, check=True, stdin=None):
    ended = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if check and ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{ended.stdout}{ended.stderr}")
    return ended.stdout if check else ended


def expect(what, condition, detail=""):
    print(f"{'ok   ' if condition else 'FAIL '} {what} {detail if not condition else ''}".rstrip(),
          flush=True)
    if not condition:
        sys.exit(1)


def within(seconds, what, question):
    """Asks until the answer is yes; what can't be asked yet is not answered."""
    end = time.monotonic() + seconds
    while True:
        try:
            if question():
                return expect(what, True)
        except OSError:
            pass
        if time.monotonic() > end:
            return expect(what, False)
        time.sleep(1)


class Client:
    """The command line, at an address; BIN_DIR has it."""

    def __init__(self, address, *flags):
        self.command = [pathlib.Path(os.environ["BIN_DIR"]) / "phasor", "--address", address, *flags]

    def __call__(self, *words):
        """Again while no gateway answers, or none with the job's end."""
        end = time.monotonic() + LIMIT
        while True:
            ended = run(*self.command, *words, check=False)
            if ended.returncode not in (3, 6):
                return ended
            if time.monotonic() > end:
                sys.exit(f"no answer to {words}: {ended.stderr}")
            time.sleep(0.5)

    def listed(self):
        """How many jobs there are, at most 1,000."""
        return len(self("--json", "jobs", "--limit", "1000").stdout.splitlines())

    def ended(self, job):
        return json.loads(self("--json", "get", job).stdout)["state"] in (
            "DONE", "FAILED", "CANCELED", "EXPIRED")

    def picture(self, job, folder):
        """Its digest, when the job has ended."""
        ended = self("watch", job)
        if ended.returncode != 0:
            expect(f"{job} is drawn", False, ended.stderr)
        path = folder / f"{job}.png"
        fetched = self("get", job, "-o", path)
        if fetched.returncode != 0:
            expect(f"{job} has its picture", False, fetched.stderr)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def submit(client, options):
    """Accepted jobs and what they draw: first one of each prompt, then, while things happen, the rest."""
    ask = ["submit", "--model", "phasor-demo", "--steps", str(options.steps), "--seed", "7"]
    for n in range(len(PROMPTS)):
        yield client(*ask, "--", PROMPTS[n]).stdout.strip(), PROMPTS[n]
    for n in range(options.jobs):
        prompt = PROMPTS[n % len(PROMPTS)]
        yield client(*ask, "--key", f"stream-{n}", "--", prompt).stdout.strip(), prompt


def check_stream(client, options, folder, disturbance):
    """Submits `options.jobs` jobs of `options.steps` steps and lets `disturbance.go_on(n)` happen every
    `options.pause` seconds until all have ended. Returns the file of one picture."""
    before = client.listed()
    accepted = submit(client, options)
    wanted = {}
    for job, prompt in (next(accepted) for _ in PROMPTS):
        wanted[prompt] = client.picture(job, folder)
    expect("undisturbed pictures differ", len(set(wanted.values())) == len(PROMPTS))
    jobs = dict(accepted)
    expect(f"{len(jobs)} jobs were accepted", len(jobs) == options.jobs and all(jobs))
    step, open_jobs = 0, list(jobs)
    while open_jobs:
        disturbance.go_on(step)
        step += 1
        time.sleep(options.pause)
        open_jobs = [job for job in open_jobs if not client.ended(job)]
    for job, prompt in jobs.items():
        digest = client.picture(job, folder)
        if digest != wanted[prompt]:
            expect(f"{job}: the same bytes", False)
    expect("each has its picture, to the same bytes", True)
    more = client.listed() - before
    expect("none is there twice", more == len(jobs) + len(PROMPTS), str(more))
    return folder / f"{next(iter(jobs))}.png"
