#!/usr/bin/env python3
"""rs-infer in ONNX Runtime: the maps of photographs, each segmented whole, by a model of dataset-wise normalisation
and its network as onnx_export.py wrote it."""
import argparse

import onnxruntime as ort


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--title", action="store_true", help="print name and settings alone")
    options.add_argument("files", nargs="*", metavar="MODEL ONNX PHOTOGRAPH...")
    options = options.parse_args()
    if options.title:
        return print("ONNX Runtime", ort.__version__)
    import photograph
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = ort.InferenceSession(options.files[1], settings, providers=["CPUExecutionProvider"])
    meta, _ = photograph.read_model(options.files[0])
    for path in options.files[2:]:
        x, h, w = photograph.network_input(path, meta)
        photograph.write_map(session.run(None, {"x": x})[0], h, w)


if __name__ == "__main__":
    main()
