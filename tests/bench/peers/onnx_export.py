#!/usr/bin/env python3
"""onnx_export.py MODEL OUT: a model of rs-train as an ONNX file, width and height free, by PyTorch's exporter."""
import logging
import sys
import warnings

import torch

import photograph
import unet

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")
net = unet.load(*photograph.read_model(sys.argv[1]))
size = {2: torch.export.Dim("h4", min=4) * 4, 3: torch.export.Dim("w4", min=4) * 4}
torch.onnx.export(net, (torch.zeros(1, 3, 64, 96),), sys.argv[2], input_names=["x"], output_names=["logits"],
                  dynamic_shapes=(size,), dynamo=True, external_data=False, verbose=False)
