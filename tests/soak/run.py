"""Mixed load on a server, with faults, for as long as you like: ``make soak``.

    python -m tests.soak.run --minutes 60 --visitors 12 --out build/soak.json

The server runs in a process of its own, with a cache of its own, and its uploads on a small file system
where mounting one is permitted. Every answer to an explanation is compared with the library's own. In turn,
a fault is injected: the disk fills up, processes of the server are killed, the cache of weights is corrupted
while the server is down, and fifty visitors come at once. What happens meanwhile may be an error; afterwards
nothing may.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from tests.app.server.running import START_SECONDS, Running, free_port, start, stop
from tests.soak.visitors import MODELS, BusyError, Given, Visitor, WrongError, inputs

DISK_MB = 400
CROWD = 50
SAID_EVERY = 60.0  # seconds
SETTLE_SECONDS = 5.0  # after a fault, until answers must be right again


@dataclass
class Found:
    """What happened.

    Attributes:
        seconds: of each thing that visitors did, by its name.
        outcomes: how they ended: done, busy, disturbed (while a fault lasted), or wrong.
        wrong: what was wrong, in words.
        answers: compared with the library's own.
        faults: how often each was survived, and the longest time until the server answered again.
        not_injected: which were not, and why.
        memory: megabytes that the server held, with the time in seconds.
        seconds_in_all: from the first visitor to the last.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    answers: int = 0
    faults: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    not_injected: dict[str, str] = field(default_factory=dict)
    memory: list[tuple[float, float]] = field(default_factory=list)
    seconds_in_all: float = 0.0


