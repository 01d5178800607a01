"""Runs one fault test: run_fault.py NAME [--seed S]. Faults, their times and targets come from the
seed, which is printed; without one a random one is drawn."""

import argparse
import random
import sys
import time

import card
import failover
import jobs
import kills
import load
import memory
import mutants
import network
import redis_faults
import store_faults

MODULES = (card, kills, network, redis_faults, failover, store_faults, jobs, load, memory, mutants)


def table():
    return {name: function for module in MODULES for name, function in vars(module).items()
            if name.startswith("fault_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of a test, or 'list'")
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    if arguments.name == "list":
        print("\n".join(table()))
        return 0
    seed = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    print(f"{arguments.name} --seed {seed}", flush=True)
    began = time.monotonic()
    table()[arguments.name](seed)
    print(f"held, {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
