"""The exchange in a nutshell: worker, journal, projector, follower and publisher from one seed.

`make simulate SEEDS=n` plays as many worlds, as `docs/FAILURES.md` says. What decides is the real
code; Redis, the database, the network and the time are of the simulation, and break as the seed
says. `world.py` is the scheduler, each part has a file, `judge.py` looks at everything, and
`planted.py` holds bugs that the judge must find.
"""
