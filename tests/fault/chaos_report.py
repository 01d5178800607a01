"""What a campaign showed, as numbers, JSON and a Markdown table."""

import json
import math
import os
import subprocess

from command import SOURCE

BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"


def percentile(values, share):
    """Nearest rank; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values):
    return {"count": len(values), "median": percentile(values, 0.5),
            "p99": percentile(values, 0.99), "max": max(values, default=None)}


def recoveries(rig, faults):
    """(kill, the next grant of its job, no other fault was near) for each kill with one."""
    found = []
    for kill in faults.kills:
        later = [grant for grant in rig.proxy.record.grants_of(kill.job)
                 if grant.epoch > kill.epoch and grant.at >= kill.at]
        if later:
            after = later[0]
            alone = not any(begin < after.at and end > kill.at - rig.lease
                            for begin, end in faults.loud)
            found.append((kill, after, alone))
    return found


def make(rig, seed, engine, took, clients, faults, problems):
    history, records = rig.history, rig.records
    recovered = recoveries(rig, faults)
    quiet = [(kill, grant) for kill, grant, alone in recovered if alone]
    forgotten = [f"job {kill.job} went on from step {grant.step} although the queue had "
                 f"acknowledged a later checkpoint" for kill, grant, _ in recovered
                 if grant.step < rig.proxy.record.step_known_of(kill.job, kill.at)]
    beyond = [kill for kill, grant, _ in recovered if kill.step - grant.step >
              rig.proxy.record.longest_interval_of(kill.job, kill.epoch)]
    lost = [job for job in history.accepted if job not in records.first]
    changed = [text for text in records.violations + history.violations]
    wrong_bytes = [text for text in problems if "differs from the undisturbed run" in text]
    internal = [text for _, text in history.refusals if "INTERNAL" in text.upper()]
    commit = subprocess.run(["git", "-C", SOURCE, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    return {
        "commit": commit, "seed": seed, "engine": engine, "seconds": round(took, 1),
        "lease_seconds": rig.lease, "cores": os.cpu_count(),
        "jobs": len(history.accepted),
        "records": len(records.first), "ends": clients.ends,
        "lost": len(lost), "duplicated": len(changed), "wrong_bytes": len(wrong_bytes),
        "superseded_calls_that_took_effect":
            len(rig.proxy.record.superseded_that_took_effect()),
        "calls_refused_for_a_while": len(history.refusals), "internal_errors": len(internal),
        "faults": faults.counts, "kills_of_workers_with_a_job": len(faults.kills),
        "recovery_seconds_of_kills_alone":
            spread([round(grant.at - kill.at, 3) for kill, grant in quiet]),
        "recovery_seconds_of_all_kills":
            spread([round(grant.at - kill.at, 3) for kill, grant, _ in recovered]),
        "steps_redone": spread([max(0, kill.step - grant.step) for kill, grant, _ in recovered]),
        "checkpoint_interval_steps": spread(rig.proxy.record.checkpoint_intervals()),
        "kills_redoing_more_than_an_interval": len(beyond),
        "checkpoints_forgotten": len(forgotten),
        "problems": problems + forgotten[:5] + internal[:5],
    }


def rows(report):
    def of(values, unit):
        if not values["count"]:
            return "none"
        return (f"median {values['median']:g}{unit}, p99 {values['p99']:g}{unit}, "
                f"max {values['max']:g}{unit} ({values['count']})")
    yield "duration", f"{report['seconds']:.0f} s on {report['cores']} cores"
    yield "seed, commit", f"{report['seed']}, {report['commit']}"
    yield "jobs accepted", f"{report['jobs']}, {report['undisturbed_jobs']} of them undisturbed"
    yield "terminal records", report["records"]
    yield "lost", report["lost"]
    yield "duplicated or changed after a read", report["duplicated"]
    yield "wrong bytes", report["wrong_bytes"]
    yield "calls of superseded owners that took effect", report[
        "superseded_calls_that_took_effect"]
    yield "internal errors that a client saw", report["internal_errors"]
    for kind, count in report["faults"].items():
        yield f"fault: {kind}", count
    yield "workers killed with a job in hand", report["kills_of_workers_with_a_job"]
    yield (f"recovery after a kill with no other fault near (lease {report['lease_seconds']} s)",
           of(report["recovery_seconds_of_kills_alone"], " s"))
    yield "recovery after any kill", of(report["recovery_seconds_of_all_kills"], " s")
    yield "steps redone after a kill", of(report["steps_redone"], "")
    yield "steps from one checkpoint to the next", of(report["checkpoint_interval_steps"], "")
    yield ("kills that redid more steps than their worker's longest way between checkpoints",
           report["kills_redoing_more_than_an_interval"])
    yield "acknowledged checkpoints that were not used", report["checkpoints_forgotten"]
    early, late = report["footprint"]["early"], report["footprint"]["late"]
    if early and late:
        yield ("a gateway that lived through it", f"{early['bytes'] >> 20} MiB and "
               f"{early['descriptors']} descriptors after a quarter, {late['bytes'] >> 20} MiB and "
               f"{late['descriptors']} at the end")


def markdown(report):
    lines = [f"| `./dev chaos`, {report['engine']} engine | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows(report)]
    if report["problems"]:
        lines += ["", "**It did not hold:**", ""]
        lines += [f"- {problem}" for problem in report["problems"]]
    return "\n".join(lines)


def write(report, path):
    """PATH.json and PATH.md."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path + ".json", "w") as file:
        json.dump(report, file, indent=2)
    with open(path + ".md", "w") as file:
        file.write(markdown(report) + "\n")


def insert(report, page):
    """Puts the table between the marks of a Markdown page."""
    with open(page, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{markdown(report)}\n{END}{after}")