class Soak:
    """One run; see :func:`soak`."""

    def __init__(self, folder: Path, *, seed: int, say: Callable[[str], None]) -> None:
        self.folder, self.found, self.say = folder, Found(), say
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.fault_ended = 0.0  # the time, infinite while one lasts
        self.over = threading.Event()
        self.cache, self.uploads = folder / "cache", folder / "uploads"
        self.uploads.mkdir(parents=True)
        self.mounted = _mount(self.uploads)
        self.port = free_port()
        self.server = self._started()

    def _started(self) -> Running:
        arguments = [part for name in list(MODELS.values())[1:] for part in ("--model", name)]
        return start(
            self.folder, *arguments, "--max-upload-mb", "25", port=self.port, DAAM_CACHE_DIR=str(self.cache)
        )

    # Load

    def visit(self, visitor: Visitor, *, until: float) -> None:
        while time.monotonic() < until and not self.over.is_set():
            if not self.one(visitor, visitor.next()):
                time.sleep(0.5)  # people look at what went wrong; a closed port would be asked without end

    def one(self, visitor: Visitor, action: Callable[[], None]) -> bool:
        """One thing that a visitor does, and whether it went well."""
        began = time.monotonic()
        said = ""
        try:
            action()
            outcome = "done"
        except BusyError as error:
            outcome, said = "busy", str(error)
        except (WrongError, HTTPException, OSError, ValueError, KeyError, IndexError) as error:
            outcome, said = "wrong", f"{action.__name__}: {type(error).__name__}: {error}"
        ended = time.monotonic()
        # What went wrong while a fault lasted, or began before it was over, was disturbed by it.
        if outcome == "wrong" and began < self.fault_ended + SETTLE_SECONDS:
            outcome = "disturbed"
        if str(self.folder) in said and "event: " in said:
            outcome, said = "wrong", f"A path of the server in: {said}"
        with self.lock:
            self.found.outcomes[outcome] += 1
            if outcome == "done":
                self.found.seconds[action.__name__].append(ended - began)
            elif outcome == "wrong":
                self.found.wrong.append(said[:1000])
                self.say(f"WRONG: {said[:1000]}")
        return outcome == "done"

    # Faults

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        self.fault_ended = float("inf")
        began = time.monotonic()
        try:
            yield
            self._wait_until_it_answers()
        finally:
            self.fault_ended = time.monotonic()
        self.found.faults[name].append(self.fault_ended - began)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.server.ask("GET", "/healthz", timeout=5)[0] == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise WrongError(f"The server did not come back within {START_SECONDS} s.")

    def full_disk(self, _given: list[Given]) -> None:
        if not self.mounted:
            self.found.not_injected["full disk"] = "mounting a small file system is not permitted here"
            return
        ballast = self.uploads / "ballast"
        with self.fault("full disk"):
            with ballast.open("wb") as file:
                try:
                    while True:
                        file.write(b"\0" * 1_000_000)
                        file.flush()
                except OSError:
                    pass
            visitor = Visitor(self.port, 9_000, [])
            try:
                visitor.upload(Given("sound", b"x" * 1000, "a.wav", {}, ""))
            except BusyError as error:
                if "no room" not in str(error):
                    raise WrongError(f"full disk: {error}") from error
            else:
                raise WrongError("An upload was taken on a full disk.")
            time.sleep(2)
            ballast.unlink()

    def killed_worker(self, _given: list[Given]) -> None:
        """One process that the server started is killed; the server itself goes on."""
        children = _children(self.server.process.pid)
        if not children:
            self.found.not_injected["killed worker"] = "the server had no process of its own just then"
            return
        with self.fault("killed worker"):
            os.kill(self.chance.choice(children), signal.SIGKILL)

    def killed_server(self, _given: list[Given]) -> None:
        """Killed without a warning, and started again as a supervisor would."""
        with self.fault("killed server"):
            self._kill()
            self.server = self._started()

    def corrupt_cache(self, _given: list[Given]) -> None:
        """Converted weights are damaged while the server is down: they are made again."""
        with self.fault("corrupt cache"):
            self._kill()
            files = [
                path for path in self.cache.rglob("*") if path.is_file() and path.stat().st_size > 10_000
            ]
            if not files:
                raise WrongError("There is no cache to corrupt.")
            for path in files:
                with path.open("r+b") as file:
                    file.seek(path.stat().st_size // 2)
                    file.write(self.chance.randbytes(5_000))
            self.server = self._started()

    def stopped_and_started(self, _given: list[Given]) -> None:
        """Asked to stop in the middle of everything: it ends with status 0 within five seconds."""
        with self.fault("stopped and started"):
            began = time.monotonic()
            self.server.process.terminate()
            status = self.server.process.wait(timeout=20)
            if status != 0 or time.monotonic() - began > 5:
                raise WrongError(f"SIGTERM: status {status} after {time.monotonic() - began:.1f} s")
            self.server = self._started()

    def crowd(self, given: list[Given]) -> None:
        """Fifty browsers at once; each gets its own answer."""
        visitors = [Visitor(self.port, 1_000 + index, given) for index in range(CROWD)]
        began = time.monotonic()
        threads = [
            threading.Thread(target=self.one, args=(visitor, visitor.explains_in_a_browser))
            for visitor in visitors
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self.lock:
            self.found.answers += sum(visitor.answers for visitor in visitors)
        self.found.faults[f"{CROWD} browsers at once"].append(time.monotonic() - began)

    def _kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()

    # The whole

    def watch(self) -> None:
        """Note the server's memory, and say every minute how far things are."""
        began = said = time.monotonic()
        while not self.over.wait(2):
            now = time.monotonic()
            try:
                self.found.memory.append((now - began, self.server.memory() / 1e6))
            except (OSError, IndexError):  # it is being started
                continue
            if now - said >= SAID_EVERY:
                said = now
                outcomes = ", ".join(f"{count:,} {name}" for name, count in self.found.outcomes.most_common())
                faults = sum(map(len, self.found.faults.values()))
                held = self.found.memory[-1][1]
                self.say(f"{(now - began) / 60:.0f} min: {outcomes}; {faults} faults survived; {held:.0f} MB")

    def close(self) -> None:
        stop(self.server)
        if self.mounted:
            subprocess.run(["umount", self.uploads], check=False)


#: Faults in their order, methods of :class:`Soak`. A corrupted cache is found by a server that was killed.
FAULTS = ("full_disk", "killed_worker", "crowd", "killed_server", "corrupt_cache", "stopped_and_started")


def soak(
    folder: Path,
    *,
    seconds: float,
    visitors: int,
    faults: Sequence[str],
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> Found:
    """Load a server for some time, with a fault at equal distances; ``say`` hears what goes on."""
    given = inputs()
    run = Soak(folder, seed=seed, say=say)
    try:
        until = time.monotonic() + seconds
        people = [Visitor(run.port, index, given) for index in range(visitors)]
        threads = [threading.Thread(target=run.visit, args=(one,), kwargs={"until": until}) for one in people]
        watching = threading.Thread(target=run.watch)
        for thread in (*threads, watching):
            thread.start()
        pause = seconds / (len(faults) + 1)
        for index, fault in enumerate(faults, start=1):
            time.sleep(max(0.0, until - seconds + index * pause - time.monotonic()))
            try:
                getattr(run, fault)(given)
            except (WrongError, OSError, AssertionError, subprocess.TimeoutExpired) as error:
                run.found.wrong.append(f"{fault}: {error}"[:2000])
                run.over.set()  # there may be no server any more
                break
        for thread in threads:
            thread.join()
        run.over.set()
        watching.join()
        run.found.answers += sum(one.answers for one in people)
        log = run.server.log.read_text(errors="replace")
        if "Traceback" in log:
            place = log.index("Traceback")
            run.found.wrong.append(f"A defect in the log: {log[max(0, place - 300) : place + 3000]}")
        left = [path.name for path in run.uploads.glob("tmp*") if path.is_file()]
        if len(left) > 5:  # what the last visitors broke off may still be there
            run.found.wrong.append(f"Partial files stay: {left[:10]}")
    finally:
        run.over.set()
        run.close()
        run.found.seconds_in_all = time.monotonic() - until + seconds
    return run.found


def report(found: Found) -> str:
    """The figures in words."""
    total, seconds = sum(found.outcomes.values()), found.seconds_in_all
    lines = [
        f"{total:,} things done by visitors in {seconds / 60:.1f} minutes, {total / seconds:.1f} a second: "
        + ", ".join(f"{count:,} {name}" for name, count in found.outcomes.most_common()),
        f"{found.answers:,} answers compared with the library's own",
    ]
    for name, times in sorted(found.seconds.items()):
        ordered = sorted(times)
        middle, late = ordered[len(ordered) // 2], ordered[-1 - len(ordered) // 20]
        lines.append(f"  {name.replace('_', ' ')}: {len(times):,}, median {middle:.2f} s, 95 % {late:.2f} s")
    for name, times in found.faults.items():
        lines.append(f"survived {len(times)} × {name}, longest {max(times):.1f} s")
    lines += [f"not injected: {name} ({why})" for name, why in found.not_injected.items()]
    if found.memory:
        held = [megabytes for _, megabytes in found.memory]
        lines.append(
            f"memory of the server: first {held[0]:.0f} MB, most {max(held):.0f}, last {held[-1]:.0f}"
        )
    lines += [f"WRONG: {what}" for what in found.wrong[:20]]
    return "\n".join(lines)


def _mount(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--visitors", type=int, default=12)
    parser.add_argument("--faults", type=int, help="how often each (every ten minutes)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/soak.json"))
    options = parser.parse_args()
    faults = FAULTS * (options.faults or max(1, round(options.minutes / 10)))
    folder = Path(tempfile.mkdtemp(prefix="daam-soak-"))
    try:
        seconds = options.minutes * 60
        found = soak(
            folder,
            seconds=seconds,
            visitors=options.visitors,
            faults=faults,
            seed=options.seed,
            say=lambda line: print(line, flush=True),
        )
        print(report(found), flush=True)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"visitors": options.visitors, **vars(found)}))
        if found.wrong:
            shutil.copy(folder / "log.txt", options.out.with_suffix(".log"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
