"""Which calls a relay is to lose."""

import random

import redis_layout

LOSE_REQUEST = "lose request"  # the server never sees it
LOSE_REPLY = "lose reply"      # the server has done it, the caller never hears


class Rule:
    """Strikes calls of the scripts in `scripts` (all if empty), with those that share the command,
    from clients whose name begins with `client`, `count` times at most, each with `probability`.
    `once_each`: a call with the same first arguments (the job, its owner's token) is struck only
    once, so that its repetition gets through. `when` looks at the call, for a reply also at that.
    `on_hit` is called on the relay's thread before the call is lost."""

    def __init__(self, action, scripts=(), client="", count=None, probability=1.0,
                 once_each=False, when=None, on_hit=None, seed=0):
        self.action, self.scripts, self.client = action, set(scripts), client
        self.left, self.probability = count, probability
        self.when, self.on_hit = when, on_hit
        self.struck = set() if once_each else None
        self.hits = {}  # script -> calls struck
        self._random = random.Random(seed)

    def strikes(self, call):
        if self.left == 0 or not call.client.startswith(self.client):
            return False
        names = {part.name for part in call.parts}
        if self.scripts and not self.scripts & names or not call.is_script():
            return False
        if self.when and not self.when(call):
            return False
        if self.struck is not None:
            key = (call.name, *redis_layout.identity(call.parts[0].command))
            if key in self.struck:
                return False
            self.struck.add(key)
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        if self.left is not None:
            self.left -= 1
        for name in names:
            self.hits[name] = self.hits.get(name, 0) + 1
        if self.on_hit:
            self.on_hit(call)
        return True
