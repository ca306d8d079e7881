#!/usr/bin/env python3
"""rs-rotate in Pillow: turned copies of a photograph. The mean time of rotate() alone is written to a file."""
import argparse
import random
import sys
import time

import PIL
from PIL import Image


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--copies", type=int, default=3)
    options.add_argument("--alone", metavar="FILE", help="where to write the seconds of rotate() alone")
    options.add_argument("--title", action="store_true", help="print name and version alone")
    options.add_argument("photograph", nargs="?")
    options = options.parse_args()
    if options.title:
        return print("Pillow", PIL.__version__)
    image = Image.open(options.photograph)
    image.load()
    random.seed(1)
    spent = 0
    for _ in range(options.copies):
        started = time.perf_counter()
        turned = image.rotate(random.uniform(0, 270), resample=Image.Resampling.BICUBIC)
        spent += time.perf_counter() - started
        turned.save(sys.stdout.buffer, "PPM")
        sys.stdout.buffer.flush()
    if options.alone:
        with open(options.alone, "w") as file:
            print(f"{spent / options.copies:.4f}", file=file)


if __name__ == "__main__":
    main()
