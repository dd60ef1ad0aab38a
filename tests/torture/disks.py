"""disks.py - disks that fail, fill up and lose power, and bits that flip."""
import json
import mmap
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

from rig import Rig, Tally, wait_for
from storms import finish

PADS = (0, 0, 100, 3000, 20000)


def errors(app, seconds, seed, preload, number):
    """Writes, flushes and truncations fail at random, with this errno."""
    rig = Rig("errno-%d" % number, app, seed)
    switch = rig.work + "/on"
    clean = dict(rig.env)
    rig.env.update(LD_PRELOAD=preload + "/io-fault.so",
                   FAULT_PREFIX=rig.inbox, FAULT_ONE_IN="40",
                   FAULT_ERRNO=str(number), FAULT_ON=switch)
    rig.listen(3)
    stop = time.time() + seconds
    threads = rig.converse(rig.post_fastcgi, stop, pad=PADS)
    while time.time() < stop:
        open(switch, "w").close()
        time.sleep(rig.rng.uniform(.3, 2))
        os.unlink(switch)
        time.sleep(rig.rng.uniform(.3, 1))
        rig.keep()
    rig.env = clean
    wait_for(threads)
    return finish(rig, [])


def full(app, seconds, seed):
    """A disk of 8 MB that another program fills and frees again."""
    rig = Rig("full", app, seed, ("keep = 1m",), size="8m")
    if not rig.mounted:
        rig.forget()
        return None
    rig.listen(3)
    stop = time.time() + seconds
    threads = rig.converse(rig.post_fastcgi, stop, pad=(0, 100))
    while time.time() < stop:
        try:
            with open(rig.run + "/fill", "wb") as file:
                while True:
                    file.write(b"x" * 4096)
                    file.flush()
        except OSError:
            pass
        time.sleep(rig.rng.uniform(.3, 2))
        os.unlink(rig.run + "/fill")
        time.sleep(rig.rng.uniform(.3, 1))
        rig.keep()
    wait_for(threads)
    return finish(rig, [])


# A log of writes and flushes, as cut-log.so makes it.

HEAD = struct.Struct("<BBHIQII")


class Log:
    def __init__(self, path):
        with open(path, "rb") as file:
            raw = memoryview(mmap.mmap(file.fileno(), 0,
                                       access=mmap.ACCESS_READ))
        self.rows, at = [], 0
        while at + HEAD.size <= len(raw):
            op, n, _, length, offset, pid, number = HEAD.unpack_from(raw, at)
            at += HEAD.size
            name = str(raw[at:at + n], "ascii")
            at += n
            data = b""
            if op == ord("W"):
                data = raw[at:at + length]
                at += length
            self.rows.append((chr(op), name, offset, data, (pid, number)))
        self.began = {row[4]: i for i, row in enumerate(self.rows)
                      if row[0] == "S"}
        self.ended = {(row[0].upper(), row[4]): i for i, row in
                      enumerate(self.rows) if row[0] in "wts"}
        # The process was killed meanwhile: the operation is over.
        for i, row in enumerate(self.rows[:-200]):
            if row[0] in "WT":
                self.ended.setdefault((row[0], row[4]), i)

    def acknowledged(self):
        return [i for i, row in enumerate(self.rows) if row[0] == "A"]


class Disk:
    """A file: the bytes surely on disk, and later writes."""

    def __init__(self, log, name, rng):
        self.log, self.name, self.rng = log, name, rng
        self.image, self.pending = bytearray(), []
        self.at, self.durable = 0, -1

    @staticmethod
    def put(image, offset, data):
        if len(image) < offset + len(data):
            image.extend(b"\0" * (offset + len(data) - len(image)))
        image[offset:offset + len(data)] = data

    def advance(self, cut):
        for i in range(self.at, cut):
            op, name, _, _, key = self.log.rows[i]
            if name != self.name:
                continue
            if op in "WT":
                self.pending.append(i)
            elif op == "s":
                self.durable = max(self.durable, self.log.began[key])
        self.at = cut
        left = []
        for i in self.pending:
            op, _, offset, data, key = self.log.rows[i]
            # A write that ended before a flush began is on disk after it.
            if self.log.ended.get((op, key), 1 << 60) >= self.durable:
                left.append(i)
            elif op == "W":
                self.put(self.image, offset, data)
            else:
                del self.image[offset:]
        self.pending = left

    def cut(self, mode):
        image, rng = bytearray(self.image), self.rng
        pending = [self.log.rows[i] for i in self.pending]
        if mode == "reordered":
            rng.shuffle(pending)
        for op, _, offset, data, _ in pending:
            if mode == "dropped":
                continue
            if op == "T":
                if mode == "kept" or rng.random() < .5:
                    del image[offset:]
            elif mode == "kept":
                self.put(image, offset, data)
            else:
                for part in range(0, len(data), 512):
                    if rng.random() < .5:
                        self.put(image, offset + part, data[part:part + 512])
        return bytes(image)


