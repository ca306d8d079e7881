#!/usr/bin/env python3
"""Trains the network of rs-train in PyTorch on batches of noise, the same one again and again, and times it.

Prints its title; then, for every N that it reads from stdin, takes N steps and prints patches/s. A step is forward,
binary cross-entropy, backward, Adam. The first steps, where memory is taken and code compiled, come before the title.
"""
import argparse
import sys
import time

import torch
import torch.nn.functional as F

import unet

WARM = 3


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--channels", default="32,64,128")
    options.add_argument("--dropout", type=float, default=0.2)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--patch", type=int, default=64)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--channels-last", action="store_true")
    options.add_argument("--compile", action="store_true")
    options.add_argument("--say", metavar="TEXT", help="settings of the environment, for the title")
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    net = unet.UNet(*map(int, options.channels.split(",")), options.dropout).to(memory_format=layout)
    model = torch.compile(net) if options.compile else net
    x = torch.randn(options.batch, 3, options.patch, options.patch).to(memory_format=layout)
    y = (torch.rand(options.batch, 1, options.patch, options.patch) > 0.9).float()
    adam = torch.optim.Adam(net.parameters(), 1e-3)

    def train(steps):
        started = time.perf_counter()
        for _ in range(steps):
            adam.zero_grad()
            F.binary_cross_entropy_with_logits(model(x), y).backward()
            adam.step()
        return time.perf_counter() - started

    train(WARM)
    settings = [name for name, given in (("channels_last", options.channels_last), ("compiled", options.compile),
                                         (options.say, options.say)) if given]
    print(unet.title(*settings or ["as installed"]), flush=True)
    for line in sys.stdin:
        steps = int(line)
        print(f"{steps * options.batch / train(steps):.3f}", flush=True)


if __name__ == "__main__":
    main()
