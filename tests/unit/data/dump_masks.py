#!/usr/bin/env python3
"""Writes masks.pgm beside itself: a map of probability, 16 bit, then what becomes of it in each of CASES.

Made with scipy 1.17 and scikit-image 0.26; tests/unit/test_mask.c reads them and has the same cases. A sample q stands
for p = (q + .5) / 65536. scikit-image's apply_hysteresis_threshold connects 4 neighbours, so scipy labels the
components here, by 8.
"""
import os
import numpy
from scipy import ndimage
from skimage import filters, morphology

WIDTH, HEIGHT = 83, 61
CASES = [  # threshold, low (or None), smallest component
    (.5, None, 0), (.62, .45, 0), (.62, .45, 25), (.5, None, 12), ("otsu", None, 0), ("otsu", .4, 40), (0, None, 0),
    (1, None, 0)]

EIGHT = numpy.ones((3, 3))


def draw(random):
    """Noise, smoothed more on the right, in all the levels there are: [HEIGHT, WIDTH] uint16."""
    noise = random.normal(size=(HEIGHT, WIDTH))
    fine, coarse = (ndimage.gaussian_filter(noise, sigma) for sigma in (.7, 2))
    share = numpy.linspace(0, 1, WIDTH)
    mixed = fine / fine.std() * (1 - share) + coarse / coarse.std() * share
    return numpy.floor(65535.99 * (mixed - mixed.min()) / numpy.ptp(mixed)).astype(numpy.uint16)


def mask(levels, threshold, low, least):
    p = (levels + .5) / 65536
    if threshold == "otsu":
        strong = levels > filters.threshold_otsu(levels.ravel(), hist=numpy.bincount(levels.ravel(), minlength=65536))
    else:
        strong = p >= threshold
    labels, count = ndimage.label(strong | (p >= low) if low is not None else strong, EIGHT)
    kept = numpy.isin(labels, numpy.unique(labels[strong])) & (labels > 0)
    if least:
        kept = morphology.remove_small_objects(kept, max_size=least - 1, connectivity=2)
    return kept


here = os.path.dirname(os.path.abspath(__file__))
levels = draw(numpy.random.default_rng(7))
with open(os.path.join(here, "masks.pgm"), "wb") as file:
    for maxval, picture in [(65535, levels), *((1, mask(levels, *case)) for case in CASES)]:
        file.write(b"P5\n%d %d\n%d\n" % (WIDTH, HEIGHT, maxval))
        file.write(picture.astype(">u2" if maxval > 255 else "u1").tobytes())
