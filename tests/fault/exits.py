"""Which ends of services a campaign may cause: in order, killed, or not begun because the result
store was away when they looked for it. Anything else is a service that gave up by itself."""

from collections import namedtuple

# `at`: when it was seen. `served`: it had come up before. `last`: what its log ends with.
Exit = namedtuple("Exit", "service code at served last", defaults=("",))
# The result store was away for `service` ("": for all of them) from `begin` to `end`.
Absence = namedtuple("Absence", "service begin end")

EXPECTED_CODES = (0, -9)  # of a process that was stopped in order, or killed
NOT_STARTED = 1  # of one that found no store when it started; its keeper starts it again
GRACE = 10  # seconds that a start may take to give the store up, and its end to be seen


def unexpected(exits, absences):
    """Those of `exits` that no fault explains."""
    def explained(end):
        return end.code in EXPECTED_CODES or (
            end.code == NOT_STARTED and not end.served and
            any(absence.service in ("", end.service) and
                absence.begin <= end.at <= absence.end + GRACE for absence in absences))
    return [end for end in exits if not explained(end)]
