"""rig.py - shared by all tortures: vkcb in its own folder, senders that repeat
an event until the answer is ok, and a judge of the book that
tests/handlers/task.c keeps."""
import collections
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

DRAINED = '"waiting":0,"retrying":0,"running":0,'
Tally = collections.namedtuple(
    "Tally", "tried acknowledged lost again disorder notes")


def record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name, value):
    return bytes([len(name), len(value)]) + name + value


class Rig:
    """One configuration, one inbox, one book."""

    def __init__(self, name, app, seed, lines=(), size=None):
        self.rng = random.Random(seed)
        self.work = tempfile.mkdtemp(prefix="vkcb-torture-%s." % name)
        os.chmod(self.work, 0o755)
        self.run = self.work + "/run"
        os.mkdir(self.run)
        self.mounted = size is not None and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=" + size, "none", self.run],
            stderr=subprocess.DEVNULL).returncode == 0
        os.chmod(self.run, 0o755)   # root uses no folder of everybody's
        self.app = self.work + "/vkcb"
        self.sanitized = "/sanitized/" in app
        shutil.copy(app, self.app)
        self.inbox = self.run + "/inbox"
        self.book = self.work + "/book"
        self.log = self.work + "/log"
        keys = {"log": self.log, "log_level": "warning", "inbox": self.inbox,
                "workers": "4", "backoff": "30ms", "attempts": "1000"}
        keys.update(line.split(" = ") for line in lines)
        with open(self.work + "/vkcb.conf", "w") as conf:
            conf.write("[vkcb]\n%s\n[group 1]\nsecret = s3\n" % "\n".join(
                " = ".join(pair) for pair in keys.items()))
        said = "log_path=%s/sanitizer:" % self.work
        self.env = dict(
            os.environ, VKCB_CONF=self.work + "/vkcb.conf",
            UBSAN_OPTIONS=said + "print_stacktrace=1",
            ASAN_OPTIONS=said + "verify_asan_link_order=0:detect_leaks=0")
        self.lock = threading.Lock()
        self.tried = 0
        self.taken = {}
        self.seen = self.ends = 0       # in the book
        self.answers = collections.Counter()
        self.dead = set()
        self.responders = []
        self.listener = None

    # Requests.

    def body(self, peer, seq, rng, pad=(0,)):
        do = dict(book=self.book, peer_id=peer, seq=seq, until=2,
                  do=rng.choice(["ok"] * 5 + ["fail"]), ms=rng.randrange(4),
                  pad="x" * rng.choice(pad))
        return json.dumps(dict(
            type="test_task", group_id=1, event_id="%d-%d" % (peer, seq),
            v="5.199", secret="s3", object=do)).encode()

    def listen(self, n, env=None):
        """n responders on one socket; keep() restarts dead ones."""
        if os.path.exists(self.work + "/socket"):
            os.unlink(self.work + "/socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.work + "/socket")
        self.listener.listen(512)
        self.responder_env = env or self.env
        self.responders = [None] * n
        self.keep()

    def keep(self):
        for i, process in enumerate(self.responders):
            if process is None or process.poll() is not None:
                with open(self.work + "/stderr", "a") as err:
                    self.responders[i] = subprocess.Popen(
                        [self.app], stdin=self.listener.fileno(),
                        env=self.responder_env, stderr=err)

    def answer(self, reply, start):
        status = reply[start:start + 3].decode(errors="replace") or "none"
        with self.lock:
            self.answers[status] += 1
        return status == "200" and reply.endswith(b"\r\n\r\nok")

    def post_fastcgi(self, body):
        request = (record(1, b"\0\1\0\0\0\0\0\0") + record(
            4, pair(b"REQUEST_METHOD", b"POST") +
            pair(b"CONTENT_LENGTH", str(len(body)).encode())) +
            record(4, b"") + record(5, body) + record(5, b""))
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(12)
                s.connect(self.work + "/socket")
                s.sendall(request)
                reply = b"".join(iter(lambda: s.recv(4096), b""))
        except OSError as error:
            with self.lock:
                self.answers[type(error).__name__] += 1
            return False
        end = reply.find(b"Status: ")
        text = reply[end:end + 12] + b"\r\n\r\nok" \
            if b"\r\n\r\nok" in reply else reply[end:end + 12]
        return self.answer(text, 8)

    def post_cgi(self, body):
        try:
            reply = subprocess.run(
                [self.app], input=body, capture_output=True, timeout=30,
                env=dict(self.env, GATEWAY_INTERFACE="CGI/1.1",
                         REQUEST_METHOD="POST",
                         CONTENT_LENGTH=str(len(body)))).stdout
        except subprocess.TimeoutExpired:
            reply = b""
        return self.answer(reply, 8)

    def converse(self, post, stop, peers=8, pad=(0,), grace=60, ready=None):
        """A thread for each peer sends its events one after the other."""
        def one(peer):
            rng = random.Random(peer)
            seq = 0
            while time.time() < stop:
                if self.is_behind():    # only an event starts a pool
                    time.sleep(.3)
                seq += 1
                body = self.body(peer, seq, rng, pad)
                while time.time() < stop + grace:
                    with self.lock:
                        self.tried += 1
                    if post(body):
                        with self.lock:
                            self.taken[(peer, seq)] = True
                        if ready:
                            ready("%d-%d" % (peer, seq))
                        break
                    time.sleep(.03)
        threads = [threading.Thread(target=one, args=(peer,))
                   for peer in range(1, peers + 1)]
        for thread in threads:
            thread.start()
        return threads

    def is_behind(self):
        """Workers have much to do: what is sent now is handled too late."""
        with self.lock:
            if os.path.exists(self.book):
                with open(self.book, "rb") as book:
                    book.seek(self.seen)
                    more = book.read()
                self.seen += len(more)
                self.ends += more.count(b"end ")
            return len(self.taken) - self.ends > 5000

    # Processes.

    def victims(self):
        found = []
        mine = (self.app, self.app + " (deleted)")
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and \
                        os.readlink("/proc/%s/exe" % name) in mine:
                    found.append(int(name))
            except OSError:
                pass
        return found

    def kill(self, pid, number=signal.SIGKILL):
        try:
            os.kill(pid, number)
        except OSError:
            return
        if number == signal.SIGKILL:
            self.dead.add(pid)

    def status(self):
        return subprocess.run([self.app, "status", "--json"], env=self.env,
                              capture_output=True, text=True).stdout

    def drain(self, seconds=120):
        until = time.time() + seconds
        while time.time() < until:
            try:
                subprocess.run([self.app, "work", "--once"], env=self.env,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=seconds)
            except subprocess.TimeoutExpired:
                return False
            if DRAINED in self.status():
                return True
            time.sleep(.2)
        return False

    def close(self):
        for process in self.responders:
            process.terminate()
        for process in self.responders:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
        for pid in self.victims():
            self.kill(pid, signal.SIGTERM)
        until = time.time() + 20
        while self.victims() and time.time() < until:
            time.sleep(.1)
        for pid in self.victims():
            self.kill(pid)
        if self.mounted:
            time.sleep(.3)
            subprocess.run(["umount", "-l", self.run])

    # Judgement.

    def judge(self, notes=()):
        """Compares the book with acknowledged events and killed processes."""
        begun, last, lines = {}, {}, []
        ended = collections.Counter()
        runs = collections.defaultdict(list)
        disorder = 0
        if os.path.exists(self.book):
            with open(self.book) as book:
                lines = [line.split() for line in book]
        for at, (what, peer, seq, _, pid, parent) in enumerate(lines):
            event = (int(peer), int(seq))
            last[pid] = event
            if what == "end":
                ended[event] += 1
            elif what == "begin":
                before = begun.get(event[0], 0)
                if event[1] < before or (event[1] > before and before and
                                         not ended[(event[0], before)]):
                    disorder += 1
                begun[event[0]] = event[1]
                runs[event].append((pid, parent, at))
        lost = [event for event in self.taken if not ended[event]]
        again = sum(1 for n in ended.values() if n > 1)
        notes = list(notes)
        for event, n in ended.items():
            if n > 1 and not any(
                    int(pid) in self.dead or int(parent) in self.dead
                    for pid, parent, _ in runs[event][:-1]):
                notes.append("twice, and nobody was killed: %d-%d" % event)
        if lost:
            notes.append("lost: " + " ".join("%d-%d" % e for e in lost[:5]))
        return Tally(self.tried, len(self.taken), len(lost), again, disorder,
                     notes)

    def findings(self):
        """Of the sanitizers, in all processes."""
        found = []
        for name in os.listdir(self.work):
            if name.startswith("sanitizer."):
                with open(self.work + "/" + name, errors="replace") as file:
                    found += re.findall("(?:AddressSanitizer|runtime error)"
                                        "[^\n]{0,80}", file.read())[:1]
        return found[:3]

    def is_sound(self):
        """SQLite's verdict on the file; "" is fine."""
        said = subprocess.run(
            ["sqlite3", self.inbox, "PRAGMA integrity_check"],
            capture_output=True, text=True)
        text = (said.stdout + said.stderr).strip()
        return "" if text == "ok" else "the file is damaged: " + text[:80]

    def forget(self):
        shutil.rmtree(self.work, ignore_errors=True)


def wait_for(threads):
    for thread in threads:
        thread.join()