def load_under_log(rig, seconds, preload):
    """Runs responders and workers of a new inbox with cut-log; returns the
    log's path."""
    path = rig.work + "/cut.log"
    for name in [path] + [rig.run + "/" + name for name in os.listdir(rig.run)]:
        if os.path.exists(name):
            os.unlink(name)
    clean = dict(rig.env)
    rig.env.update(LD_PRELOAD=preload + "/cut-log.so", CUT_PREFIX=rig.inbox,
                   CUT_LOG=path)
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(event):
        name = event.encode()
        os.write(log, HEAD.pack(ord("A"), len(name), 0, 0, 0, 0, 0) + name)

    rig.listen(3)
    stop = time.time() + seconds
    threads = rig.converse(rig.post_fastcgi, stop, pad=PADS, ready=note)
    while time.time() < stop:
        time.sleep(1)
        rig.responders[rig.rng.randrange(3)].kill()
        rig.keep()
    wait_for(threads)
    os.close(log)
    rig.close()
    rig.env = clean
    return path


def power(app, seconds, seed, preload):
    """Power fails after any write; acknowledged events must be there."""
    rig = Rig("power", app, seed, ("attempts = 50",))
    rng, until = random.Random(seed), time.time() + seconds
    cuts, taken, lost, notes = 0, 0, 0, []
    while time.time() < until and len(notes) < 6:
        log = Log(load_under_log(rig, min(seconds / 3, 10), preload))
        acks = log.acknowledged()
        taken += len(acks)
        for mode, place, missing, said in cut_often(rig, log, acks, rng):
            cuts += 1
            lost += len(missing)
            if missing or said:
                notes.append("%s at %d: %d missing %s" % (
                    mode, place, len(missing), said))
            if len(notes) > 5 or time.time() > until:
                break
    return rig, Tally(rig.tried, taken, lost, 0, 0,
                      ["%d cuts" % cuts] + notes[:5])


def cut_often(rig, log, acks, rng):
    """Each is a cut, and which acknowledged events it lost."""
    disks = {n: Disk(log, n, rng) for n in ("db", "-wal")}
    wanted, at = set(), 0
    for place in sorted([rng.choice(acks) + 1 for _ in range(80)] + [
            rng.randrange(acks[0], len(log.rows)) for _ in range(80)]):
        mode = rng.choice(["dropped", "kept", "torn", "reordered"])
        for disk in disks.values():
            disk.advance(place)
        while at < len(acks) and acks[at] < place:
            wanted.add(log.rows[acks[at]][1])
            at += 1
        yield (mode, place, *after_cut(rig, disks, mode, wanted))


def after_cut(rig, disks, mode, wanted):
    """Returns missing acknowledged events and other errors."""
    folder = rig.work + "/cut"
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name, disk in disks.items():
        with open(folder + "/inbox" + name.replace("db", ""), "wb") as file:
            file.write(disk.cut(mode))
    said = subprocess.run(["sqlite3", folder + "/inbox",
                           "PRAGMA integrity_check"], capture_output=True,
                          text=True)
    if said.stdout.strip() != "ok":
        return wanted, (said.stdout + said.stderr)[:80]
    with open(rig.work + "/vkcb.conf") as file:
        text = file.read().replace(rig.inbox, folder + "/inbox")
    with open(folder + "/vkcb.conf", "w") as file:
        file.write(text)
    listed = subprocess.run(
        [rig.app, "inbox", "list", "--all", "--json"], capture_output=True,
        text=True, env=dict(rig.env, VKCB_CONF=folder + "/vkcb.conf"))
    have = set(re.findall(r'"event_id":"([^"]*)"', listed.stdout))
    return wanted - have, "" if listed.returncode == 0 else listed.stderr[:80]


def flips(app, seconds, seed):
    """A bit of the inbox's file flips before workers run. Each event must be
    handled as sent, parked, or refused with a message: no crash, no hang, no
    other value."""
    rig = Rig("flips", app, seed, ("attempts = 2", "handler_timeout = 4s"))
    rng, until = random.Random(seed), time.time() + seconds
    bodies = [rig.body(peer, 1, rng, PADS[:4]) for peer in range(1, 9)]
    for body in bodies:
        rig.post_cgi(body)
    rig.drain()
    subprocess.run(["sqlite3", rig.inbox, "PRAGMA wal_checkpoint(TRUNCATE)"],
                   stdout=subprocess.DEVNULL)
    with open(rig.inbox, "rb") as file:
        sound = file.read()
    flipped, notes = 0, []
    while time.time() < until and len(notes) < 6:
        place, bit = rng.randrange(100, len(sound)), rng.randrange(8)
        image = bytearray(sound)
        image[place] ^= 1 << bit
        for name in os.listdir(rig.run):
            os.unlink(rig.run + "/" + name)
        with open(rig.inbox, "wb") as file:
            file.write(image)
        flipped += 1
        for words in (["inbox", "list", "--all", "--json"],
                      ["inbox", "retry", "--all"], ["work", "--once"],
                      ["status"]):
            wrong = bounded(rig, words)
            if wrong:
                notes.append("byte %d bit %d: %s: %s" % (
                    place, bit, " ".join(words), wrong))
    rig.close()
    return rig, Tally(flipped, len(bodies), 0, 0, 0,
                      ["%d bits flipped" % flipped] + notes)


