#!/usr/bin/env python3
"""torture.py FOLDER [NAME ...] - tortures the programs built into FOLDER (build)
and, with sanitizers, into FOLDER/sanitized, for TORTURE_TIME seconds in all,
and prints a table. SEED selects another run. Fails if an acknowledged event was
lost, handled twice although no process was killed, or handled out of order, or
if a file was damaged."""
import multiprocessing
import os
import shutil
import sys
import time

import disks
import storms

WRONG = ("twice", "damaged", "drained", "hangs", "status", "Sanitizer",
         "runtime error", "missing", "wrong")


def apart(torture, seconds):
    """Runs it in a process of its own, so that what it takes is its own too.
    Returns where it was, and its tally, which is None if it failed; (None,
    None): it was skipped."""
    here, there = multiprocessing.Pipe(duplex=False)

    def run():
        ended = torture(seconds)
        if ended is None:
            there.send((None, None))
        else:
            rig, tally = ended
            there.send((rig.work, tally._replace(
                notes=tally.notes + rig.findings())))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        return "", None
    finally:
        process.join()


def main():
    folder = os.path.abspath(sys.argv[1])
    app = folder + "/tests/handlers/vkcb"
    checked = folder + "/sanitized/tests/handlers/vkcb"
    preload = folder + "/tests/preload"
    seed = int(os.environ.get("SEED", time.time()))
    seconds = float(os.environ.get("TORTURE_TIME", 1200))
    rows = {
        "kill -9 and SIGSTOP, FastCGI":
            (3, lambda s: storms.fastcgi(app, s, seed)),
        "the same, sanitizers": (1, lambda s: storms.fastcgi(checked, s, seed)),
        "kill -9 and SIGSTOP, CGI": (3, lambda s: storms.cgi(app, s, seed)),
        "the same by CGI, sanitizers":
            (1, lambda s: storms.cgi(checked, s, seed)),
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
        "flipped bits of rows": (3, lambda s: disks.rows(app, s, seed)),
        "the same rows, sanitizers":
            (2, lambda s: disks.rows(checked, s, seed)),
    }
    names = sys.argv[2:] or list(rows)
    until, left = time.time() + seconds, sum(rows[name][0] for name in names)
    print("seed %d" % seed)
    print("%-30s %8s %8s %5s %6s %6s  %s" % (
        "", "tried", "acked", "lost", "again", "order", "notes"), flush=True)
    bad = False
    for name in names:
        share, torture = rows[name]
        # A part of the time is for what must be drained afterwards.
        work, tally = apart(torture, max(
            5, (until - time.time()) * share / left * .8))
        left -= share
        if work is None:
            print("%-30s skipped: it needs to mount a tmpfs" % name)
            continue
        if tally is None:
            print("%-30s could not be done" % name)
            bad = True
            continue
        wrong = tally.lost or tally.disorder or any(
            word in note for note in tally.notes for word in WRONG)
        bad |= bool(wrong)
        print("%-30s %8d %8d %5d %6d %6d  %s" % (
            name, *tally[:5], "; ".join(tally.notes)), flush=True)
        if wrong:
            print("    kept: " + work)
        else:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if bad else 0


sys.exit(main())
