#!/usr/bin/env python3
"""Writes opencv.pgm beside itself: shades, then what OpenCV makes of them.

Made with OpenCV 5.0; tests/unit/test_filter.c reads the images and has the same cases: for every size of SIZES the shades,
then CLAHE by each of CLAHE; of the first size also the largest and the smallest opening by lines of LENGTH pixels in four
directions, whose kernels are the same in every convention.
"""
import os
import cv2
import numpy

SIZES = [(96, 64), (83, 61), (37, 90)]
CLAHE = [(8, 2.), (8, 40.), (4, .5)]
LENGTH = 9


def draw(random, width, height):
    """A slope, noise, and bright lines."""
    y, x = numpy.mgrid[:height, :width]
    shades = 90 + 60 * numpy.sin(x / 19) + 30 * numpy.cos(y / 11) + random.normal(0, 12, (height, width))
    shades[numpy.abs(x - y) < 2] += 60
    shades[(x + 2 * y) % 31 < 2] += 50
    return numpy.clip(shades, 0, 255).astype(numpy.uint8)


def lines():
    """Along rows, down to the right, along columns, down to the left: as long as the crow flies."""
    short = 2 * round((LENGTH - 1) / 2 * 2 ** -.5) + 1
    return [numpy.ones((1, LENGTH), numpy.uint8), numpy.eye(short, dtype=numpy.uint8),
            numpy.ones((LENGTH, 1), numpy.uint8), numpy.eye(short, dtype=numpy.uint8)[::-1].copy()]


def write(file, shades):
    file.write(b"P5\n%d %d\n255\n" % shades.shape[::-1] + shades.tobytes())


random = numpy.random.default_rng(3)
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "opencv.pgm"), "wb") as file:
    for number, (width, height) in enumerate(SIZES):
        shades = draw(random, width, height)
        write(file, shades)
        for tiles, limit in CLAHE:
            write(file, cv2.createCLAHE(limit, (tiles, tiles)).apply(shades))
        if number == 0:
            openings = [cv2.morphologyEx(shades, cv2.MORPH_OPEN, line) for line in lines()]
            write(file, numpy.max(openings, 0))
            write(file, numpy.min(openings, 0))
