"""Diverse-granularity fusion against the printed equations, written out number by number."""

import numpy as np
import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.networks.dgf import (
    FUSIONS,
    BasicFusion,
    DiverseGranularityFusion,
    build_fusion,
)

F, N = 6, 4


def features(n=N, seed=0, width=F):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, width, generator=generator), torch.randn(n, width, generator=generator)


def seeded(seed=0, **arguments):
    """A fusion whose weights are all random, also those that start as identity."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fusion = DiverseGranularityFusion(F, **arguments)
        for layer in fusion.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.reset_parameters()
    return fusion.double()


def softmax(scores):
    shares = [np.exp(value - max(scores)) for value in scores]
    return [share / sum(shares) for share in shares]


def times(vector, layer):
    """f x W with loops; torch keeps W transposed."""
    weight = layer.weight.detach().numpy()
    return [sum(vector[i] * weight[j, i] for i in range(len(vector))) for j in range(len(weight))]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def dimension_by_loops(module, us, ct):
    answer = []
    for f_us, f_ct in zip(us, ct, strict=True):
        q, v_us = times(f_us, module.query_us), times(f_us, module.value_us)
        k, v_ct = times(f_ct, module.key_ct), times(f_ct, module.value_ct)
        d = len(k)
        a = [softmax([q[i] * k[j] / np.sqrt(d) for j in range(d)]) for i in range(d)]
        refined_us = [v_us[i] + dot(a[i], v_us) for i in range(d)]
        refined_ct = [v_ct[j] + sum(a[i][j] * v_ct[i] for i in range(d)) for j in range(d)]
        answer.append(refined_us + refined_ct)
    return np.array(answer)


def attention_by_loops(tokens, module, others=None):
    """V + A V for some tokens that attend to each other, or each to itself and to others."""
    answer = []
    for place, token in enumerate(tokens):
        seen = tokens if others is None else [tokens[place], *others]
        q, own = times(token, module.query), times(token, module.value)
        keys = [times(other, module.key) for other in seen]
        values = [times(other, module.value) for other in seen]
        shares = softmax([dot(q, k) / np.sqrt(len(k)) for k in keys])
        mixed = [dot(shares, [v[i] for v in values]) for i in range(len(own))]
        answer.append([a + b for a, b in zip(own, mixed, strict=True)])
    return answer


def modality_by_loops(module, us, ct):
    return np.array(
        [
            np.concatenate(attention_by_loops([f_us, f_ct], module))
            for f_us, f_ct in zip(us, ct, strict=True)
        ]
    )


def nodule_by_loops(module, us, ct, reference=None):
    return np.array(attention_by_loops(np.hstack([us, ct]), module, reference))


@pytest.mark.parametrize("width", [None, 3])
def test_every_branch_and_their_product_are_the_printed_equations(width):
    fusion = seeded(width=width).train()
    us, ct = (part.double() for part in features())
    expected = {
        "dimension": dimension_by_loops(fusion.dimension, us.numpy(), ct.numpy()),
        "modality": modality_by_loops(fusion.modality, us.numpy(), ct.numpy()),
        "nodule": nodule_by_loops(fusion.nodule, us.numpy(), ct.numpy()),
    }
    for name, value in expected.items():
        answer = fusion.get_submodule(name)(us, ct).detach().numpy()
        np.testing.assert_allclose(answer, value, rtol=1e-10, err_msg=name)
    product = expected["dimension"] * expected["modality"] * expected["nodule"]
    np.testing.assert_allclose(fusion(us, ct).detach().numpy(), product, rtol=1e-10)
    assert fusion.n_out == product.shape[1] == 2 * (width or F)


def test_with_a_reference_nodules_attend_to_themselves_and_to_it():
    fusion = seeded(n_reference=5)
    us, ct = (part.double() for part in features())
    bank = features(5, seed=1)
    fusion.set_reference(*bank)
    answer = fusion.eval()(us, ct).detach().numpy()
    expected = (
        dimension_by_loops(fusion.dimension, us.numpy(), ct.numpy())
        * modality_by_loops(fusion.modality, us.numpy(), ct.numpy())
        * nodule_by_loops(fusion.nodule, us.numpy(), ct.numpy(), torch.cat(bank, 1).numpy())
    )
    np.testing.assert_allclose(answer, expected, rtol=1e-6)


def test_a_reference_of_the_batch_mates_gives_the_printed_answer():
    us, ct = features()
    module = seeded().nodule.float()
    printed = module(us, ct)[0]
    mates = torch.cat([us, ct], dim=1)[1:]
    torch.testing.assert_close(module(us[:1], ct[:1], mates)[0], printed, rtol=1e-5, atol=1e-6)


def test_as_printed_a_prediction_depends_on_the_batch_and_with_a_reference_it_does_not():
    us, ct = features(8)
    printed = seeded(evaluate_with="batch").float().eval()
    alone, together = printed(us[:2], ct[:2])[0], printed(us, ct)[0]
    assert (alone - together).abs().max() > 0.01 * together.abs().max()

    fixed = seeded(n_reference=3).float()
    fixed.set_reference(*features(3, seed=1))
    fixed.eval()
    together = fixed(us, ct)
    torch.testing.assert_close(fixed(us[:2], ct[:2]), together[:2])
    torch.testing.assert_close(fixed(us[:1], ct[:1]), together[:1])
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fixed(us[order], ct[order]), together[order])


def test_only_nodule_attention_mixes_the_batch():
    fusion = seeded().float()
    us, ct = features()
    for module, mixes in ((fusion.dimension, 0), (fusion.modality, 0), (fusion.nodule, 1)):
        moved = module(us, ct)[0] - module(us[:1], ct[:1])[0]
        assert bool(moved.abs().max() > 1e-3) == bool(mixes)


def test_the_order_of_the_reference_does_not_matter_and_its_content_does():
    us, ct = features()
    bank = features(5, seed=1)
    fusion = seeded(n_reference=5).float().eval()
    fusion.set_reference(*bank)
    before = fusion(us, ct)
    fusion.set_reference(*(part.flip(0) for part in bank))
    torch.testing.assert_close(fusion(us, ct), before)
    fusion.set_reference(*features(5, seed=2))
    assert (fusion(us, ct) - before).abs().max() > 1e-3


def test_evaluation_without_a_reference_is_refused_and_training_is_not():
    fusion = seeded(n_reference=3).float()
    us, ct = features()
    fusion.train()(us, ct)
    with pytest.raises(InputError, match="no reference nodules"):
        fusion.eval()(us, ct)
    with pytest.raises(InputError, match="has 4 and 4 nodules; needed: 3"):
        fusion.set_reference(us, ct)


def test_the_reference_is_saved_with_the_weights():
    us, ct = features()
    one, other = seeded(n_reference=3).float(), seeded(1, n_reference=3).float()
    one.set_reference(*features(3, seed=1))
    other.load_state_dict(one.state_dict())
    torch.testing.assert_close(one.eval()(us, ct), other.eval()(us, ct))


def test_gradients_reach_both_modalities_and_every_weight():
    fusion = seeded().float().train()
    us, ct = (part.requires_grad_() for part in features())
    fusion(us, ct).square().sum().backward()
    assert all(part.grad.abs().min() > 0 for part in (us, ct))
    assert all(weight.grad.abs().max() > 0 for weight in fusion.parameters())


def test_the_product_starts_close_to_the_features_of_both_modalities():
    # features as they leave an encoder, above 0
    us, ct = (part.abs() for part in features(64, width=64))
    fresh = DiverseGranularityFusion(64, evaluate_with="batch").eval()
    assert torch.equal(fresh.modality.value(ct), ct)
    torch.testing.assert_close(
        fresh.dimension.value_us(us), us.mean(dim=1, keepdim=True).expand_as(us)
    )
    mean = torch.cat([us, ct], dim=1).mean(dim=1, keepdim=True)
    torch.testing.assert_close(fresh.nodule.value(torch.cat([us, ct], dim=1))[:, :1], mean)
    usual = DiverseGranularityFusion(64, evaluate_with="batch").eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for layer in usual.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.reset_parameters()
    joined = torch.cat([us, ct], dim=1)
    follows = {}
    for name, fusion in (("fresh", fresh), ("usual", usual)):
        with torch.no_grad():
            fused = fusion(us, ct)
        pairs = zip(fused.T.numpy(), joined.T.numpy(), strict=True)
        follows[name] = np.mean([abs(np.corrcoef(a, b)[0, 1]) for a, b in pairs])
    assert follows["fresh"] > 0.7 > 2 * follows["usual"]


def test_basic_fusions():
    us, ct = features()
    assert torch.equal(BasicFusion("sum", n_features=F)(us, ct), us + ct)
    assert torch.equal(BasicFusion("product", n_features=F)(us, ct), us * ct)
    both = BasicFusion("concatenation", n_features=F)(us, ct)
    assert torch.equal(both[:, :F], us)
    assert torch.equal(both[:, F:], ct)


@pytest.mark.parametrize("name", FUSIONS)
def test_what_a_fusion_says_about_its_width_is_what_it_gives(name):
    fusion = build_fusion(name, n_features=F, seed=0)
    assert fusion.train()(*features()).shape == (N, fusion.n_out)


def test_the_seed_decides_and_the_global_generator_stays():
    state = torch.random.get_rng_state()
    networks = [build_fusion("diverse_granularity", n_features=F, seed=s) for s in (0, 0, 1)]
    weights = [network.nodule.query.weight for network in networks]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_bad_choices_are_refused():
    with pytest.raises(InputError, match="Did you mean 'product'"):
        build_fusion("produkt", n_features=F, seed=0)
    with pytest.raises(InputError, match="n_reference is 0"):
        DiverseGranularityFusion(F, n_reference=0)
    with pytest.raises(InputError, match="evaluate_with"):
        DiverseGranularityFusion(F, evaluate_with="mates")
