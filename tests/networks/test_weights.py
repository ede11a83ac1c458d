import hashlib
import io
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from huggingface_hub.errors import HTTPError
from safetensors.torch import save_file

from lnm_kit.errors import InputError
from lnm_kit.networks import NETWORKS, build_network, save_weights
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


def put_alexnet(folder, state):
    """Pickle a state as torchvision's cache would hold it; its path."""
    torch.save(state, folder / "alexnet.pth")
    digest = hashlib.sha256((folder / "alexnet.pth").read_bytes()).hexdigest()[:8]
    pickled = folder / "checkpoints" / f"alexnet-owt-{digest}.pth"
    pickled.parent.mkdir()
    return (folder / "alexnet.pth").rename(pickled)


@pytest.fixture
def cached_alexnet(monkeypatch, tmp_path):
    """Put a state into a cache of torchvision that knows no other; without network."""

    def put(state):
        pickled = put_alexnet(tmp_path, state)
        known = SimpleNamespace(url=f"https://example.org/models/{pickled.name}")
        monkeypatch.setattr(module, "AlexNet_Weights", SimpleNamespace(IMAGENET1K_V1=known))
        monkeypatch.setattr(module, "urlopen", no_network)
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        return pickled

    return put


ONE_TENSOR = {"features.0.bias": torch.arange(64.0)}


def no_network(request, timeout):
    raise URLError("Name or service not known")


def test_alexnet_comes_from_the_cache_of_torchvision_without_asking_the_network(cached_alexnet):
    state = torchvision.models.alexnet(weights=None).state_dict()
    pickled = cached_alexnet(state)
    own = build("imagenet", name="alexnet").backbone.state_dict()
    summed = state["features.0.weight"].sum(dim=1, keepdim=True)
    assert torch.allclose(own["features.0.weight"], summed)
    assert torch.equal(own["classifier.4.weight"], state["classifier.4.weight"])
    assert set(own) == {key for key in state if not key.startswith("classifier.6.")}
    # the second time it is read from the file beside it
    pickled.unlink()
    assert module.find_imagenet_weights("alexnet") == pickled.with_suffix(".safetensors")


def test_a_broken_download_of_alexnet_is_named_and_nothing_is_written(cached_alexnet):
    pickled = cached_alexnet(ONE_TENSOR)
    pickled.write_bytes(pickled.read_bytes()[:100])
    with pytest.raises(InputError, match=r"is broken: its SHA-256.*Delete the file"):
        module.find_imagenet_weights("alexnet")
    assert list(pickled.parent.iterdir()) == [pickled]


def test_alexnet_without_network_fails_at_once_and_says_what_to_do(cached_alexnet):
    cached_alexnet(ONE_TENSOR).unlink()
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"not known.*What to do: .*put it into.*weights=none"):
        build("imagenet", name="alexnet")
    assert time.perf_counter() - start < 5


def test_alexnet_is_downloaded_with_its_digest_checked(monkeypatch, cached_alexnet):
    pickled = cached_alexnet(ONE_TENSOR)
    content = pickled.read_bytes()
    pickled.unlink()

    def download(url, target, hash_prefix):
        assert url.endswith(pickled.name)
        assert hashlib.sha256(content).hexdigest()[:8] == hash_prefix
        Path(target).write_bytes(content)

    monkeypatch.setattr(module, "urlopen", lambda request, timeout: io.BytesIO())
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    path = module.find_imagenet_weights("alexnet")
    assert path == pickled.with_suffix(".safetensors")
    assert torch.equal(module.load_file(path)["features.0.bias"], ONE_TENSOR["features.0.bias"])


def test_tensors_of_torchvision_vgg_fit_that_of_timm():
    with torch.device("meta"):  # names and shapes only
        found = torchvision.models.vgg11(weights=None).state_dict()
        needed = timm.create_model("vgg11").state_dict()
    renamed = dict(module._as_timm_vgg(key, value) for key, value in found.items())
    shapes = {key: tuple(value.shape) for key, value in renamed.items() if "head" not in key}
    assert shapes == {k: tuple(v.shape) for k, v in needed.items() if "head" not in k}


def test_linear_layers_of_torchvision_vgg_are_the_convolutions_of_timm():
    linear = torch.nn.Linear(3 * 49, 5)
    _, kernel = module._as_timm_vgg("classifier.0.weight", linear.weight)
    maps = torch.rand(2, 3, 7, 7)
    convolved = torch.nn.functional.conv2d(maps, kernel, linear.bias)[:, :, 0, 0]
    assert torch.allclose(convolved, linear(maps.flatten(1)), atol=1e-5)


def test_the_second_classifier_of_inception_is_left_out(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = timm.create_model("inception_v3", aux_logits=True)
    state = model.state_dict()
    assert any(key.startswith("AuxLogits.") for key in state)
    save_file(state, tmp_path / "inception.safetensors")
    own = build(tmp_path / "inception.safetensors", name="inception_v3").backbone.state_dict()
    last = "Mixed_7c.branch_pool.conv.weight"
    assert torch.equal(own[last], state[last])


def test_every_network_but_tresnet_has_imagenet_weights(monkeypatch):
    monkeypatch.setattr(module, "try_to_load_from_cache", lambda repository, _: repository)
    for name in NETWORKS:
        if name not in ("alexnet", "tresnet"):
            assert str(module.find_imagenet_weights(name)).startswith(f"timm/{name}.")
