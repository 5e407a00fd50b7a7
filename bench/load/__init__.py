"""The load of a bench, in a process of its own.

In an open loop every request has a time at which it is to be sent, whatever became of those before
it, and its latency counts from there. So a server that falls behind is measured as its users feel
it, and not relieved by a generator that waits for it. A closed loop, which sends the next request
when an answer comes, finds the rate that is possible, and its latencies are those of that rate.

`generator.py` is the process: `pacing.py` says when, `writing.py` what, `api_sockets.py` and
`http.py` carry it, `followers.py` listens. `running.py` is the side of the bench, `checks.py` looks
at the books afterwards, `origins.py` asks the journal when it was that something changed.
"""
