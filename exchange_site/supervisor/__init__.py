"""`make run`: the whole exchange as child processes of one, in the foreground.

Why not supervisord, circus or honcho: what is hard here is not keeping processes alive but the
order in which they become ready (a server answers, its roles exist, the tables are migrated, the
engine leads, `/health` is 200), a first restart after a tenth of a second, so that a killed engine
is back before its callers give up, and the promise that nothing is left behind in whatever way the
supervisor itself ends. The existing tools start programs in parallel or by priority without asking
whether they are ready, wait a second or more, want a configuration file and often a daemon, and
leave orphans when they are killed. What remains to be written is small, and asyncio has the rest.

It imports neither Django nor Celery: it is idle nearly always and should weigh little.
"""
