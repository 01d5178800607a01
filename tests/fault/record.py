"""What passed between the processes and Redis: every submit, grant and answer, in the order in which
the proxy saw it, and the rules that this order must obey.

Written by the proxy's thread; read by others (lists only grow).
"""

import hashlib
import re
import threading
import time

import redis_layout
from redis_layout import GRANTED, OWNER_CALLS


class ScriptNames:
    """SHA-1 of a script -> its name, learned from the texts that pass: each begins with
    "-- NAME: what it does" below the line of flags."""

    HEADER = re.compile(rb"^-- ([A-Z_]+): ", re.MULTILINE)

    def __init__(self):
        self._by_sha = {}

    def name_of(self, command):
        """The script that a command runs, or the command itself in capitals."""
        verb = command[0].upper()
        if verb == b"EVALSHA":
            return self._by_sha.get(command[1].lower(), "unknown script")
        text = None
        if verb == b"EVAL":
            text = command[1]
        elif verb == b"SCRIPT" and command[1].upper() == b"LOAD":
            text = command[2]
        if text is None:
            return verb.decode()
        header = self.HEADER.search(text)
        name = header.group(1).decode().lower() if header else "unknown script"
        self._by_sha[hashlib.sha1(text).hexdigest().encode()] = name
        return name if verb == b"EVAL" else "SCRIPT"


class Call:
    """One command and what became of it. `passed` and `answered` count the messages that the proxy
    moved, so they order a call against others; 0: never."""

    __slots__ = ("client", "name", "command", "era", "passed", "answered", "passed_at",
                 "answered_at", "reply", "parts")

    def __init__(self, client, name, command):
        self.client, self.name, self.command = client, name, command
        self.era = self.passed = self.answered = 0
        self.passed_at = self.answered_at = 0.0
        self.reply = None
        self.parts = self._split()

    def _split(self):
        """A call for each that shares the script; [self] where there is no other."""
        if not self.is_script():
            return [self]
        shared = redis_layout.split_call(self.name, self.command)
        return [Part(self, call) for call in shared] or [self]

    def mark_passed(self, order, era):
        for call in {self, *self.parts}:
            call.passed, call.passed_at, call.era = order, time.monotonic(), era

    def mark_answered(self, order, reply):
        for call in {self, *self.parts}:
            call.answered, call.answered_at = order, time.monotonic()
            call.reply = call.own_answer(reply)

    def own_answer(self, reply):
        return reply

    def argument(self, what):
        """Of a script, as text."""
        return redis_layout.argument(self.name, self.command, what)

    def is_script(self):
        return len(self.command) >= redis_layout.FIRST and self.name.islower()


class Part(Call):
    """One of the calls that share a script, as if it had come alone."""

    __slots__ = ("shared",)

    def __init__(self, whole, shared):
        super().__init__(whole.client, shared.name, shared.command)
        self.shared = shared

    def _split(self):
        return [self]

    def own_answer(self, reply):
        return self.shared.answer(reply)


class Grant:
    """A TAKE's answer, seen for the first time."""

    def __init__(self, call, granted):
        self.job, self.epoch, self.step = granted.job, granted.epoch, granted.step
        self.crashes, self.tries = granted.crashes, granted.tries
        self.worker, self.node = call.argument("worker"), call.argument("node")
        self.nonce = call.argument("nonce")
        self.era, self.seen, self.at = call.era, call.answered, call.answered_at


