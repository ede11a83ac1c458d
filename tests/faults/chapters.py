"""The cells that faults are done to."""

REACHED = """
import os, pathlib, time
def reached(wait_for="go"):
    pathlib.Path("part").write_text(str(os.getpid()))
    pathlib.Path("part").rename("reached")
    while not pathlib.Path(wait_for).exists():
        time.sleep(0.05)
"""
WAIT = REACHED + "reached()"
SECOND_WAITS = REACHED + "if seed == 1:\n    reached()"
METRIC = """
from types import SimpleNamespace
from lnm_kit.runs.parameters import take_parameters
from lnm_kit.runs.recorder import Recorder
run = Recorder.open("llnm", take_parameters("llnm", globals()))
def record(value):
    run.metric("M", "test", "auc", SimpleNamespace(value=value, lo=0.0, hi=1.0, method="none"))
"""
LOOP_ON_CLUSTER = (
    METRIC
    + """
import joblib, pathlib
def slow(number):
    import time
    time.sleep(0.2)
    return number
loop = joblib.Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)
for number in loop(joblib.delayed(slow)(number) for number in range(500)):
    if number == 3:
        pathlib.Path("reached").write_text("the loop")
"""
)
# four epochs of a small network; after one of them it waits to be killed, where that is wanted
TRAINING = (
    REACHED
    + METRIC
    + """
import numpy as np, torch
from torch import nn
from lnm_kit.networks.backbones import ImageNetwork
from lnm_kit.training import ImageBank, TrainingSettings, open_fabric, predict
from lnm_kit.training.cached_module import fit_given_network
from lnm_kit.training import checkpoint
from lnm_kit.training.checkpoint import Checkpoint

checkpoint.EVERY_S = 0.0
epochs_here = []
write = Checkpoint.write
def write_and_wait(self, path):
    write(self, path)
    epochs_here.append(len(self.rows))
    stop = pathlib.Path("stop_after_epoch")
    if stop.exists() and len(self.rows) == int(stop.read_text()):
        reached()
Checkpoint.write = write_and_wait

images = np.random.default_rng(0).integers(0, 255, (28, 12, 12), dtype=np.uint8)
cases = [str(i) for i in range(28)]
bank = ImageBank.of(images, [0, 1] * 14, cases)
def small_network():
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return ImageNetwork(backbone, n_features=4, in_channels=1)
fabric = open_fabric("cpu")
"""
)
TRAIN = """
from lnm_kit.training import fit
network, undisturbed = small_network(), small_network()
settings = TrainingSettings(epochs=4, batch_size=8, learning_rate=0.05)
fit_given_network(network, bank, cases[:20], cases[20:], settings, fabric=fabric, seed=0)
record(float(predict(network, bank, cases, fabric=fabric).mean()))
pathlib.Path("epochs").write_text(" ".join(map(str, epochs_here)))
fit(undisturbed, bank, cases[:20], cases[20:], settings, fabric=fabric, seed=0)
expected = float(predict(undisturbed, bank, cases, fabric=fabric).mean())
pathlib.Path("undisturbed").write_text(repr(expected))
"""
TRAIN_AFTER_DAMAGE = """
settings = TrainingSettings(epochs=3, batch_size=8)
write_whole, cut = Checkpoint.write, []
def write_and_cut(self, path):
    write_whole(self, path)
    if len(self.rows) == 2 and not cut:
        cut.append(path)
        path.write_bytes(path.read_bytes()[:-300])
        raise RuntimeError("broken off")
Checkpoint.write = write_and_cut
for attempt in range(2):
    try:
        fit_given_network(
            small_network(), bank, cases[:20], cases[20:], settings, fabric=fabric, seed=0
        )
    except RuntimeError as error:
        print(error)
pathlib.Path("epochs").write_text(" ".join(map(str, epochs_here)))
"""
CACHED = (
    METRIC
    + """
import pathlib
import lnm_kit.errors
from lnm_kit.cache import cached
def compute(folder):
    (folder / "value").write_text("0.75" + " " * {bytes})
    pathlib.Path("computed").open("a").write("once ")
entry = cached("stage", compute, inputs=dict(seed=seed), code=[lnm_kit.errors])
record(float((entry / "value").read_text()))
"""
)
READS_COHORT = (
    WAIT
    + """
from lnm_kit.cohort import load_cohort
len(load_cohort(cohort).digest())
"""
)
SHOWS_COHORT = """
from IPython.display import Markdown, display
from lnm_kit.cohort import load_cohort
data = load_cohort(cohort)
display(Markdown(f"The cohort *{data.info.name}*"), data.cases.head(), data.cases.head().style)
print(data.info.name, list(data.cases))
"""
