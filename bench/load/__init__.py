"""The load of a bench, in a process of its own.

It is an open loop: every request has a time at which it is to be sent, whatever became of those
before it, and its latency counts from there. So a server that falls behind is measured as its users
feel it, and not relieved by a generator that waits for it.
"""
