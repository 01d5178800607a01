"""Mutants of our own code: each is found by one test of this folder, which has to fail with it."""

import jobs
import kills
import network
import redis_faults

FOUND_BY = {
    "nonce-check-dropped": redis_faults.fault_10_redis_rolled_back,
    "store-overwrites": kills.fault_03_a_finished_job_does_not_expire,
    "no-auditor": redis_faults.fault_16_members_deleted_from_the_indexes,
    "renew-without-progress": jobs.fault_26_a_unit_that_hangs,
    "crash-counted-as-a-try": kills.fault_01_worker_killed_mid_denoise,
    "submit-with-allow-oom": redis_faults.fault_13_redis_out_of_memory,
    "take-without-tk": network.fault_07_every_reply_lost_once,
}


def must_fail(mutant, seed):
    try:
        FOUND_BY[mutant](seed, mutant=mutant)
    except AssertionError as error:
        print(f"found: {error}")
        return
    raise AssertionError(f"{FOUND_BY[mutant].__name__} holds in spite of the mutant {mutant}")


def fault_mutant_nonce_check_dropped(seed):
    must_fail("nonce-check-dropped", seed)


def fault_mutant_store_overwrites(seed):
    must_fail("store-overwrites", seed)


def fault_mutant_no_auditor(seed):
    must_fail("no-auditor", seed)


def fault_mutant_renew_without_progress(seed):
    must_fail("renew-without-progress", seed)


def fault_mutant_crash_counted_as_a_try(seed):
    must_fail("crash-counted-as-a-try", seed)


def fault_mutant_submit_with_allow_oom(seed):
    must_fail("submit-with-allow-oom", seed)


def fault_mutant_take_without_tk(seed):
    must_fail("take-without-tk", seed)


def fault_mutant_none_holds(seed):
    """The test programs as such change nothing."""
    redis_faults.fault_13_redis_out_of_memory(seed, mutant="none")
    kills.fault_01_worker_killed_mid_denoise(seed, mutant="none")
