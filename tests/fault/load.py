"""Many of the same at once: submits, cancels, classes, readers, maintainers."""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

from command import BIN, wait_for
from kills import watch_into
from processes import free_port
from rig import REFUSED, Rig
from slow_readers import SlowReader

MOST_FOR_A_REFUSAL = 0.05  # seconds, 99 of 100
MARGIN = 4


def fault_29_the_same_submit_100_times_at_once(seed):
    with Rig(seed, workers=1) as rig:
        command = [os.path.join(BIN, "phasor"), "--address", rig.address(), "submit", "x",
                   "--key", "mine", "--steps", "3"]
        clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                   for _ in range(100)]
        answers = {client.communicate(timeout=60)[0] for client in clients}
        assert len(answers) == 1, answers
        job = answers.pop().strip()
        new = [outcome for name, outcome in rig.proxy.record.submits if name == job]
        assert new.count("NEW") == 1 and set(new) <= {"NEW", "DUP", "UNKNOWN"}, new
        assert rig.submit("x", key="mine", steps=3) == job
        code, _, err = rig.phasor("submit", "another", "--key", "mine", "--steps", 3)
        assert code == 2, err
        rig.finish(job)
        assert len(rig.proxy.record.grants_of(job)) == 1
        rig.check()


def fault_30_cancel_raced_with_completion(seed):
    """PHASOR_FAULT_RACES is their number."""
    races = int(os.environ.get("PHASOR_FAULT_RACES", "300"))
    with Rig(seed, workers=2, gateways=1, step_ms=1) as rig:
        states = {"DONE": 0, "CANCELED": 0}
        steps = 4  # of each job: more while completion wins too often, fewer while cancel does
        while sum(states.values()) < races:
            ends = race_batch(rig, steps)
            for state in ends.values():
                states[state] += 1
            done = sum(state == "DONE" for state in ends.values())
            steps = min(steps * 2, 64) if 2 * done > len(ends) else max(steps // 2, 1)
        print(f"{states}")
        assert min(states.values()) > races / 50, "both must win often enough to mean something"
        rig.check()


def race_batch(rig, steps):
    """Job -> state of 50 jobs that two clients cancel, in any order, while two workers run them."""
    jobs = submit_batch(rig, 50, "--steps", steps)
    for job in jobs:
        rig.history.accept(job, job, None)
    mixed = rig.random.sample(jobs, len(jobs))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda part: rig.phasor("cancel", *part), (mixed[::2], mixed[1::2])))
    ends = wait_for("all ends", lambda: ended_states(rig, jobs))
    assert ended_states(rig, jobs) == ends, "a second look shows the same"
    return ends


def submit_batch(rig, count, *flags):
    """Many jobs by one process; gives their ids."""
    prompts = os.path.join(rig.directory, "prompts")
    with open(prompts, "w") as file:
        file.write("x\n" * count)
    code, out, err = rig.phasor("submit", "--prompts-file", prompts, *flags)
    assert code == 0, err
    return out.split()


def ended_states(rig, jobs):
    """Job -> state of the newest jobs, which are `jobs`; None while some have not ended."""
    code, out, err = rig.phasor("jobs", "--json", "--limit", len(jobs))
    assert code == 0, err
    states = {job["id"]: job["state"] for job in map(json.loads, out.splitlines())}
    assert set(states) == set(jobs)
    return states if set(states.values()) <= {"DONE", "CANCELED"} else None


def fault_31_a_flood_of_urgent_jobs(seed):
    with Rig(seed, workers=1, step_ms=0) as rig:
        rig.workers[0].pause()
        flood = submit_batch(rig, 180, "--steps", 1, "--priority", "urgent")
        low = submit_batch(rig, 3, "--steps", 1, "--priority", "low")
        for job in [*flood, *low]:
            rig.history.accept(job, job, None)
        rig.workers[0].resume()
        rig.finish_all(low)
        order = [grant.job for grant in rig.proxy.record.grants]
        places = sorted(order.index(job) for job in low)
        print(f"LOW jobs were taken as number {places} of {len(order)}")
        assert places[0] <= 85 and places[1] <= 170, places
        rig.check()


def fault_33_more_than_the_queue_holds(seed):
    """Refusals take as long as the gateway's own metrics say. The table's bound is for a machine
    that has time for it; here the clients are processes on the same few cores."""
    with Rig(seed, workers=1, step_ms=5) as rig:
        rig.set_limits(max_jobs=20)
        gateway = rig.gateways[0]
        gateway.metrics = f"127.0.0.1:{free_port()}"
        gateway.spend_little_on_checks().restart()
        wait_for("the gateway", lambda: rig.phasor("stats")[0] == 0)
        before = gateway.resident_bytes()
        refused = []

        def flood(number):
            for _ in range(20):
                code, out, err = rig.phasor("submit", f"{number}", "--steps", 5)
                if code == 0:
                    rig.history.accept(out.strip(), out, None)
                else:
                    refused.append((code, err))
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            list(pool.map(flood, range(10)))
        growth = gateway.resident_bytes() - before
        print(f"{len(rig.history.accepted)} accepted, {len(refused)} refused, the gateway grew by "
              f"{growth >> 20} MiB")
        assert refused and {code for code, _ in refused} == {REFUSED}, refused[:3]
        assert "try again" in refused[0][1]
        assert growth < 64 << 20
        times = call_times(gateway.metrics, "RESOURCE_EXHAUSTED", "Submit")
        p99 = quantile(times, 0.99)
        print(f"refusals: p50 <= {quantile(times, 0.5) * 1000:g} ms, p99 <= {p99 * 1000:g} ms, "
              f"the table's bound is {MOST_FOR_A_REFUSAL * 1000:g} ms")
        assert times[-1][1] == len(refused)
        assert p99 <= MARGIN * MOST_FOR_A_REFUSAL, times
        rig.check()


