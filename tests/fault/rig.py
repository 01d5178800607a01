"""A whole fleet in a directory of its own: redis-server behind the proxy, gateways and workers, and
clients that keep a history. `with Rig(...) as rig` ends with nothing left running; the directory
stays when something went wrong."""

import concurrent.futures
import json
import os
import random
import shutil
import struct
import tempfile
import threading

import redis_layout
from checker import RecordWatch, check_everything
from command import LIMIT, run, wait_for
from history import History, end_of
from processes import Gateway, Keeper, Redis, Worker
from proxy import Proxy
from sanitizer import refuse_reports_in
from stores import FolderStore

UNREACHABLE, REFUSED = 3, 6  # exit codes of `phasor`


class Rig:
    def __init__(self, seed, workers=2, gateways=1, lease=2, engine="fake", step_ms=50,
                 redis_flags=(), gateway_flags=(), worker_flags=(), mutant=None, over_tcp=False,
                 store=FolderStore):
        self.seed = seed
        self.random = random.Random(seed)
        self.lease = lease
        self.over_tcp = over_tcp  # to Redis, instead of a unix socket
        self.directory = tempfile.mkdtemp(prefix="phasor-fault-", dir="/tmp")
        self.clock = os.path.join(self.directory, "clock")
        self.history = History()
        self.redis = Redis(self.directory, *redis_flags)
        self.proxy = Proxy(self.redis.socket, seed)
        self.standby = None  # another Redis, which a failover may change places with
        self.redis_flags = redis_flags
        self.store = store(self.directory, seed)
        self.mutant = mutant  # of the queue's scripts
        suffix = "-mutant" if mutant else ""
        self.gateways = [Gateway(f"gateway-{i + 1}", self.directory, "phasor-gateway" + suffix,
                                 gateway_flags) for i in range(gateways)]
        self.worker_flags = ["--engine", engine, "--fake-step-ms", str(step_ms), *worker_flags]
        self.program = "phasor-worker" + suffix
        self.workers = []
        for i in range(workers):
            self.add_worker(f"worker-{i + 1}", start=False)
        for service in self.gateways:
            self._prepare(service)
        self.records = RecordWatch(self.store)
        self._looks = {}
        self._lock = threading.Lock()

    # Processes

    def _prepare(self, service):
        if self.over_tcp:
            service.redis = f"redis://127.0.0.1:{self.proxy.add_tcp_door(service.name)}"
        else:
            self.proxy.add_door(service.name, service.redis.removeprefix("unix://"))
        if self.mutant:
            service.environment["PHASOR_MUTANT"] = self.mutant
        self.store.admit(service)
        return service

    def add_worker(self, name, start=True, flags=(), lease=None):
        worker = Worker(name, self.directory, [g.address for g in self.gateways],
                        lease or self.lease, self.program, [*self.worker_flags, *flags])
        self.workers.append(self._prepare(worker))
        return worker.start() if start else worker

    def __enter__(self):
        self.redis.start()
        self.store.start()
        for gateway in self.gateways:
            gateway.start()
        for gateway in self.gateways:
            wait_for(gateway.name, gateway.has_served)  # a client that finds none waits for seconds
        wait_for("a gateway", lambda: self.phasor("stats")[0] == 0)
        for worker in self.workers:
            worker.start()  # after the gateways, or it would try to report again only later
        for worker in self.workers:
            wait_for(f"{worker.name}", lambda w=worker: w.says("worker ready"))
        return self

    def __exit__(self, kind, value, trace):
        self.records.stop()
        self.proxy.clear()
        self.store.clear()
        for service in [*self.workers, *self.gateways, self.redis, self.standby]:
            if service is not None and service.process is not None:
                service.kill()
        self.proxy.stop()
        self.store.stop()
        if kind is not None:
            print(f"logs and data are kept in {self.directory}", flush=True)
        refuse_reports_in(self.directory)
        if kind is None:
            shutil.rmtree(self.directory, ignore_errors=True)

    def keeper(self, services=None):
        return Keeper(self.workers if services is None else services)

    def worker_of(self, job):
        """The worker process that holds the job, or None."""
        grants = self.proxy.record.grants_of(job)
        if not grants:
            return None
        return next((w for w in self.workers if w.name == grants[-1].node), None)

    def wait_for_grant(self, job, number=1, seconds=LIMIT):
        """The worker that got the job's `number`th grant."""
        wait_for(f"grant {number} of job {job}",
                 lambda: len(self.proxy.record.grants_of(job)) >= number, seconds, pause=0.01)
        return self.worker_of(job)

    def wait_for_step(self, job, step, seconds=LIMIT):
        wait_for(f"step {step} of job {job}",
                 lambda: self.proxy.record.steps.get(job, (0, 0))[0] >= step, seconds, pause=0.01)

    def wait_for_checkpoint(self, job, pause=0.01):
        """Until the queue knows one; gives its name."""
        def known():
            with self.redis.client() as redis:
                return redis_layout.checkpoint_of(redis, job)
        return wait_for(f"a checkpoint of job {job}", known, pause=pause)

    def crashes_and_tries(self, job):
        view = self.look_at(job)
        return view.get("crashes", 0), view.get("tries", 0)

    def fail_over(self):
        """Another Redis becomes the master, the old one lives on as its replica, and what the
        services connect to leads to the new one. They keep the connections that they have. Nothing
        acknowledged is lost. The next call goes the way back."""
        if self.standby is None:
            self.standby = Redis(os.path.join(self.directory, "standby"), *self.redis_flags)
            self.standby.start()
        for redis in (self.redis, self.standby):
            redis.listen()
        self.standby.replicate(self.redis)
        self.redis.hand_over_to(self.standby)
        self.redis, self.standby = self.standby, self.redis
        self.proxy.point_to(self.redis.socket)

    def set_limits(self, **limits):
        """In the queue's configuration, as a gateway's config file would."""
        with self.redis.client() as redis:
            for name, value in limits.items():
                redis_layout.set_limit(redis, name, value)

    def set_clock(self, seconds, path=None):
        """The wall clock of processes with shim(clock=path) is wrong by so much from now on."""
        path = path or self.clock
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            file.write(struct.pack("q", seconds))

    # Clients

    def address(self):
        return ",".join(gateway.address for gateway in self.gateways)

    def phasor(self, *arguments, **options):
        return run("--address", self.address(), *arguments, **options)

    def submit(self, prompt, key=None, look=True, **flags):
        """Submits until it is acknowledged, with the same key; gives the job's id."""
        key = key or f"{self.random.getrandbits(64):x}"
        arguments = ["submit", prompt, "--key", key]
        for name, value in flags.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]

        def attempt():
            code, out, err = self.phasor(*arguments)
            if code == 0:
                return out.strip()
            self.history.refused(code, err)
            if code not in (UNREACHABLE, REFUSED):
                raise AssertionError(f"submit ended with {code}: {err}")
            return None
        job = wait_for("an acknowledged submit", attempt, 2 * LIMIT)
        self.history.accept(job, key, (prompt, tuple(sorted(flags.items()))) if look else None)
        return job

    def submit_many(self, prompts, at_once=8, **flags):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda prompt: self.submit(prompt, **flags), prompts))

    def look_at(self, job):
        """The job as `phasor get --json` shows it; the history notes what it says."""
        code, out, err = self.phasor("get", job, "--json")
        if code != 0:
            self.history.refused(code, err)
            return None
        view = json.loads(out)
        self.history.read(view)
        return view

    def finish(self, job, seconds=2 * LIMIT):
        """Waits for the job's end and gives it as JSON."""
        def ended():
            view = self.look_at(job)
            return view if view and end_of(view) else None
        return wait_for(f"the end of job {job}", ended, seconds, pause=0.2)

    def finish_all(self, jobs, at_once=8, seconds=2 * LIMIT):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda job: self.finish(job, seconds), jobs))

    def undisturbed(self, prompt, **flags):
        """Runs the job with no faults and notes its bytes as those that all such jobs must have."""
        done = self.finish(self.submit(prompt, **flags))
        if done["state"] != "DONE":
            raise AssertionError(f"the undisturbed run ended as {done}")
        self.expect_bytes(prompt, flags, done["result"]["images"])
        return done

    def expect_bytes(self, prompt, flags, images):
        look = (prompt, tuple(sorted(flags.items())))
        self._looks[look] = tuple(image["sha256"] for image in images)

    def expected(self, look):
        return self._looks.get(look)

    def check(self, seconds=LIMIT):
        """A0: see checker.py. Heals the network first; workers and a gateway must be running."""
        self.proxy.clear()
        self.store.clear()
        problems = check_everything(self, seconds)
        if problems:
            raise AssertionError("A0 does not hold:\n  " + "\n  ".join(problems[:20]))
