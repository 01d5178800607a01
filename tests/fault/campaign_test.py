"""The campaign's own parts, without processes: what the record makes of the calls that it sees,
which calls rules strike, and that what the record asserts can be broken."""

import os
import tempfile
import unittest

import redis_layout
from exits import GRACE, Absence, Exit, unexpected
from record import Call, Record
from rule import LOSE_REPLY, LOSE_REQUEST, Rule
from sanitizer import SanitizerReport, refuse_reports, refuse_reports_in


def script(*arguments):
    return [b"EVALSHA", b"sha", b"1", b"{phasor}:", b"0", *(str(a).encode() for a in arguments)]


def take_of(*workers):
    """Each: worker, nonce and the (job, epoch, nonce) that it completes, or None."""
    arguments = [1, "model"]
    for worker, nonce, done in workers:
        arguments += [worker, worker + "-node", nonce, 3000, *(done or ("", "", "")), ""]
    return script(*arguments)


def grant(job, epoch, step=0, completed=""):
    return [completed.encode(), job.encode(), b"%d" % epoch, *[b"x"] * 5, b"0", b"0", b"%d" % step,
            *[b"x"] * 6]


class RecordTest(unittest.TestCase):
    def setUp(self):
        self.record = Record()

    def call(self, name, command, reply, client="worker-1"):
        call = Call(client, name, command)
        self.record.passed(call)
        self.record.answered(call, reply)
        return call

    def test_grants_of_a_shared_take_are_told_apart(self):
        self.call("take", take_of(("w1", "n1", None), ("w2", "n2", None)),
                  [grant("a", 1), grant("b", 2, step=7)])
        self.assertEqual([(g.job, g.epoch, g.worker, g.nonce, g.step) for g in self.record.grants],
                         [("a", 1, "w1", "n1", 0), ("b", 2, "w2", "n2", 7)])
        self.assertEqual(set(self.record.holds), {"w1-node", "w2-node"})

    def test_a_take_without_a_job_grants_nothing(self):
        for reply in ([[b""]], [[b"", b"AGAIN"]], b"an error"):
            self.call("take", take_of(("w1", "n1", None)), reply)
        self.assertEqual(self.record.grants, [])

    def test_the_same_grant_again_is_counted_and_not_a_second_one(self):
        for _ in range(3):
            self.call("take", take_of(("w1", "n1", None)), [grant("a", 1)])
        self.assertEqual((len(self.record.grants), self.record.regrants), (1, 2))

    def test_a_completion_that_a_take_carries_counts_as_its_owners_call(self):
        self.call("take", take_of(("w1", "n1", None)), [grant("a", 1)])
        self.call("take", take_of(("w1", "n2", ("a", 1, "n1"))), [grant("b", 1, completed="OK")])
        calls = [(c.name, c.argument("job"), c.argument("nonce"), c.reply)
                 for c in self.record.owner_calls]
        self.assertEqual(calls, [("complete", "a", "n1", b"OK")])
        self.assertEqual(self.record.holds["w1-node"].job, "b")
        self.assertEqual(self.record.superseded_that_took_effect(), [])

    def test_superseded_owners_are_found_however_they_call(self):
        cases = {
            "complete": script("a", 1, "n1", "result"),
            "fail": script("a", 1, "n1", 1, 0, "why", "code", 0),
            "release": script("a", 1, "n1", "", 0),
            "renew": script("a", 1, "n1", 3000, 100, 5, 5, "DENOISING", "", 0),
            "take": take_of(("w1", "n3", ("a", 1, "n1"))),
        }
        for name, command in cases.items():
            for answer, wrong in ((b"OK", 1), (redis_layout.FENCED, 0)):
                with self.subTest(name=name, answer=answer):
                    self.record = Record()
                    self.call("take", take_of(("w1", "n1", None)), [grant("a", 1)])
                    self.call("take", take_of(("w2", "n2", None)), [grant("a", 2)])
                    shared = name in ("complete", "take")
                    reply = [[answer]] if name == "take" else [answer] if shared else answer
                    self.call(name, command, reply)
                    self.assertEqual(len(self.record.superseded_that_took_effect()), wrong)

    def test_a_call_under_way_while_the_job_changed_hands_is_no_violation(self):
        self.call("take", take_of(("w1", "n1", None)), [grant("a", 1)])
        late = Call("worker-1", "release", script("a", 1, "n1", "", 0))
        self.record.passed(late)
        self.call("take", take_of(("w2", "n2", None)), [grant("a", 2)])
        self.record.answered(late, b"OK")
        self.assertEqual(self.record.superseded_that_took_effect(), [])

    def test_a_job_that_is_taken_and_ended_during_the_look_is_no_violation(self):
        test = self

        class Meanwhile(list):
            def __iter__(self):
                before = self[:]
                test.record.grants = before[:]
                test.call("take", take_of(("w2", "n2", None)), [grant("a", 2)])
                test.call("complete", script("a", 2, "n2", "result"), [b"OK"])
                return iter(before)

        self.call("take", take_of(("w1", "n1", None)), [grant("a", 1)])
        self.record.grants = Meanwhile(self.record.grants)
        self.assertEqual(self.record.superseded_that_took_effect(), [])
        self.assertEqual(len(self.record.grants), 2)
        self.assertEqual(self.record.superseded_that_took_effect(), [])

    def test_what_redis_forgot_says_nothing_about_the_future(self):
        self.call("take", take_of(("w2", "n2", None)), [grant("a", 5)])
        self.record.new_era()
        self.call("take", take_of(("w1", "n1", None)), [grant("a", 1)])
        self.call("release", script("a", 1, "n1", "", 0), b"OK")
        self.assertEqual(self.record.superseded_that_took_effect(), [])

    def test_checkpoints_and_their_intervals(self):
        self.call("take", take_of(("w1", "n1", None)), [grant("a", 1, step=4)])
        for step, name in ((10, "c10"), (12, ""), (15, "c15")):
            self.call("renew", script("a", 1, "n1", 3000, 100, step, step, "DENOISING", name, step),
                      b"OK")
        self.assertEqual(self.record.checkpoint_intervals(), [6, 5])
        self.assertEqual(self.record.longest_interval_of("a", 1), 6)
        self.assertEqual(self.record.longest_interval_of("a", 2), float("inf"))
        last = self.record.owner_calls[-1].answered_at
        self.assertEqual(self.record.step_known_of("a", last), 15)
        self.assertEqual(self.record.step_known_of("b", last), 0)

    def test_events_are_read_one_after_another(self):
        def event(job, state, step, rest):
            return f"1 {job} 9 1 {state} DENOISING {step} 20 0 0 2 {len(rest)}\nw1{rest}".encode()
        message = event("a", "LEASED", 3, "\n1 x") + event("b", "DONE", 20, "") + event(
            "c", "LEASED", 4, "")
        self.assertEqual(list(redis_layout.progress(message)), [("a", 3), ("c", 4)])
        for foreign in (b"", b"garbage", b"2 a b c d e f g h i j k\n"):
            self.assertEqual(list(redis_layout.progress(foreign)), [], foreign)


