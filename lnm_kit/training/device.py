"""The device to compute on: processor or GPU, its precision, one or several of them."""

import logging
import os
import re

import torch
from lightning_fabric import Fabric

from lnm_kit.errors import InputError


def open_fabric(device: str = "auto", n_devices: int = 1) -> Fabric:
    """Open Lightning Fabric on a device, in bfloat16 mixed precision where the hardware has it.

    Parameters
    ----------
    device
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, or one GPU by number, ``cuda:1``.
    n_devices
        GPUs (or, on ``cpu``, processes) that share a training by data parallelism. With more than
        one, call ``fabric.launch()`` first in a script. Under ``torchrun`` its command decides how
        many there are, on how many machines, and this is not looked at.

    Raises
    ------
    InputError
        An unknown device, a GPU where there is none, or more devices than there are.

    Examples
    --------
    >>> open_fabric("cpu").device
    device(type='cpu')
    """
    # torchrun says so in the environment of each process that it starts
    under_torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    n_devices = int(os.environ["LOCAL_WORLD_SIZE"]) if under_torchrun else n_devices
    n_machines = int(os.environ["GROUP_WORLD_SIZE"]) if under_torchrun else 1
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", device)
    if match is None:
        raise InputError(f"device is {device!r}; allowed: auto, cpu, cuda, cuda:0, cuda:1, ...")
    if n_devices < 1:
        raise InputError(f"n_devices is {n_devices}; allowed: 1 or more.")
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    wants_gpu = device.startswith("cuda") or (device == "auto" and n_gpus > 0)
    number = None if match[1] is None else int(match[1])
    if wants_gpu:
        _check_gpus(device, number, n_devices, n_gpus)
    devices = n_devices if number is None else [number]
    accelerator = "cuda" if wants_gpu else "cpu"
    return _quiet_fabric(accelerator, devices, n_machines, has_bfloat16(accelerator))


def has_bfloat16(accelerator: str) -> bool:
    """Whether bfloat16 is computed by the hardware of ``cpu`` or ``cuda`` (elsewhere it is slower).

    Examples
    --------
    >>> has_bfloat16("cpu") in (True, False)
    True
    """
    if accelerator == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))


def describe_device(fabric: Fabric) -> str:
    """Give device, number of processes and precision in words, for a run's record.

    Examples
    --------
    >>> describe_device(Fabric(accelerator="cpu", devices=1))
    'cpu, 32-true'
    """
    name = str(fabric.device)
    if fabric.device.type == "cuda":
        name += f" ({torch.cuda.get_device_name(fabric.device)})"
    if fabric.world_size > 1:
        name += f", {fabric.world_size} processes"
    return f"{name}, {fabric._precision.precision}"


def _check_gpus(device: str, number: int | None, n_devices: int, n_gpus: int) -> None:
    build = f"PyTorch {torch.__version__}, CUDA build {torch.version.cuda or 'none'}"
    if n_gpus == 0:
        raise InputError(
            f"device is {device!r}, but no usable GPU was found ({build}, 0 GPUs seen). "
            "Use device=auto or device=cpu, or check the driver with nvidia-smi."
        )
    seen = f"{n_gpus} GPU{'s' if n_gpus > 1 else ''} ({build})"
    if number is not None and (number >= n_gpus or n_devices > 1):
        raise InputError(
            f"device is {device!r} with n_devices={n_devices}, found {seen}; allowed: cuda:0 to "
            f"cuda:{n_gpus - 1} with n_devices=1, or device=cuda with up to {n_gpus} devices."
        )
    if n_devices > n_gpus:
        raise InputError(f"n_devices is {n_devices}, found {seen}; allowed: 1 to {n_gpus}.")


def _quiet_fabric(
    accelerator: str, devices: int | list[int], n_machines: int, bfloat16: bool
) -> Fabric:
    """Open Fabric without its line about mixed precision, which would stand on a book's page."""
    log = logging.getLogger("lightning_fabric")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        return Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=n_machines,
            precision="bf16-mixed" if bfloat16 else "32-true",
        )
    finally:
        log.setLevel(level)
