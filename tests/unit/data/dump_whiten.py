#!/usr/bin/env python3
"""Writes numpy_whiten.safetensors beside itself: vectors and what ZCA whitening makes of them, for test_whiten.c.

Arrays: vectors [N,d] of patches of 3 planes, 3x3; mean [d]; matrix [d,d], with EPSILON of the mean eigenvalue;
scales [RANK] and tail [1] of the truncated form; full and truncated [SHOWN,d], what they make of the first vectors; filter
[3,3,3,3], the centre's rows of the matrix; photograph [3,7,8] and filtered [3,5,6], where the filter lies in it wholly.
Metadata: epsilon. Made with numpy 2.4.
"""
import json
import os
import struct
import numpy

N, D, RANK, SHOWN, EPSILON = 700, 27, 5, 40, .1
random = numpy.random.default_rng(1)

vectors = (random.standard_normal((N, D)) @ random.standard_normal((D, D)) * .1 + random.random(D)).astype(numpy.float32)
x = vectors.astype(float)
mean = x.mean(0)
values, columns = numpy.linalg.eigh(numpy.cov(x.T, bias=True))
scales = 1 / numpy.sqrt(values + EPSILON * values.mean())
matrix = columns * scales @ columns.T
tail = 1 / numpy.sqrt(values[:-RANK].mean() + EPSILON * values.mean())
top = columns[:, -RANK:]
truncated = tail * numpy.eye(D) + top * (scales[-RANK:] - tail) @ top.T
filters = matrix[4::9].reshape(3, 3, 3, 3)
photograph = random.standard_normal((3, 7, 8)).astype(numpy.float32)
windows = numpy.lib.stride_tricks.sliding_window_view(photograph.astype(float), (3, 3), (1, 2))
arrays = {"vectors": vectors, "mean": mean, "matrix": matrix, "scales": scales[:-RANK - 1:-1], "tail": tail[None],
          "full": (x[:SHOWN] - mean) @ matrix, "truncated": (x[:SHOWN] - mean) @ truncated, "filter": filters,
          "photograph": photograph, "filtered": numpy.einsum("ocij,chwij->ohw", filters, windows)}

header, data = {"__metadata__": {"epsilon": str(EPSILON)}}, b""
for name, array in arrays.items():
    raw = array.astype("<f4").tobytes()
    header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header, separators=(",", ":")).encode()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "numpy_whiten.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