ROWS = {
    "event": "id hash group_id event_id type version retry_counter received "
             "conversation object sum",
    "task": "event place handler state attempts started ended reason sum",
    "queue": "event conversation urgent head worker",
}


def flip_row(inbox, rng):
    """A bit of a value, in a row of an event that waits; says where."""
    table = rng.choice(list(ROWS))
    column = rng.choice(ROWS[table].split())
    key = {"event": "id, id", "task": "event, place"}.get(table,
                                                          "event, event")
    base = sqlite3.connect(inbox)
    old, *row = base.execute(
        "SELECT %s, %s FROM %s ORDER BY random() LIMIT 1" % (
            column, key, table)).fetchone()
    if isinstance(old, int):
        bit = rng.randrange(64)
        new = (old ^ 1 << bit) & (1 << 64) - 1
        new -= (new >> 63) << 64
    else:
        raw = bytearray((old or "").encode() if not isinstance(old, bytes)
                        else old)
        bit = rng.randrange(8 * len(raw)) if raw else 0
        if raw:
            raw[bit // 8] ^= 1 << bit % 8
        new = bytes(raw)
    cast = "?" if isinstance(new, int) or isinstance(old, bytes) else \
        "CAST(? AS TEXT)"
    base.execute("UPDATE OR IGNORE %s SET %s = %s WHERE (%s) = (?, ?)" % (
        table, column, cast, key), (new, *row))
    base.commit()
    base.close()
    return "%s.%s of %d, bit %d" % (table, column, row[0], bit)


def rows(app, seconds, seed):
    """A bit of a stored row flips before workers run. Each event must be
    handled once with what was sent, or be parked as damaged."""
    rig = Rig("rows", app, seed, ("attempts = 9", "backoff = 1h"))
    rng, until = random.Random(seed), time.time() + seconds
    for peer in range(1, 7):
        rig.post_cgi(json.dumps(dict(
            type="test_task", group_id=1, event_id="%d-1" % peer, v="5.199",
            secret="s3", object=dict(book=rig.book, peer_id=peer, seq=1,
                                     until=2, do="fail"))).encode())
    while '"retrying":6' not in rig.status() and time.time() < until:
        time.sleep(.1)
    for pid in rig.victims():   # the pool would stay for the retries
        rig.kill(pid, signal.SIGTERM)
    while rig.victims() and time.time() < until:
        time.sleep(.1)
    base = sqlite3.connect(rig.inbox)
    base.execute("UPDATE task SET due = 0")
    base.execute("UPDATE queue SET due = 0")
    base.commit()
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    with open(rig.inbox, "rb") as file:
        sound = file.read()
    flipped, parked, notes = 0, 0, []
    while time.time() < until and len(notes) < 6:
        for name in os.listdir(rig.run):
            os.unlink(rig.run + "/" + name)
        with open(rig.inbox, "wb") as file:
            file.write(sound)
        os.chmod(rig.inbox, 0o600)
        open(rig.book, "w").close()
        where = flip_row(rig.inbox, rng)
        flipped += 1
        wrong = bounded(rig, ["work", "--once"]) or \
            bounded(rig, ["inbox", "list", "--all", "--json"]) or \
            bounded(rig, ["status", "--prometheus"])
        with open(rig.book) as book:
            begun = [line.split()[:4] for line in book]
        ran = [line for line in begun if line[0] == "end"]
        base = sqlite3.connect(rig.inbox)
        damaged = base.execute("SELECT count(*) FROM task WHERE state = 3 AND "
                               "reason LIKE '%is damaged%'").fetchone()[0]
        base.close()
        parked += damaged > 0
        if any(line[1] not in "123456" or line[2:] != ["1", "2"]
               for line in begun):
            wrong = wrong or "a wrong value"
        if len(ran) != len(set(line[1] for line in ran)):
            wrong = wrong or "twice"
        if len(ran) + (damaged > 0) < 6:
            wrong = wrong or "missing: %d ran, %d parked" % (
                len(ran), damaged)
        if wrong:
            notes.append("%s: %s" % (where, wrong))
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    if most > 64 and not rig.sanitized:
        notes.append("wrong: %d MB" % most)
    rig.close()
    return rig, Tally(flipped, 6 * flipped, 0, 0, 0, [
        "%d bits of rows flipped, %d parked, at most %d MB" % (
            flipped, parked, most)] + notes)


def bounded(rig, words):
    """Runs a command with limits of 45 s, since work tries on for 30, and 1 GB;
    returns an error or ""."""
    try:
        done = subprocess.run([rig.app, *words], env=rig.env, timeout=45,
                              capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode not in (0, 1, 2):
        return "status %d: %s" % (done.returncode, done.stderr[-80:])
    found = re.search("(AddressSanitizer|runtime error)[^\n]*", done.stderr)
    if found:
        return found.group(0)[:100]
    return ""
