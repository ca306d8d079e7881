#!/usr/bin/env python3
"""Scores by scikit-learn 1.9.1, for test_measure.c: tests/unit/data/dump_sklearn.py > tests/unit/data/sklearn.txt

A case: "LEVELS COUNT THRESHOLDS", COUNT lines "level truth", one line "auc_roc auc_pr log_loss brier ece", one line
"best-Dice-threshold", THRESHOLDS lines "threshold accuracy balanced_acc sensitivity specificity precision dice iou
mcc", a line "POINTS STEP" and every STEP-th of the points "p false-positive-rate sensitivity precision" of the curves, a
line "BINS" and BINS lines "mean-p share-of-vessel". scikit-learn has no calibration error: it is taken here from its
definition.
"""
import numpy as np
from sklearn import metrics as m
from sklearn.calibration import calibration_curve


def ece(y, p, bins=15):
    which = np.minimum((p * bins).astype(int), bins - 1)
    return sum(abs(y[which == b].mean() - p[which == b].mean()) * (which == b).mean() for b in set(which))


def best_threshold(y, q, levels):
    candidates = [0, *(np.unique(q)[:-1] + 1)]
    return candidates[np.argmax([m.f1_score(y, q >= k) for k in candidates])] / levels


def at(threshold, y, p):
    z = p >= threshold
    return [threshold, m.accuracy_score(y, z), m.balanced_accuracy_score(y, z), m.recall_score(y, z),
            m.recall_score(y, z, pos_label=0), m.precision_score(y, z), m.f1_score(y, z), m.jaccard_score(y, z),
            m.matthews_corrcoef(y, z)]


def curves(y, p):
    roc = m.roc_curve(y, p, drop_intermediate=False)
    precision, recall, thresholds = m.precision_recall_curve(y, p)
    assert (thresholds[::-1] == roc[2][1:]).all() and (recall[-2::-1] == roc[1][1:]).all()
    points = list(zip(roc[2], roc[0], roc[1], ["nan", *precision[-2::-1]]))
    step = 1 + len(points) // 60
    print(len(points), step)
    for point in points[::step]:
        print(*point)
    shares, means = calibration_curve(y, p, n_bins=15)
    print(len(means))
    for pair in zip(means, shares):
        print(*pair)


def case(random, levels, count, prevalence, thresholds):
    y = (random.random(count) < prevalence).astype(int)
    q = np.clip(np.floor(levels * random.normal(.35 + .3 * y, .2)), 0, levels - 1).astype(int)
    p = (q + .5) / levels
    print(levels, count, len(thresholds))
    for pair in zip(q, y):
        print(*pair)
    print(m.roc_auc_score(y, p), m.average_precision_score(y, p), m.log_loss(y, p), m.brier_score_loss(y, p), ece(y, p))
    print(best_threshold(y, q, levels))
    for threshold in thresholds:
        print(*at(threshold, y, p))
    curves(y, p)


random = np.random.default_rng(20)
case(random, 2, 300, .2, [.5])
case(random, 11, 1000, .1, [.3, .5, 7 / 11])
case(random, 256, 2000, .12, [.1, .35, .5, 170 / 256, .8])
case(random, 65536, 1500, .5, [.2, .5, 26870 / 65536, .7])
