#!/usr/bin/env python3
"""Temperatures by scipy and scikit-learn, for test_temperature.c:
tests/unit/data/dump_temperature.py > tests/unit/data/temperature.txt

A case: "LEVELS USED T LOSS UNTEMPERED" and USED lines "level vessel background". T is where scipy's brentq finds the zero
of the slope of the log loss over 1 / T; scikit-learn's own temperature scaling, which minimises the loss itself, must
agree to the half of the digits that a minimum can have. LOSS is scikit-learn's log loss of the tempered probabilities.
"""
import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.calibration import _TemperatureScaling
from sklearn.metrics import log_loss


def case(random, levels, count, prevalence, sharpness):
    y = (random.random(count) < prevalence).astype(int)
    truth = random.normal(logit(prevalence) + 2 * y, 1.3)
    q = np.clip(np.floor(levels * expit(sharpness * truth)), 0, levels - 1).astype(int)
    p = (q + .5) / levels
    z = logit(p)
    inverse = brentq(lambda s: np.sum(z * (expit(s * z) - y)), .01, 100, xtol=1e-15, rtol=1e-14)
    fitted = _TemperatureScaling().fit(np.stack([1 - p, p], 1), y).beta_
    assert abs(fitted - inverse) < 1e-6 * inverse, (fitted, inverse)
    used = np.unique(q)
    loss = log_loss(y, expit(inverse * z))
    print(levels, len(used), repr(float(1 / inverse)), repr(float(loss)), repr(float(log_loss(y, p))))
    for level in used:
        print(level, np.sum((q == level) & (y == 1)), np.sum((q == level) & (y == 0)))


random = np.random.default_rng(3)
case(random, 2, 300, .4, 1)
case(random, 16, 2000, .15, 3)
case(random, 256, 5000, .1, .3)
case(random, 256, 5000, .5, 1.2)
case(random, 65536, 1000, .13, 2.2)
case(random, 65536, 1500, .13, .8)
