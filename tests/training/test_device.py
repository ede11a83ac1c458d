import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training import describe_device, open_fabric
from lnm_kit.training import device as module


def with_gpus(monkeypatch, number):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: number)


def test_auto_is_the_processor_where_there_is_no_gpu(monkeypatch):
    with_gpus(monkeypatch, 0)
    assert open_fabric("auto").device == torch.device("cpu")


@pytest.mark.parametrize(
    ("capability", "precision"),
    [("amx_bf16", "bf16-mixed"), ("avx512_bf16", "bf16-mixed"), ("avx2", "32-true")],
)
def test_bfloat16_is_used_only_where_the_processor_computes_it(monkeypatch, capability, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    assert describe_device(open_fabric("cpu")) == f"cpu, {precision}"


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_refused_with_what_was_found(monkeypatch, device):
    with_gpus(monkeypatch, 0)
    with pytest.raises(InputError, match=rf"device is '{device}'.*PyTorch .* 0 GPUs.*device=cpu"):
        open_fabric(device)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:-1", "CPU", "", "cuda:0 "])
def test_unknown_devices_are_refused(device):
    with pytest.raises(InputError, match="allowed: auto, cpu, cuda, cuda:0"):
        open_fabric(device)


@pytest.mark.parametrize(
    ("device", "n_devices", "message"),
    [
        ("cuda:2", 1, "found 2 GPUs.*allowed: cuda:0 to cuda:1"),
        ("cuda:1", 2, "with n_devices=2.*device=cuda with up to 2"),
        ("cuda", 3, "n_devices is 3, found 2 GPUs"),
        ("auto", 3, "n_devices is 3, found 2 GPUs"),
        ("cpu", 0, "n_devices is 0; allowed: 1 or more"),
    ],
)
def test_more_devices_than_there_are_are_refused(monkeypatch, device, n_devices, message):
    with_gpus(monkeypatch, 2)
    with pytest.raises(InputError, match=message):
        open_fabric(device, n_devices)


@pytest.mark.parametrize(
    ("device", "n_devices", "opened"),
    [("auto", 1, ("cuda", 1)), ("cuda", 2, ("cuda", 2)), ("cuda:1", 1, ("cuda", [1]))],
)
def test_gpus_are_handed_to_fabric(monkeypatch, device, n_devices, opened):
    with_gpus(monkeypatch, 2)
    monkeypatch.setattr(module, "has_bfloat16", lambda accelerator: accelerator == "cuda")
    monkeypatch.setattr(module, "_quiet_fabric", lambda *arguments: arguments)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert open_fabric(device, n_devices) == (*opened, 1, True)


def test_torchrun_decides_how_many_processes_and_machines_there_are(monkeypatch):
    with_gpus(monkeypatch, 2)
    monkeypatch.setattr(module, "has_bfloat16", lambda accelerator: True)
    monkeypatch.setattr(module, "_quiet_fabric", lambda *arguments: arguments)
    started = {"TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "2", "GROUP_WORLD_SIZE": "3"}
    for name, value in started.items():
        monkeypatch.setenv(name, value)
    assert open_fabric("cuda") == ("cuda", 2, 3, True)
    with pytest.raises(InputError, match="with n_devices=2"):
        open_fabric("cuda:1")
