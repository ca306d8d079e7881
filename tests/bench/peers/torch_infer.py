#!/usr/bin/env python3
"""rs-infer in PyTorch: the maps of photographs, each segmented whole, by a model of dataset-wise normalisation."""
import argparse

import torch

import unet


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--tuned", action="store_true", help="batch norm folded, channels_last")
    options.add_argument("--say", metavar="TEXT", help="settings of the environment, for the title")
    options.add_argument("--title", action="store_true", help="print name and settings alone")
    options.add_argument("files", nargs="*", metavar="MODEL PHOTOGRAPH...")
    options = options.parse_args()
    settings = ["norm folded, channels_last"] if options.tuned else ["as installed"]
    if options.title:
        return print(unet.title(*settings + ([options.say] if options.say else [])))
    import photograph
    torch.set_num_threads(options.threads)
    meta, arrays = photograph.read_model(options.files[0])
    net = unet.load(meta, arrays)
    layout = torch.channels_last if options.tuned else torch.contiguous_format
    if options.tuned:
        net.fold()
    net = net.to(memory_format=layout)
    for path in options.files[1:]:
        x, h, w = photograph.network_input(path, meta)
        with torch.inference_mode():
            logits = net(torch.from_numpy(x).to(memory_format=layout)).numpy()
        photograph.write_map(logits, h, w)


if __name__ == "__main__":
    main()
