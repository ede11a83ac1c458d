import time

import pytest
import timm
import torch
from huggingface_hub.errors import HTTPError
from safetensors.torch import save_file

from lnm_kit.errors import InputError
from lnm_kit.networks import build_network, save_weights
from lnm_kit.networks import weights as module


def build(weights, in_channels=1, name="resnet10t", seed=0):
    return build_network(name, in_channels=in_channels, weights=str(weights), seed=seed)


def bare_timm_file(path):
    """A file as timm publishes it: three channels and a classifier of 1000 classes."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        state = timm.create_model("resnet10t", in_chans=3, num_classes=1000).state_dict()
    save_file(state, path)
    return state


def test_saved_network_comes_back_whole_with_its_normalization(tmp_path):
    network = build("none", seed=3)
    network.set_normalization(torch.tensor([0.3]), torch.tensor([0.2]))
    save_weights(network, tmp_path / "network.safetensors")
    back = build(tmp_path / "network.safetensors", seed=9).state_dict()
    assert all(torch.equal(value, back[key]) for key, value in network.state_dict().items())
    assert [path.name for path in tmp_path.iterdir()] == ["network.safetensors"]


def test_bare_timm_file_fills_the_backbone_and_sums_the_first_convolution(tmp_path):
    state = bare_timm_file(tmp_path / "model.safetensors")
    network = build(tmp_path / "model.safetensors")
    summed = state["conv1.0.weight"].sum(dim=1, keepdim=True)
    assert torch.allclose(network.backbone.state_dict()["conv1.0.weight"], summed)
    last = "layer4.0.conv1.weight"
    assert torch.equal(network.backbone.state_dict()[last], state[last])
    assert torch.equal(network.head.weight, build("none").head.weight)


def test_gray_images_repeated_in_three_channels_get_the_same_features(tmp_path):
    bare_timm_file(tmp_path / "model.safetensors")
    one = build(tmp_path / "model.safetensors", in_channels=1).eval()
    three = build(tmp_path / "model.safetensors", in_channels=3).eval()
    gray = torch.rand(2, 1, 64, 64)
    assert torch.allclose(one.embed(gray), three.embed(gray.repeat(1, 3, 1, 1)), atol=1e-4)


def test_weights_of_another_architecture_are_refused_with_the_tensors_that_differ(tmp_path):
    save_weights(build("none"), tmp_path / "small.safetensors")
    with pytest.raises(InputError, match=r"does not fit the network: .*missing.*Give weights of"):
        build(tmp_path / "small.safetensors", name="resnet18")


def test_weights_of_other_channels_are_refused(tmp_path):
    save_weights(build("none", in_channels=2), tmp_path / "two.safetensors")
    with pytest.raises(InputError, match=r"shape \(24, 2, 3, 3\), needed \(24, 1, 3, 3\)"):
        build(tmp_path / "two.safetensors")


def test_pickled_files_are_refused_unread(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "model.pth")
    with pytest.raises(InputError, match=r"not a safetensors file.*can run code"):
        build(tmp_path / "model.pth")


def test_missing_file_is_refused():
    with pytest.raises(InputError, match="weights is 'imagnet'; allowed: none, imagenet, or"):
        build("imagnet")


def unreachable(url, timeout):
    raise ConnectionError("Name or service not known")


def refused(url, timeout):
    raise HTTPError("connection refused")


def silent(url, timeout):
    time.sleep(30)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (unreachable, "Name or service not known"),
        (refused, "connection refused"),
        (silent, r"no answer within 0.05 s"),
    ],
)
def test_imagenet_without_network_fails_at_once_and_says_what_to_do(monkeypatch, answer, reason):
    monkeypatch.setattr(module, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(module, "get_hf_file_metadata", answer)
    monkeypatch.setattr(module, "ANSWER_WITHIN_SECONDS", 0.05)
    start = time.perf_counter()
    with pytest.raises(InputError, match=f"{reason}. What to do: .*weights=PATH.*weights=none"):
        build("imagenet")
    assert time.perf_counter() - start < 5


def test_imagenet_comes_from_the_local_cache_without_asking_the_network(monkeypatch, tmp_path):
    bare_timm_file(tmp_path / "model.safetensors")
    monkeypatch.setattr(
        module, "try_to_load_from_cache", lambda *_: str(tmp_path / "model.safetensors")
    )
    monkeypatch.setattr(module, "get_hf_file_metadata", unreachable)
    cached, file = build("imagenet"), build(tmp_path / "model.safetensors")
    assert torch.equal(cached.state_dict()["mean"], file.state_dict()["mean"])
    assert torch.equal(
        cached.backbone.state_dict()["layer4.0.conv1.weight"],
        file.backbone.state_dict()["layer4.0.conv1.weight"],
    )
