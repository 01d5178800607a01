"""Golden runs of the demo model, one a scheduler; made anew whenever its weights change."""

from reference import SCHEDULERS, Request
from runs import write_run

PROMPT = "a red circle on a blue background"


def export():
    for scheduler in SCHEDULERS:
        request = Request(PROMPT, seed=7, steps=20, guidance=4.0, width=128, height=128)
        write_run(f"demo/{scheduler}", "../../models/phasor-demo", scheduler, request)
