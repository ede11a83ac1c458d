"""Each fault: what is done to a run, and the outcome, exit code and words that must come of it."""

import json
import os
import shutil
import signal
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import psutil

from tests.faults import chapters
from tests.faults.cohort import write_noise_cohort
from tests.faults.dask_cluster import dask_cluster
from tests.faults.place import Place, Seen, is_gone, wait

RUN = ("run", "llnm", "-p", "profile=smoke")
SCRIPT = "<script>alert(1)</script>"
HOSTILE_NAME = "a b='\"\\; $(touch ran) {{x}} ü\n\timport os"
HOSTILE_VALUES = (
    (
        "seed=__import__('os').system('touch ran')",
        "network=resnet18'; import os; '",
        f"device={SCRIPT}",
        "profile=smökë",
        "epochs=3\nimport os",
        "__class__=1",
    ),
    ("seed=x", "cohort=../no=where\n"),
    ("cohort=../nowhere\n",),
    ("seed=x", "=", "a b=1"),
)


@dataclass(frozen=True)
class Fault:
    """What is done, and what must come of it; `says` are words of the message."""

    name: str
    act: Callable[[Place], Seen]
    outcome: str | None
    code: int
    says: str


def kill_kernel(number: int) -> Callable[[Place], Seen]:
    def act(place: Place) -> Seen:
        place.write_chapter(chapters.WAIT)
        process = place.start(*RUN)
        os.kill(int(place.wait_for("reached")), number)
        return place.end(process)

    return act


def kill_runner(number: int) -> Callable[[Place], Seen]:
    def act(place: Place) -> Seen:
        place.write_chapter(chapters.WAIT)
        process = place.start(*RUN)
        kernel = int(place.wait_for("reached"))
        process.send_signal(number)
        seen = place.end(process)
        wait(lambda: is_gone(kernel), "the end of the kernel")
        return seen

    return act


def kill_in_training(place: Place) -> Seen:
    """Kill the kernel after epoch 2 of 4, then the runner after epoch 3; epoch 4 is then left."""
    place.write_chapter(chapters.TRAINING, chapters.TRAIN)
    stop, mark = place.folder / "stop_after_epoch", place.folder / "reached"
    seen = []
    for epoch in (2, 3):
        stop.write_text(str(epoch))
        process = place.start(*RUN)
        kernel = int(place.wait_for("reached"))
        os.kill(kernel if epoch == 2 else process.pid, signal.SIGKILL)
        seen.append(place.end(process))
        wait(lambda pid=kernel: is_gone(pid), "the end of the kernel")
        mark.unlink()
    expect((seen[1].outcome, seen[1].code) == ("interrupted", -9), seen[1])
    stop.unlink()
    last = place.lnm(*RUN)
    expect(last.outcome == "ok" and last.code == 0, last)
    expect((place.folder / "epochs").read_text() == "4", "epochs were trained twice")
    (row,) = json.loads((place.run_folders()[-1] / "metrics.json").read_text())
    undisturbed = (place.folder / "undisturbed").read_text()
    expect(repr(row["value"]) == undisturbed, f"{row} instead of {undisturbed}")
    return seen[0]


def out_of_memory(place: Place) -> Seen:
    place.write_chapter(
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 * 10**9, 4 * 10**9))\n"
        "bytearray(10**10)"
    )
    return place.lnm(*RUN)


def endless_cell(place: Place) -> Seen:
    place.write_chapter("while True:\n    pass")
    return place.lnm(*RUN, "--timeout", "3")


def full_disk_for_results(place: Place) -> Seen:
    place.write_chapter("print('x' * 3_000_000)")
    return place.lnm_in_small("runs", "size=1m", *RUN)


def full_disk_for_cache(place: Place) -> Seen:
    place.write_chapter(chapters.CACHED.replace("{bytes}", "3_000_000"))
    seen = place.lnm_in_small("cache", "size=1m", *RUN)
    left = list((place.folder / "kept").rglob("value"))
    expect(not left, f"half-written results stay in the cache: {left}")
    return Seen(place.records()[0]["outcome"], seen.code, seen.said)


def read_only_runs(place: Place) -> Seen:
    place.write_chapter("print(1)")
    return place.lnm_in_small("runs", "ro", *RUN)


def truncated_cache(place: Place) -> Seen:
    place.write_chapter(chapters.CACHED.replace("{bytes}", "10"))
    expect(place.lnm(*RUN).outcome == "ok", "the first run")
    (value,) = place.folder.glob("cache/stage/*/value")
    value.write_text("0.7")
    seen = place.lnm(*RUN, "--force")
    expect((place.folder / "computed").read_text() == "once once ", "it was not computed again")
    expect("is damaged" in place.newest_notebook(), "no warning")
    both = {(folder / "metrics.json").read_bytes() for folder in place.run_folders()}
    expect(len(both) == 1, "other metrics than before")
    return seen


