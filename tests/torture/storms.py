"""storms.py - processes that are killed or stopped at any moment, and clocks
that jump."""
import os
import signal
import subprocess
import threading
import time

from rig import Rig, wait_for


def strike(rig, until, keep):
    """Kills one process after the other, and stops some for a while."""
    kills = stops = 0
    while time.time() < until:
        time.sleep(rig.rng.uniform(.005, .04))
        keep()
        victims = rig.victims()
        if not victims:
            continue
        pid = rig.rng.choice(victims)
        if rig.rng.random() < .12:
            rig.kill(pid, signal.SIGSTOP)
            threading.Timer(rig.rng.uniform(.2, 2), rig.kill,
                            (pid, signal.SIGCONT)).start()
            stops += 1
        else:
            rig.kill(pid)
            kills += 1
    return kills, stops


def finish(rig, notes):
    if not rig.drain():
        notes.append("not drained: " + rig.status()[:100])
    notes.append(rig.is_sound())
    tally = rig.judge([note for note in notes if note])
    rig.close()
    return rig, tally


def storm(rig, seconds, post, keep):
    stop = time.time() + seconds
    threads = rig.converse(post, stop, 12)
    time.sleep(.5)
    kills, stops = strike(rig, stop, keep)
    until = time.time() + 4
    while any(t.is_alive() for t in threads) or time.time() < until:
        keep()
        time.sleep(.05)
    wait_for(threads)
    return finish(rig, ["%d killed, %d stopped for a while" % (kills, stops)])


def fastcgi(app, seconds, seed):
    rig = Rig("fastcgi", app, seed)
    rig.listen(4)
    return storm(rig, seconds, rig.post_fastcgi, rig.keep)


def cgi(app, seconds, seed):
    rig = Rig("cgi", app, seed)
    return storm(rig, seconds, rig.post_cgi, lambda: None)


def repeats(app, seconds, seed, cgi):
    """Without an inbox: each event again and again, while processes are
    killed. It runs a second time only if its process was killed."""
    rig = Rig("repeats", app, seed, ("inbox = none",))
    rig.env["TMPDIR"] = rig.work
    post = rig.post_cgi if cgi else rig.post_fastcgi
    rig.listen(0 if cgi else 8)
    stop = time.time() + seconds

    def body(event):
        return rig.body(event, 1, rig.rng).replace(b'"fail"', b'"ok"')

    def deliver(name):
        number = 0
        while time.time() < stop:
            number += 1
            # A fifth of what the file has room for: none is forgotten.
            event = 1 + (number // 10 * 8 + rig.rng.randrange(32)) % 8000
            post(body(event))
            with rig.lock:
                rig.tried += 1
                rig.taken[(event, 1)] = True

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    kills, stops = strike(rig, stop, rig.keep)
    wait_for(threads)
    time.sleep(2)   # the stopped ones go on
    rig.keep()
    for event, _ in rig.taken:
        while not post(body(event)) and time.time() < stop + 60:
            rig.keep()
    tally = rig.judge(["%d killed, %d stopped for a while" % (kills, stops)])
    return finish_repeats(rig, tally, kills)


def finish_repeats(rig, tally, kills):
    """Counts the second runs, of which each needs a kill before."""
    last, again = {}, 0
    with open(rig.book) as book:
        for what, peer, _, _, pid, _ in map(str.split, book):
            if what != "begin":
                continue
            again += peer in last
            if peer in last and int(last[peer]) not in rig.dead:
                tally.notes.append("twice, and nobody was killed: " + peer)
            last[peer] = pid
    if again > kills:
        tally.notes.append("twice, and more often than killed")
    rig.close()
    return rig, tally._replace(again=again)


def clock(app, seconds, seed, preload):
    """The system clock jumps by seconds to days, for all processes."""
    rig = Rig("clock", app, seed, ("keep = 1h",))
    jump = rig.work + "/jump"
    with open(jump, "w") as file:
        file.write("0")
    rig.env.update(LD_PRELOAD=preload + "/clock-jump.so", CLOCK_JUMP=jump)
    rig.listen(3)
    stop = time.time() + seconds
    threads = rig.converse(rig.post_fastcgi, stop)
    jumps = 0
    while time.time() < stop:
        time.sleep(rig.rng.uniform(.3, 1.5))
        rig.keep()
        by = rig.rng.choice([-1, 1]) * rig.rng.choice(
            [1, 5, 60, 3000, 90000, 900000])
        with open(jump + ".new", "w") as file:
            file.write(str(by))
        os.rename(jump + ".new", jump)
        jumps += 1
    with open(jump + ".new", "w") as file:
        file.write("0")
    os.rename(jump + ".new", jump)
    wait_for(threads)
    return finish(rig, ["%d jumps" % jumps])


def replaced(app, seconds, seed):
    """The binary is replaced by a copy, by rename, while events arrive."""
    rig = Rig("replaced", app, seed)
    rig.listen(3)
    stop = time.time() + seconds
    threads = rig.converse(rig.post_fastcgi, stop)
    times = 0
    while time.time() < stop:
        time.sleep(rig.rng.uniform(.2, 1))
        subprocess.check_call(["cp", app, rig.app + ".new"])
        os.rename(rig.app + ".new", rig.app)
        times += 1
        rig.responders[times % 3].terminate()
        rig.responders[times % 3].wait()
        rig.keep()
    wait_for(threads)
    return finish(rig, ["%d times" % times])
