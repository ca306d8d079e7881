"""What every peer that segments photographs does around its network: reads the model's numbers, turns a photograph
into the network's input as rs-infer does, and writes a map as rs-infer does."""
import json
import sys

import numpy as np
from PIL import Image

MULTIPLE = 4  # of width and height, for a network of three levels


def read_model(path):
    """Metadata, and arrays by name, of a model (rs-model(5)) of dataset-wise normalisation."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    meta = header.pop("__metadata__")
    if (meta["normalisation"], meta["planes"], meta["source"]) != ("dataset", "all", "RGB"):
        raise SystemExit("the peers take models of dataset-wise normalisation of RGB photographs")
    return meta, {name: np.frombuffer(data[slice(*a["data_offsets"])], "<f4").reshape(a["shape"])
                  for name, a in header.items()}


def network_input(path, meta):
    """[1][3][h][w] of a photograph, padded with black, and its own height and width."""
    photo = np.asarray(Image.open(path))
    h, w = photo.shape[:2]
    mean, std = (np.array([float(v) for v in meta[key].split(",")], np.float32) for key in ("mean", "std"))
    x = np.pad(photo, ((0, -h % MULTIPLE), (0, -w % MULTIPLE), (0, 0))).astype(np.float32)
    x *= 1 / (255 * std)
    x -= mean / std
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None]), h, w


def write_map(logits, h, w):
    """Writes the probabilities of logits [1][1][>= h][>= w] to stdout as a PGM of 16 bits."""
    p = 1 / (1 + np.exp(-logits[0, 0, :h, :w]))
    samples = np.minimum(p * 65536, 65535).astype(">u2")
    sys.stdout.buffer.write(b"P5\n%d %d\n65535\n" % (w, h) + samples.tobytes())
    sys.stdout.buffer.flush()
