import numpy as np
import pytest
from scipy.integrate import quad

from lnm_kit.errors import InputError
from lnm_kit.simulate.perfusion import Bolus, Perfusion, describe_perfusion

BOLUS = Bolus(arrival_s=10.0, rise_s=7.0, peak_db=-3.0, alpha=1.3)


def test_nothing_comes_before_the_arrival():
    assert (BOLUS.intensity(np.linspace(0, 10, 50)) == 0).all()
    assert BOLUS.intensity(10.5) > 0


def test_the_curve_peaks_at_its_peak_time_with_its_peak():
    time = np.linspace(0, 80, 8001)
    curve = BOLUS.intensity(time)
    assert time[curve.argmax()] == pytest.approx(BOLUS.peak_time_s, abs=0.01)
    assert 10 * np.log10(curve.max()) == pytest.approx(-3.0, abs=1e-4)


def test_half_time_and_transit_time_are_those_of_the_curve():
    at_half = BOLUS.intensity(BOLUS.peak_time_s + BOLUS.half_s)
    assert at_half == pytest.approx(0.5 * BOLUS.intensity(BOLUS.peak_time_s))
    area = quad(lambda t: float(BOLUS.intensity(t)), 10, 400)[0]
    first = quad(lambda t: (t - 10) * float(BOLUS.intensity(t)), 10, 400)[0]
    assert first / area == pytest.approx(BOLUS.transit_s, rel=1e-6)


def test_a_delay_shifts_the_curve():
    assert BOLUS.intensity(20.0, delay_s=2.0) == pytest.approx(BOLUS.intensity(18.0))


@pytest.mark.parametrize("wrong", [{"rise_s": 0.0}, {"rise_s": 5.0, "alpha": -1.0}])
def test_curves_that_do_not_rise_are_refused(wrong):
    with pytest.raises(InputError, match="allowed: above 0"):
        Bolus(10.0, **wrong)


@pytest.mark.parametrize(
    ("peak_db", "pattern"), [(-4.0, "hypo"), (-1.5, "iso"), (0.7, "iso"), (3.0, "hyper")]
)
def test_the_pattern_is_the_peak_against_the_gland(peak_db, pattern):
    assert Perfusion(BOLUS, Bolus(9.0, 8.0, peak_db), 2.0, 0.0, 0.0).pattern == pattern


def test_all_patterns_and_some_rims_occur_and_most_nodules_fill_less():
    drawn = [describe_perfusion(z, seed) for seed, z in enumerate(np.linspace(-2, 2, 400))]
    patterns = [perfusion.pattern for perfusion in drawn]
    shares = {name: patterns.count(name) / 400 for name in ("hypo", "iso", "hyper")}
    assert shares["hypo"] > 0.45
    assert min(shares.values()) > 0.08
    assert 0.08 < np.mean([perfusion.rim_db > 0 for perfusion in drawn]) < 0.35


def test_peak_and_timing_tell_of_the_latent_but_not_all():
    z = np.random.default_rng(0).standard_normal(3000)
    drawn = [describe_perfusion(value, seed) for seed, value in enumerate(z)]
    peak = [p.nodule.peak_db for p in drawn]
    delay = [p.nodule.arrival_s - p.gland.arrival_s for p in drawn]
    half = [p.nodule.half_s / p.gland.half_s for p in drawn]
    assert np.corrcoef(z, peak)[0, 1] == pytest.approx(0.81, abs=0.03)
    assert np.corrcoef(z, delay)[0, 1] == pytest.approx(-0.62, abs=0.05)
    assert np.corrcoef(z, half)[0, 1] == pytest.approx(-0.60, abs=0.06)
    # given z they have nothing to do with each other
    rest = [np.array(x) - np.polyval(np.polyfit(z, x, 1), z) for x in (peak, delay)]
    assert abs(np.corrcoef(*rest)[0, 1]) < 0.06