def truncated_checkpoint(place: Place) -> Seen:
    place.write_chapter(chapters.TRAINING, chapters.TRAIN_AFTER_DAMAGE)
    seen = place.lnm(*RUN)
    expect("trained from the start" in place.newest_notebook(), "no warning")
    epochs = (place.folder / "epochs").read_text()
    expect(epochs == "1 2 1 2 3", f"{epochs} were trained")
    return seen


def spoiled_run(place: Place) -> Seen:
    """A good run of before with a file cut short is not taken for one."""
    place.write_chapter(chapters.METRIC + "record(0.5)")
    expect("done." in place.lnm(*RUN).said, "the first run")
    expect("found a finished run" in place.lnm(*RUN).said, "it is not found")
    for number, name in enumerate(("run.json", "metrics.json"), start=1):
        path = place.run_folders()[-1] / name
        path.write_bytes(path.read_bytes()[:-20])
        listed = place.lnm("runs", "list")
        expect(listed.code == 0 and "Traceback" not in listed.said, listed)
        seen = place.lnm(*RUN)
        expect(len(place.run_folders()) == number + 1, "it was not run again")
    return seen


def two_at_once(place: Place) -> Seen:
    place.write_chapter(chapters.CACHED.replace("{bytes}", "10"))
    processes = [place.start(*RUN) for _ in range(2)]
    seen = [place.end(process) for process in processes]
    expect([each["outcome"] for each in place.records()] == ["ok", "ok"], place.records())
    expect([each.code for each in seen] == [0, 0], seen)
    folders = place.run_folders()
    expect(len({(folder / "metrics.json").read_bytes() for folder in folders}) == 1, folders)
    expect(len(folders) == 2, folders)
    return seen[1]


def cohort_during_run(change: Callable[[Path], None], cell: str) -> Callable[[Place], Seen]:
    def act(place: Place) -> Seen:
        place.write_chapter(cell)
        write_noise_cohort(place.folder / "mine")
        process = place.start(*RUN, "-p", "cohort=mine")
        place.wait_for("reached")
        change(place.folder / "mine")
        place.touch("go")
        return place.end(process)

    return act


def change_image(cohort: Path) -> None:
    shutil.copy(cohort / "0.png", cohort / "1.png")


def hostile_parameters(place: Place) -> Seen:
    place.write_chapter("print(1)")
    commands = [[word for value in values for word in ("-p", value)] for values in HOSTILE_VALUES]
    seen = [place.lnm("run", "llnm", *words) for words in commands]
    wrong = [each for each in seen if each.code != 2 or "Traceback" in each.said]
    expect(not wrong, wrong)
    expect(not (place.folder / "ran").exists(), "code in a parameter was run")
    return seen[0]


def hostile_folder_name(place: Place) -> Seen:
    place.write_chapter("print(ascii(cohort))")
    write_noise_cohort(place.folder / HOSTILE_NAME)
    seen = place.lnm(*RUN, "-p", f"cohort={HOSTILE_NAME}")
    (folder,) = place.run_folders()
    recorded = tomllib.loads((folder / "params.toml").read_text())["cohort"]
    expect(recorded == HOSTILE_NAME, recorded)
    expect(not (place.folder / "ran").exists(), "code in a parameter was run")
    return seen


def hostile_cohort(place: Place) -> Seen:
    place.write_chapter(chapters.SHOWS_COHORT)
    write_noise_cohort(
        place.folder / "mine",
        column=SCRIPT,
        value='<img src="x" onerror="alert(2)">',
        name=f'{SCRIPT} <a href="javascript:alert(3)">x</a>',
    )
    seen = place.lnm(*RUN, "-p", "cohort=mine")
    page = (place.run_folders()[0] / "notebook.html").read_text()
    reader = PageReader()
    reader.feed(page)
    expect(not reader.active, reader.active)
    for text in (SCRIPT, "onerror=", "javascript:alert(3)"):
        expect(text in "".join(reader.texts), f"{text} is not shown")
    return seen