class RuleTest(unittest.TestCase):
    def strikes(self, rule, client="worker-1", name="release", job="a"):
        return rule.strikes(Call(client, name, script(job, 1, "n", "", 0)))

    def test_only_what_it_names_and_as_often(self):
        rule = Rule(LOSE_REPLY, scripts=["release"], client="worker", count=2)
        self.assertFalse(self.strikes(rule, client="gateway-1"))
        self.assertFalse(self.strikes(rule, name="fail"))
        self.assertEqual([self.strikes(rule) for _ in range(3)], [True, True, False])
        self.assertEqual(rule.hits, {"release": 2})

    def test_once_each_lets_the_repetition_through(self):
        rule = Rule(LOSE_REQUEST, once_each=True)
        self.assertEqual([self.strikes(rule, job=job) for job in "aab"], [True, False, True])

    def test_commands_are_no_scripts(self):
        self.assertFalse(Rule(LOSE_REPLY).strikes(Call("worker-1", "PING", [b"PING"])))

    def test_it_looks_before_it_strikes_and_says_so(self):
        seen = []
        rule = Rule(LOSE_REPLY, when=lambda call: call.argument("job") == "b", on_hit=seen.append)
        self.assertEqual([self.strikes(rule, job=job) for job in "ab"], [False, True])
        self.assertEqual([call.argument("job") for call in seen], ["b"])


class ExitsTest(unittest.TestCase):
    away = [Absence("", 100, 110), Absence("worker-1", 200, 210)]

    def assert_explained(self, yes, service, code, at, served=False):
        end = Exit(service, code, at, served)
        self.assertEqual(unexpected([end], self.away), [] if yes else [end], end)

    def test_an_end_in_order_and_a_kill_are_expected_at_any_time(self):
        for code in (0, -9):
            self.assert_explained(True, "worker-1", code, at=50, served=True)

    def test_a_start_without_a_store_is_expected_while_there_was_none_and_a_little_longer(self):
        for at in (100, 105, 110, 110 + GRACE):
            self.assert_explained(True, "gateway-1", 1, at)
        for at in (50, 99, 111 + GRACE, 300):
            self.assert_explained(False, "gateway-1", 1, at)

    def test_only_of_those_from_whom_it_was_away(self):
        self.assert_explained(True, "worker-1", 1, at=205)
        self.assert_explained(False, "worker-2", 1, at=205)

    def test_what_had_come_up_has_no_reason_to_end(self):
        self.assert_explained(False, "worker-1", 1, at=105, served=True)

    def test_other_codes_are_never_expected(self):
        for code in (70, -11, 2):
            self.assert_explained(False, "worker-1", code, at=105)


class SanitizerTest(unittest.TestCase):
    def test_each_sanitizers_report_is_found(self):
        for line in ("==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
                     "AddressSanitizer:DEADLYSIGNAL",
                     "==1==ERROR: LeakSanitizer: detected memory leaks",
                     "WARNING: ThreadSanitizer: data race (pid=1)",
                     "common/job/x.cc:3:4: runtime error: signed integer overflow"):
            with self.subTest(line), self.assertRaisesRegex(SanitizerReport, "(?s)worker-1.*before"):
                refuse_reports("worker-1", "before\n" + line + "\nafter")

    def test_what_a_process_says_itself_is_no_report(self):
        refuse_reports("worker-1", 'level=error why="a runtime error" sanitizer=off')

    def test_logs_are_found_below_a_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            os.mkdir(os.path.join(directory, "logs"))
            with open(os.path.join(directory, "logs", "worker.log"), "w") as log:
                log.write("fine\n")
            refuse_reports_in(directory)
            with open(os.path.join(directory, "logs", "gateway.log"), "w") as log:
                log.write("==1==ERROR: AddressSanitizer: stack-overflow\n")
            with self.assertRaisesRegex(SanitizerReport, "gateway.log"):
                refuse_reports_in(directory)


if __name__ == "__main__":
    unittest.main()
