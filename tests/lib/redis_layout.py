"""How the queue lies in Redis and what its scripts are told and answer: all that the tests know of
common/queue/redis. The headers of its scripts and of scripts/lib are the word on both.

`redis` is a connection: called with the words of a command it gives the reply.
"""

import collections
from pathlib import Path
import re

# Keys

PREFIX = "{phasor}:"
# Sorted sets of jobs that a fault may take members from; the auditor puts them back.
INDEXES = ("live", "lease", "delay", "seal", "due")
TENANTS = "tn"
# What is empty when no job is open.
EMPTY_INDEXES = (*INDEXES, TENANTS, "tr", "park", "tk")
EMPTY_PATTERNS = ("q:*", "ring:*", "dq:*")
COUNTERS = "depth:*"
SUBMISSION = "s:"
RECORD = "j:"  # absent until somebody touches the job
LIMITS = "cfg"


def key(name):
    return PREFIX + name


def scan(redis, pattern):
    """The keys, as bytes, whose name without the prefix matches."""
    cursor, keys = b"0", set()
    while True:
        cursor, found = redis("SCAN", cursor, "MATCH", key(pattern), "COUNT", 1000)
        keys.update(found)
        if cursor == b"0":
            return keys


# Fields: the table that the scripts and the codec have

def _fields(name):
    header = Path(__file__).parents[2] / "common/queue/redis/job_fields.h"
    table = re.search(name + r"\[\] = \{(.*?)\};", header.read_text(encoding="utf-8"), re.DOTALL)
    return re.findall(r'"(\w+)"', table[1])


_RECORD = _fields("kRecordFields")
_GRANT = _fields("kGrantFields")


# Jobs

def jobs(redis):
    """Ids of all the jobs that the queue knows."""
    return {name.decode().removeprefix(key(SUBMISSION)) for name in scan(redis, SUBMISSION + "*")}


def open_jobs(redis, most):
    """Ids of jobs that have not ended."""
    return [job.decode() for job in redis("ZRANGE", key("live"), 0, most - 1)]


def state_of(redis, job):
    """Empty for a job that it does not know."""
    record = redis("EXISTS", key(RECORD + job))
    if not record:
        return "QUEUED" if redis("EXISTS", key(SUBMISSION + job)) else ""
    return _field(redis, job, "state")


def checkpoint_of(redis, job):
    """The name of its blob; empty before there is one."""
    return _field(redis, job, "checkpoint")


def _field(redis, job, name):
    script = ("local record = redis.call('GET', KEYS[1]) "
              "return record and cmsgpack.unpack(record)[tonumber(ARGV[1])] or ''")
    return redis("EVAL", script, 1, key(RECORD + job), 1 + _RECORD.index(name)).decode()


def leftovers(redis):
    """A sentence for each trace of an open job; for a queue that should have none."""
    found = []
    for name in EMPTY_INDEXES:
        kind = redis("TYPE", key(name)).decode()
        count = 0 if kind == "none" else redis("HLEN" if kind == "hash" else "ZCARD", key(name))
        if count:
            found.append(f"index '{name}' still holds {count} entries")
    for pattern in EMPTY_PATTERNS:
        found += [f"key {name.decode()} is left" for name in scan(redis, pattern)]
    for name in scan(redis, COUNTERS):
        words = redis("HGETALL", name)
        found += [f"{name.decode()} counts {int(count)} of {what.decode()}"
                  for what, count in zip(words[::2], words[1::2]) if int(count)]
    return found


def set_limit(redis, name, value):
    redis("HSET", key(LIMITS), name, value)


# Damage; each gives how much there was to damage

def take_from_index(redis, index, job):
    return redis("ZREM", key(index), job)


def pop_from_index(redis, index):
    return len(redis("ZPOPMIN", key(index))) // 2


def take_from_lists(redis, job):
    return sum(redis("LREM", name, 1, job) for name in scan(redis, "q:*"))


def drop_rings(redis):
    return sum(redis("DEL", name) for name in scan(redis, "ring:*"))


def drop_tenant_counters(redis):
    return redis("DEL", key(TENANTS))


# Calls: EVALSHA sha 1 prefix time, then what ARGUMENTS name

FIRST = 5
ARGUMENTS = {
    "submit": ("job",),
    "take": ("worker", "node", "nonce"),
    "renew": ("job", "epoch", "nonce", "lease", "stall", "units", "step", "phase", "checkpoint",
              "checkpoint_step"),
    "complete": ("job", "epoch", "nonce"),
    "fail": ("job", "epoch", "nonce"),
    "release": ("job", "epoch", "nonce"),
}
# Scripts that serve several calls at once -> how many arguments each call has. TAKE's models stand
# before them.
_SHARED = {"submit": 13, "take": 8, "complete": 4}
_TAKE_ALONE = 4  # of TAKE's; the others are COMPLETE's, empty where nothing is completed
OWNER_CALLS = {"renew", "complete", "fail", "release"}
# Answers to an owner's call: those that say that it took effect now, and the one that it came too
# late.
GRANTED = {b"OK", b"REQUEUED", b"SEALED", b"PREEMPTED"}
FENCED = b"FENCED"


class Shared(collections.namedtuple("Shared", "name command place")):
    """One of the calls that share a command; `place` of its answer in the reply."""

    def answer(self, reply):
        if not isinstance(reply, list):
            return reply  # an error is everybody's
        # TAKE's answer begins with that of the completion before it.
        whole = reply[self.place]
        return whole[0] if self.name == "complete" and isinstance(whole, list) else whole


def split_call(name, command):
    """The calls that share this command; none where it stands for itself."""
    width = _SHARED.get(name)
    if width is None:
        return []
    head = command[:FIRST]
    first = FIRST + (1 + int(command[FIRST]) if name == "take" else 0)
    calls = []
    for place, at in enumerate(range(first, len(command), width)):
        own = command[at:at + width]
        if name == "take" and own[_TAKE_ALONE]:
            calls.append(Shared("complete", head + own[_TAKE_ALONE:], place))
        calls.append(Shared(name, head + own, place))
    return calls


def argument(name, command, what):
    """As text."""
    return command[FIRST + ARGUMENTS[name].index(what)].decode(errors="replace")


def identity(command):
    """What a repetition of a call has in common with it and no other call has."""
    return tuple(command[4:8])


# Answers

Granted = collections.namedtuple("Granted", "job epoch crashes tries step")


def granted(reply):
    """What a TAKE's answer grants; None if it has no job."""
    if not isinstance(reply, list) or len(reply) <= len(_GRANT):
        return None
    # The answer to the completion stands before them.
    fields = dict(zip(_GRANT, reply[1:]))
    return Granted(fields["id"].decode(), int(fields["epoch"]), int(fields["crashes"]),
                   int(fields["tries"]), int(fields["checkpoint_step"]))


def submit_outcome(reply):
    """NEW, DUP, UNKNOWN (nothing was created) and so on; None of an error."""
    return reply[0].decode() if isinstance(reply, list) else None


def progress(message):
    """(job, step) for each of the events in a message that tells of a job at work."""
    while message:
        line, _, message = message.partition(b"\n")
        fields = line.split(b" ")
        if len(fields) != 12 or fields[0] != b"1":
            return
        message = message[int(fields[10]) + int(fields[11]):]  # the worker's name, the preview
        if fields[4] == b"LEASED":
            yield fields[1].decode(), int(fields[6])