class PageReader(HTMLParser):
    """What a browser would show, and what it would run of the hostile cohort."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.active: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        if "alert(" in str(attrs):
            self.active.append(f"{tag} {attrs}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.startswith("alert("):
            self.active.append(data)
        if not self._in_script:
            self.texts.append(data)


def sweep_member_killed(place: Place) -> Seen:
    place.write_chapter(
        "import os, time\nif seed == 1:\n    os.kill(os.getppid(), 9)\n    time.sleep(60)"
    )
    seen = place.lnm("sweep", "llnm", "-p", "seed=0:3")
    expect(sorted(each["outcome"] for each in place.records()) == ["interrupted", "ok", "ok"], seen)
    return Seen("interrupted", seen.code, seen.said)


def cluster_killed(what: str) -> Callable[[Place], Seen]:
    """Kill the worker whose member has come to its last cell, or the scheduler it belongs to."""

    def act(place: Place) -> Seen:
        place.write_chapter(chapters.METRIC, chapters.SECOND_WAITS, "record(0.5 + seed / 10)")
        with dask_cluster(place.folder / "dask", environment=place.environment) as cluster:
            words = ("sweep", "llnm", "-p", "profile=smoke", "-p", "seed=0:2")
            process = place.start(*words, "--scheduler", cluster.address)
            member = psutil.Process(int(place.wait_for("reached"))).parent()
            wait(lambda: "ok" in outcomes(place), "the end of the other member")
            if what == "scheduler":
                cluster.scheduler.kill()
            else:
                cluster.kill_worker(member.ppid())
                # what goes on from here must be the second attempt, not the orphan
                wait(lambda: is_gone(member.pid), "the end of the lost member")
                place.touch("go")
            seen = place.end(process)
        wait(lambda: is_gone(member.pid), "the end of the member")
        expect("Traceback" not in seen.said, seen)
        kept = ["interrupted", "ok"] if what == "scheduler" else ["interrupted", "ok", "ok"]
        expect(outcomes(place) == kept, place.records())
        (table,) = place.folder.glob("runs/llnm/sweeps/*/results.csv")
        expect(f",{kept.count('ok')}," in table.read_text(), table.read_text())
        return Seen("interrupted" if what == "scheduler" else "ok", seen.code, seen.said)

    return act


def cluster_of_a_loop_killed(place: Place) -> Seen:
    place.write_chapter(chapters.LOOP_ON_CLUSTER)
    # with one worker joblib would not leave this process
    with dask_cluster(place.folder / "dask", environment=place.environment) as cluster:
        process = place.start(*RUN, "--scheduler", cluster.address)
        place.wait_for("reached")
        cluster.scheduler.kill()
        return place.end(process)


def outcomes(place: Place) -> list[str]:
    return sorted(each["outcome"] for each in place.records())


def expect(holds: bool, found: object) -> None:
    """Stop with what was found where something does not hold."""
    if not holds:
        raise AssertionError(str(found))


KILLED = "the kernel was killed from outside"
FAULTS = [
    Fault("SIGTERM of the kernel", kill_kernel(signal.SIGTERM), "kernel-died", 1, KILLED),
    Fault(
        "SIGKILL of the kernel, then of the runner, in training; the last epoch is left to train",
        kill_in_training,
        "kernel-died",
        1,
        "run it again",
    ),
    Fault("SIGKILL of the runner", kill_runner(signal.SIGKILL), "interrupted", -9, ""),
    Fault("SIGTERM of the runner", kill_runner(signal.SIGTERM), "interrupted", 130, "stopped"),
    Fault("Ctrl-C", kill_runner(signal.SIGINT), "interrupted", 130, "stopped by the user"),
    Fault("memory runs out in a cell", out_of_memory, "error", 1, "take a smaller cohort"),
    Fault("a cell that never ends", endless_cell, "timeout", 1, "time given to the run was over"),
    Fault("full disk: results", full_disk_for_results, "error", 2, "no space left on the disk"),
    Fault("full disk: cache", full_disk_for_cache, "error", 2, "no space left on the disk"),
    Fault("run folder is read-only", read_only_runs, None, 2, "cannot be written"),
    Fault("cache entry cut short", truncated_cache, "ok", 0, "done."),
    Fault("checkpoint cut short", truncated_checkpoint, "ok", 0, "done."),
    Fault("run.json, metrics.json of earlier runs cut short", spoiled_run, "ok", 0, "done."),
    Fault("two runs of the same parameters at once", two_at_once, "ok", 0, "done."),
    Fault(
        "cohort removed during a run",
        cohort_during_run(shutil.rmtree, chapters.READS_COHORT),
        "error",
        2,
        "cohort.toml",
    ),
    Fault(
        "cohort changed during a run",
        cohort_during_run(change_image, chapters.READS_COHORT),
        "error",
        2,
        "was changed while the run read it",
    ),
    Fault("parameters with code, quotes, ../", hostile_parameters, None, 2, "seed is"),
    Fault("cohort folder with quotes, newline, code", hostile_folder_name, "ok", 0, "done."),
    Fault("cohort.toml and column with <script>", hostile_cohort, "ok", 0, "done."),
    Fault("runner of one run of a sweep killed", sweep_member_killed, "interrupted", 1, "1 failed"),
    Fault(
        "Dask scheduler killed in a loop of a run",
        cluster_of_a_loop_killed,
        "error",
        1,
        "the Dask cluster was lost while",
    ),
    Fault("Dask worker killed in a sweep", cluster_killed("worker"), "ok", 0, "(attempt 2)"),
    Fault(
        "Dask scheduler killed in a sweep",
        cluster_killed("scheduler"),
        "interrupted",
        1,
        "1 of 2 runs are finished and kept; what was at work was ended and is kept too. Start",
    ),
]
