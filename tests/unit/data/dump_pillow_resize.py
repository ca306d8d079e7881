#!/usr/bin/env python3
"""Writes resize.pam beside itself: an image, then the same as Pillow's Image.resize makes it of each of SIZES.

Planes are resized as floats, so that nothing is rounded between rows and columns, and then rounded and cut to 0..255.
Made with Pillow 13.0 and numpy 2.4; tests/unit/test_resize.c reads it and has the same sizes.
"""
import os
import numpy
from PIL import Image
from dump_pillow import draw, write

SIZES = [(31, 23), (62, 46), (13, 9), (15, 60), (70, 7), (5, 5), (1, 1), (32, 22)]
FILTERS = [Image.Resampling.BICUBIC] * 3 + [Image.Resampling.BILINEAR]

image = draw(31, 23, numpy.random.default_rng(2))
planes = [Image.fromarray(image[:, :, k].astype(numpy.float32)) for k in range(4)]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize.pam"), "wb") as file:
    write(file, image)
    for size in SIZES:
        resized = numpy.dstack([plane.resize(size, how) for plane, how in zip(planes, FILTERS)])
        write(file, numpy.floor(resized.astype(float) + .5).clip(0, 255).astype(numpy.uint8))
