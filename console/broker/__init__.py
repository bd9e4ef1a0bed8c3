"""What the runs of one machine share of a limit, so that the sum of them holds: files and locks, no daemon.

`share.py` is the door. Everything here is synchronous, waits for nobody longer than a millisecond, and raises
nothing but `ShareError`. The kernel drops a lock with the process that held it, so no death needs mending.

Times are nanoseconds of CLOCK_MONOTONIC (`time.perf_counter_ns` on Linux; on macOS it is mach time, one clock for
the machine as well): all processes of a boot read the same one. Only processes in another time namespace do not.
"""
