#!/usr/bin/env python3
"""Writes turn_WxH.pam beside itself: an image, then the same as Pillow's Image.rotate turns it by each of ANGLES.

Made with Pillow 13.0 and numpy 2.4; tests/unit/test_warp.c reads them and has the same angles.
"""
import os
import numpy
from PIL import Image, ImageFilter

ANGLES = [10, 45, 90, 123.4, 180, 211.7, 270]
SIZES = [(27, 20), (17, 30), (21, 21)]


def draw(width, height, random):
    """Noise, smooth parts, flat black and white, and a hard truth: [height, width, 4] uint8."""
    noise = random.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
    smooth = numpy.array(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)))
    image = numpy.where(random.random((height, width, 1)) < .3, noise, smooth)
    image[: height // 3, : width // 3] = 255
    image[-height // 4:, -width // 3:] = 0
    truth = 255 * (random.random((height // 3 + 1, width // 3 + 1)) < .3).repeat(3, 0).repeat(3, 1)
    return numpy.dstack([image, truth[:height, :width]]).astype(numpy.uint8)


def write(file, image):
    height, width, depth = image.shape
    file.write(b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL 255\nTUPLTYPE RGB_VESSEL\nENDHDR\n" % (width, height, depth))
    file.write(image.tobytes())


def turn(image, angle):
    planes = [Image.fromarray(image[:, :, k].copy()) for k in range(image.shape[2])]
    return numpy.dstack([plane.rotate(angle, resample=Image.Resampling.BICUBIC) for plane in planes])


if __name__ == "__main__":
    random = numpy.random.default_rng(1)
    for width, height in SIZES:
        image = draw(width, height, random)
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "turn_%dx%d.pam" % (width, height)), "wb") as file:
            write(file, image)
            for angle in ANGLES:
                write(file, turn(image, angle))
