#!/usr/bin/env python3
"""rs-baseline in OpenCV or scikit-image: photographs (PPM) to maps of vessels (PGM, 16 bit). The same surroundings are taken
away and the same squares of pixels filtered; a field of view is not looked for."""
import argparse
import importlib
import math
import sys

import numpy as np

SIZES = [(1.5, 5), (2.2, 6), (3.2, 8)]  # across and along
RIM, SURROUNDINGS, CONTRAST, LINE = 4, 22, 24, 13


def line(length, angle):
    """A pixel in every row or column, `length` long as the crow flies."""
    x, y = math.cos(angle), math.sin(angle)
    steep = abs(y) >= abs(x) - 1e-9
    reach = int((length - 1) / 2 * max(abs(x), abs(y)) + .5)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    for t in range(-reach, reach + 1):
        off = math.floor(.5 + t * (x / y if steep else y / x))
        kernel[(reach + t, reach + off) if steep else (reach + off, reach + t)] = 1
    return kernel


def bank(across, along, angle):
    reach = int(3 * along)
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1]
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    kernel = (1 - v * v / across ** 2) * np.exp(-v * v / (2 * across ** 2) - u * u / (2 * along ** 2))
    kernel -= kernel.mean()
    return (kernel / np.sqrt((kernel ** 2).sum())).astype(np.float32)


def flatten(cv2, dark, inside, scale):
    box = lambda x, radius: cv2.boxFilter(x, -1, (2 * radius + 1,) * 2, borderType=cv2.BORDER_CONSTANT)
    rim = round(RIM * scale)
    inside = cv2.erode(inside, np.ones((2 * rim + 1,) * 2, np.uint8)).astype(np.float32)
    weight = box(inside, round(SURROUNDINGS * scale)) + 1e-6
    flat = (dark - box(dark * inside, round(SURROUNDINGS * scale)) / weight) * inside
    here = box(flat * flat, round(SURROUNDINGS * scale)) / weight + 1
    return flat / np.sqrt(np.sqrt(here * ((flat * flat).sum() / inside.sum() + 1)))


def shades(cv2, flat):
    return np.clip(128.5 + CONTRAST * cv2.blur(flat, (3, 3)), 0, 255).astype(np.uint8)


def tophat_opencv(cv2, flat, scale):
    equal = cv2.createCLAHE(2, (8, 8)).apply(shades(cv2, flat))
    opened = [cv2.morphologyEx(equal, cv2.MORPH_OPEN, line(LINE * scale, math.pi * k / 12)) for k in range(12)]
    return (cv2.blur((np.max(opened, 0) - np.min(opened, 0)).astype(np.float32), (3, 3)) - 60.5) / 11.2


def tophat_skimage(cv2, flat, scale):
    from skimage import exposure, morphology
    equal = exposure.equalize_adapthist(shades(cv2, flat), clip_limit=.01)
    equal = (255 * equal + .5).astype(np.uint8)
    opened = [morphology.opening(equal, line(LINE * scale, math.pi * k / 12)) for k in range(12)]
    return (cv2.blur((np.max(opened, 0) - np.min(opened, 0)).astype(np.float32), (3, 3)) - 60.5) / 11.2


def matched_opencv(cv2, flat, scale):
    total = 0
    for across, along in SIZES:
        answers = (cv2.filter2D(flat, -1, bank(across * scale, along * scale, math.pi * k / 8),
                                borderType=cv2.BORDER_CONSTANT) for k in range(8))
        best = next(answers)
        for answer in answers:
            np.maximum(best, answer, out=best)
        total = total + best
    return (total - 16) / 3.4


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--library", choices=["opencv", "skimage"], default="opencv")
    options.add_argument("--method", choices=["tophat", "matched"], default="matched")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--diameter", type=float, default=540)
    options.add_argument("--title", action="store_true", help="print name and version alone")
    options.add_argument("photographs", nargs="*")
    options = options.parse_args()
    cv2 = importlib.import_module("cv2")
    cv2.setNumThreads(options.threads)
    if options.title:
        other = importlib.import_module("skimage") if options.library == "skimage" else cv2
        return print({"opencv": "OpenCV", "skimage": "scikit-image"}[options.library], other.__version__)
    block = max(1, int(options.diameter / 540))
    scale = options.diameter / block / 540
    for photograph in options.photographs:
        green = cv2.imread(photograph)[..., 1]
        height, width = green.shape
        small = -(-width // block), -(-height // block)
        dark = 255 - cv2.resize(green, small, interpolation=cv2.INTER_AREA).astype(np.float32)
        inside = (dark < 245).astype(np.uint8)
        answer = globals()[f"{options.method}_{options.library}"](cv2, flatten(cv2, dark, inside, scale), scale)
        p = 1 / (1 + np.exp(-cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR)))
        sys.stdout.buffer.write(b"P5\n%d %d\n65535\n" % (width, height) +
                                np.minimum(p * 65536, 65535).astype(">u2").tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
