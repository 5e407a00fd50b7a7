"""A lease and an epoch on a Redis: one leads at a time, and whoever was succeeded writes no more.

Pieces of Lua, for scripts whose first keys are the lease and the epoch. The epoch is raised with
every lease that is taken, so an unchanged epoch proves that nobody led in between, even where the
lease itself has lapsed: after a stall the leader goes on unharmed.
"""

from typing import Final

FENCED: Final = "FENCED"
"""Begins the error of a script that was fenced off."""

# ARGV: the owner, the lease's milliseconds.
TAKE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local epoch = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
"""

# ARGV: the epoch, the owner, the lease's milliseconds. What follows may write.
FENCE: Final = f"""
local holder = redis.call('GET', KEYS[1])
if redis.call('GET', KEYS[2]) ~= ARGV[1] or (holder and holder ~= ARGV[2]) then
  return redis.error_reply('{FENCED} somebody else leads')
end
"""

# Behind a fence.
HOLD: Final = """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
"""

# ARGV: the owner. The epoch is not asked for.
GIVE_BACK: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
