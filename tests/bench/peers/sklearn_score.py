#!/usr/bin/env python3
"""rs-score's area under the ROC curve in scikit-learn: of maps with truth and field of view, of all pixels of all maps
in the field of view. The time of roc_auc_score alone, and the area, are written to a file."""
import argparse
import time

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score


def images(path):
    """Maps [h][w][3] of a stream of PAM files: probability, vessel, field of view; and maxval."""
    data = np.memmap(path, np.uint8, "r")
    at = 0
    while at < data.size:
        head = bytes(data[at:at + 512])
        end = head.index(b"ENDHDR\n") + len(b"ENDHDR\n")
        field = dict(line.split(b" ", 1) for line in head[:end].splitlines() if b" " in line)
        shape = [int(field[name]) for name in (b"HEIGHT", b"WIDTH", b"DEPTH")]
        maxval = int(field[b"MAXVAL"])
        kind = np.dtype(">u2" if maxval > 255 else "u1")
        size = int(np.prod(shape)) * kind.itemsize
        yield data[at + end:at + end + size].view(kind).reshape(shape), maxval
        at += end + size


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--alone", metavar="FILE", help="where to write the seconds of roc_auc_score alone")
    options.add_argument("--title", action="store_true", help="print name and version alone")
    options.add_argument("maps", nargs="?")
    options = options.parse_args()
    if options.title:
        return print("scikit-learn", sklearn.__version__)
    probability, vessel = [], []
    for image, maxval in images(options.maps):
        inside = image[..., 2] > maxval / 2
        probability.append(image[..., 0][inside].astype(np.uint16))
        vessel.append(image[..., 1][inside] > maxval / 2)
    probability, vessel = np.concatenate(probability), np.concatenate(vessel)
    started = time.perf_counter()
    area = roc_auc_score(vessel, probability)
    spent = time.perf_counter() - started
    print(f"{area:.6g}")
    if options.alone:
        with open(options.alone, "w") as file:
            print(f"{spent:.4f}\t{area:.6g}", file=file)


if __name__ == "__main__":
    main()
