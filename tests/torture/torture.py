#!/usr/bin/env python3
"""torture.py FOLDER [NAME ...] - tortures the programs built into FOLDER (build)
and, with sanitizers, into FOLDER/sanitized, for TORTURE_TIME seconds in all,
and prints a table. SEED selects another run. Fails if an acknowledged event was
lost, handled twice although no process was killed, or handled out of order, or
if a file was damaged."""
import os
import sys
import time

import disks
import storms


def main():
    folder = os.path.abspath(sys.argv[1])
    app = folder + "/tests/handlers/vkcb"
    checked = folder + "/sanitized/tests/handlers/vkcb"
    preload = folder + "/tests/preload"
    seed = int(os.environ.get("SEED", time.time()))
    seconds = float(os.environ.get("TORTURE_TIME", 1200))
    rows = {
        "kill -9 and SIGSTOP, FastCGI":
            (4, lambda s: storms.fastcgi(app, s, seed)),
        "kill -9 and SIGSTOP, CGI": (4, lambda s: storms.cgi(app, s, seed)),
        "repeats, FastCGI": (1, lambda s: storms.repeats(app, s, seed, False)),
        "repeats, CGI": (1, lambda s: storms.repeats(app, s, seed, True)),
        "a binary replaced": (1, lambda s: storms.replaced(app, s, seed)),
        "a clock that jumps":
            (2, lambda s: storms.clock(checked, s, seed, preload)),
        "EIO": (2, lambda s: disks.errors(checked, s, seed, preload, 5)),
        "ENOSPC": (2, lambda s: disks.errors(checked, s, seed, preload, 28)),
        "a full disk": (2, lambda s: disks.full(app, s, seed)),
        "power cuts": (4, lambda s: disks.power(app, s, seed, preload)),
        "flipped bits": (3, lambda s: disks.flips(checked, s, seed)),
        "flipped bits of rows": (4, lambda s: disks.rows(app, s, seed)),
    }
    names = sys.argv[2:] or list(rows)
    share = seconds / sum(rows[name][0] for name in names)
    print("seed %d" % seed)
    print("%-30s %8s %8s %5s %6s %6s  %s" % (
        "", "tried", "acked", "lost", "again", "order", "notes"), flush=True)
    bad = False
    for name in names:
        # Half of the time is for what must be drained afterwards.
        ended = rows[name][1](share * rows[name][0] * .7)
        if ended is None:
            print("%-30s skipped: it needs to mount a tmpfs" % name)
            continue
        rig, tally = ended
        wrong = tally.lost or tally.disorder or any(
            word in note for note in tally.notes for word in (
                "twice", "damaged", "drained", "hangs", "status", "Sanitizer",
                "runtime error", "missing", "wrong"))
        bad |= bool(wrong)
        print("%-30s %8d %8d %5d %6d %6d  %s" % (
            name, *tally[:5], "; ".join(tally.notes)), flush=True)
        if wrong:
            print("    kept: " + rig.work)
        else:
            rig.forget()
    return 1 if bad else 0


sys.exit(main())