def call_times(metrics, code, method):
    """(bound in seconds, calls that took no longer) for each bucket of the gateway's histogram."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{metrics}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    buckets = re.compile(rf'^phasor_rpc_seconds_bucket{{code="{code}",method="[^"]*/{method}",'
                         r'le="([^"]+)"} (\d+)', re.MULTILINE)
    return sorted((float(bound), int(count)) for bound, count in buckets.findall(text))


def quantile(buckets, share):
    """The bound below which that share of the calls lies."""
    return next(bound for bound, count in buckets if count >= share * buckets[-1][1])


def fault_34_readers_that_do_not_read(seed):
    with Rig(seed, workers=1, step_ms=20) as rig:
        job = rig.submit("x", steps=140)
        rig.wait_for_step(job, 1)
        logs = [os.path.join(rig.directory, f"watch-{number}") for number in range(60)]
        readers = [watch_into(rig, job, log) for log in logs]
        wait_for("60 streams", lambda: all(os.path.getsize(log) for log in logs))
        before = rig.gateways[0].resident_bytes()
        for reader in readers:
            reader.send_signal(signal.SIGSTOP)
        done = rig.finish(job)
        growth = rig.gateways[0].resident_bytes() - before
        print(f"the gateway grew by {growth >> 20} MiB")
        assert done["state"] == "DONE" and growth < 64 << 20
        for reader in readers:
            reader.send_signal(signal.SIGCONT)
        assert [reader.wait(60) for reader in readers] == [0] * 60
        rig.check()


def fault_34_500_readers_that_do_not_read(seed):
    """Each has a connection of its own, which stays open to the end."""
    with Rig(seed, workers=2, step_ms=20) as rig:
        gateway = rig.gateways[0].spend_little_on_checks()
        gateway.restart()
        wait_for("the gateway", lambda: rig.phasor("stats")[0] == 0)
        job = rig.submit("x", steps=150)
        rig.wait_for_step(job, 1)
        before, descriptors = gateway.resident_bytes(), gateway.descriptors()
        readers = [SlowReader(gateway.address, job) for _ in range(500)]
        wait_for("500 streams", lambda: gateway.descriptors() >= descriptors + 500)
        assert all(reader.is_served() for reader in readers)
        done = rig.finish(job)
        began = time.monotonic()
        assert rig.phasor("stats")[0] == 0
        answer = time.monotonic() - began
        growth = gateway.resident_bytes() - before
        print(f"with 500 readers the gateway grew by {growth >> 20} MiB and answered another "
              f"client within {answer:.2f} s")
        assert done["state"] == "DONE" and growth < 128 << 20
        for reader in readers:
            reader.close()
        wait_for("the end of the streams", lambda: gateway.descriptors() <= descriptors + 5)
        rig.check()


def fault_35_hostile_requests(seed):
    """Each is refused before anything of its size is allocated."""
    with Rig(seed, workers=1) as rig:
        before = rig.gateways[0].resident_bytes()
        hostile = [("--steps", 2**31 - 1), ("--width", 2**30), ("--images", 10**6),
                   ("--guidance", "inf"), ("--height", -8), ("--key", "k" * 100_000)]
        for flags in hostile:
            code, _, err = rig.phasor("submit", "x", *flags)
            assert code == 2, (flags, code, err)
        code, _, err = rig.phasor("submit", "x" * 100_000)
        assert code == 2, err
        growth = rig.gateways[0].resident_bytes() - before
        assert growth < 10 << 20, f"{growth} bytes"
        rig.check()


def fault_43_many_maintainers(seed):
    """Four gateways reap, seal and audit the same queue; counters move once."""
    with Rig(seed, workers=2, gateways=4, lease=1, step_ms=50) as rig:
        jobs = rig.submit_many(["x"] * 4, steps=12)
        late = [rig.submit("x", steps=5, deadline=1) for _ in range(4)]
        rig.wait_for_grant(jobs[0])
        for worker in rig.workers:
            worker.kill()
        held = [grant.job for grant in list(rig.proxy.record.holds.values())]
        assert held
        time.sleep(2)
        for worker in rig.workers:
            worker.start()
        rig.finish_all([*jobs, *late])
        for job in held:
            assert rig.crashes_and_tries(job) == (1, 0), rig.look_at(job)
        rig.check()