class Record:
    def __init__(self):
        self.names = ScriptNames()
        self.owner_calls = []  # renew, complete, fail, release: passed on, answered or not
        self.grants = []       # of each (job, epoch, nonce) the first
        self.submits = []      # answered ones
        self.regrants = 0      # a grant that was given again to the same nonce
        self.steps = {}        # job -> (step, when), as the gateways last told the watchers
        self.holds = {}        # node -> the grant that it works on, as far as is known
        self._known = {}
        self._era = 0
        self._clock = 0
        self._lock = threading.Lock()

    def new_era(self):
        """Redis has forgotten something: what was granted before says nothing about the future.
        To be called while Redis is down."""
        with self._lock:
            self._era += 1

    def passed(self, call):
        self._clock += 1
        call.mark_passed(self._clock, self._era)
        self.owner_calls.extend(part for part in call.parts if part.name in OWNER_CALLS)
        if call.name == "PUBLISH":
            for job, step in redis_layout.progress(call.command[2]):
                self.steps[job] = (step, time.monotonic())

    def answered(self, call, reply):
        self._clock += 1
        call.mark_answered(self._clock, reply)
        for part in call.parts:
            self._note(part, part.reply)

    def _note(self, call, reply):
        if call.name == "take":
            self._note_take(call, redis_layout.granted(reply))
        elif call.name == "submit":
            outcome = redis_layout.submit_outcome(reply)
            if outcome is not None:
                self.submits.append((call.argument("job"), outcome))
        elif call.name in OWNER_CALLS - {"renew"} and isinstance(reply, bytes):
            self._let_go(call.argument("job"), call.argument("nonce"))

    def _note_take(self, call, granted):
        if granted is None:
            return
        grant = Grant(call, granted)
        key = (grant.era, grant.job, grant.epoch, grant.nonce)
        if key in self._known:
            self.regrants += 1
        else:
            self._known[key] = grant
            self.grants.append(grant)
            self.holds[grant.node] = grant

    def _let_go(self, job, nonce):
        for node, grant in list(self.holds.items()):
            if (grant.job, grant.nonce) == (job, nonce):
                del self.holds[node]

    def grants_of(self, job):
        return [grant for grant in self.grants if grant.job == job]

    def renewed_without_progress(self, stall):
        """Renewals that were granted although no unit of work had ended for `stall` seconds."""
        progress = {(grant.job, grant.nonce): (0, grant.at) for grant in self.grants}
        wrong = []
        for call in self.owner_calls:
            owner = (call.argument("job"), call.argument("nonce"))
            if call.name != "renew" or call.reply not in GRANTED or owner not in progress:
                continue
            units, since = progress[owner]
            if int(call.argument("units")) > units:
                progress[owner] = (int(call.argument("units")), call.answered_at)
            elif call.passed_at - since > stall:
                wrong.append(f"the lease of job {owner[0]} was extended {call.passed_at - since:.1f}"
                             f" s after its last progress")
        return wrong

    def checkpoint_intervals(self):
        """Steps between one checkpoint that the queue was told of and the next, of all owners."""
        newest = {(grant.job, grant.nonce): grant.step for grant in self.grants}
        intervals = []
        for call in self.owner_calls:
            owner = (call.argument("job"), call.argument("nonce"))
            if call.name != "renew" or call.reply not in GRANTED or owner not in newest:
                continue
            step = int(call.argument("checkpoint_step")) if call.argument("checkpoint") else 0
            if step > newest[owner]:
                intervals.append(step - newest[owner])
                newest[owner] = step
        return intervals

    def longest_interval_of(self, job, epoch):
        """Steps from the grant to its first checkpoint or from one to the next, the most of the
        owner's; infinite before its second checkpoint, when nothing says how long one is."""
        steps = [grant.step for grant in self.grants if (grant.job, grant.epoch) == (job, epoch)]
        steps += [int(call.argument("checkpoint_step")) for call in self.owner_calls
                  if call.name == "renew" and call.reply in GRANTED and call.argument("checkpoint")
                  and (call.argument("job"), call.argument("epoch")) == (job, str(epoch))]
        ways = [later - earlier for earlier, later in zip(steps, steps[1:]) if later > earlier]
        return max(ways) if len(ways) > 1 else float("inf")

    def step_known_of(self, job, before):
        """Of the newest checkpoint that the queue had acknowledged to owners of the job by then."""
        return max((int(call.argument("checkpoint_step")) for call in self.owner_calls
                    if call.name == "renew" and call.argument("job") == job
                    and call.argument("checkpoint") and call.reply in GRANTED
                    and call.answered_at <= before), default=0)

    def superseded_that_took_effect(self):
        """The calls that break the fence: passed on to Redis after the answer to a TAKE of the same
        job with another token had come from it, and yet answered as if their owner still held it.

        No false alarms: who makes such a call got its own grant through the same proxy before, so
        within one era the newest grant seen is that of the only possible owner. The calls are
        listed before the grants, for both grow while a campaign looks.
        """
        calls = list(self.owner_calls)
        by_job = {}
        for grant in self.grants:
            by_job.setdefault((grant.era, grant.job), []).append(grant)
        wrong = []
        for call in calls:
            if call.reply not in GRANTED:
                continue
            job, epoch = call.argument("job"), call.argument("epoch")
            before = [grant for grant in by_job.get((call.era, job), ())
                      if grant.seen < call.passed]
            if not before:
                continue
            newest = max(before, key=lambda grant: grant.epoch)
            if (epoch, call.argument("nonce")) != (str(newest.epoch), newest.nonce):
                wrong.append(f"{call.name} of job {job} with epoch {epoch} was answered "
                             f"{call.reply!r} after epoch {newest.epoch} had been granted to "
                             f"{newest.worker}")
        return wrong
