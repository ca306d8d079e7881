#!/usr/bin/env python3
"""Writes numpy_prep.safetensors beside itself: two images of each of three kinds, and what normalisation makes of the first.

Arrays: KIND, the samples [2,h,w,planes] with the field of view behind the photograph's planes (0 or maxval); then
KIND/MODE/PLANES/PIXELS, the first image normalised [4,c,h,w]: as it is, without subtracting the mean, without dividing by
the standard deviation, without either. Metadata: KIND, its maxval; KIND/PLANES/PIXELS, mean and standard deviation of each
channel over both images.
Made with numpy 2.4; tests/unit/test_prep.c reads it.
"""
import json
import os
import struct
import numpy

HEIGHT, WIDTH, EPSILON = 5, 4, 2e-6
KINDS = {"rgb8": (3, 255), "rgb16": (3, 65535), "gray8": (1, 255)}
LUMINANCE = numpy.array([.299, .587, .114])

random = numpy.random.default_rng(1)
arrays, metadata = {}, {}


def draw(colors, maxval):
    """[h, w, colors + 1]; the second image is darker than the first."""
    samples = random.integers(0, maxval + 1, (2, HEIGHT, WIDTH, colors))
    samples[1] //= 3
    fov = maxval * (random.random((2, HEIGHT, WIDTH, 1)) < .7)
    return numpy.concatenate([samples, fov], axis=3).astype(numpy.int64)


def channels(samples, colors, maxval, planes):
    """[..., c], scaled to [0, 1]"""
    scaled = samples[..., :colors] / maxval
    if colors == 1 or planes == "all":
        return scaled
    return scaled[..., 1:2] if planes == "green" else scaled @ LUMINANCE[:, None]


def normalise(x, inside, mean, std, subtract, divide):
    """[c, h, w]"""
    y = (x - (mean if subtract else 0)) / (std + EPSILON if divide else 1)
    return numpy.where(inside[..., None], y, 0).transpose(2, 0, 1)


def add(name, samples, colors, maxval, planes, pixels):
    x = channels(samples, colors, maxval, planes)
    inside = (samples[..., colors] > 0) | (pixels == "image")
    whole = [f(x[inside], axis=0) for f in (numpy.mean, numpy.std)]
    metadata[f"{name}/{planes}/{pixels}"] = " ".join(repr(float(v)) for v in numpy.concatenate(whole))
    patch = [f(x[0][inside[0]], axis=0) for f in (numpy.mean, numpy.std)]
    for mode, (mean, std) in {"patch": patch, "dataset": whole, "none": (0, 1 - EPSILON)}.items():
        made = [normalise(x[0], inside[0], mean, std, i % 2 == 0, i < 2) for i in range(4)]
        arrays[f"{name}/{mode}/{planes}/{pixels}"] = numpy.stack(made).astype(numpy.float32)


for name, (colors, maxval) in KINDS.items():
    arrays[name] = draw(colors, maxval)
    metadata[name] = str(maxval)
    for planes in ("all", "gray", "green"):
        for pixels in ("image", "fov"):
            add(name, arrays[name], colors, maxval, planes, pixels)

header, at = {"__metadata__": metadata}, 0
for name, array in arrays.items():
    dtype = {"float32": "F32", "int64": "I64"}[array.dtype.name]
    header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [at, at + array.nbytes]}
    at += array.nbytes
text = json.dumps(header, separators=(",", ":")).encode()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "numpy_prep.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for array in arrays.values():
        file.write(array.tobytes())
