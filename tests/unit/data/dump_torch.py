#!/usr/bin/env python3
"""Writes torch_unet.safetensors: a small U-Net of the talk in PyTorch, run for ten steps of Adam.

    pip install torch safetensors numpy && python3 dump_torch.py

Arrays: x, vessel, fov (the batch); start/NAME (weights), grad/NAME (gradients of the first step), end/NAME (weights and
running statistics after ten steps); logits (of the first step, in training), logits_eval (after the ten, in evaluation);
losses (ten).
Made with torch 2.13.0 on the CPU.
"""
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import nn


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self, c1, c2, c3):
        super().__init__()
        self.enc1, self.enc2, self.enc3 = Block(3, c1), Block(c1, c2), Block(c2, c3)
        self.up2, self.dec2 = nn.Conv2d(c3, c2, 1), Block(2 * c2, c2)
        self.up1, self.dec1 = nn.Conv2d(c2, c1, 1), Block(2 * c1, c1)
        self.head = nn.Conv2d(c1, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        d = self.enc3(F.max_pool2d(b, 2))
        d = self.dec2(torch.cat([b, self.up2(F.interpolate(d, scale_factor=2, mode="nearest"))], 1))
        d = self.dec1(torch.cat([a, self.up1(F.interpolate(d, scale_factor=2, mode="nearest"))], 1))
        return self.head(d)


out = {}
torch.manual_seed(1)
torch.set_num_threads(1)


def keep(name, t):
    t = t.detach()
    out[name] = t.numpy().copy() if t.dtype == torch.uint8 else t.to(torch.float32).numpy().copy()


net = UNet(4, 6, 8)
with torch.no_grad():  # batch norms that differ from the identity
    for name, p in net.named_parameters():
        if "norm" in name:
            p.add_(0.3 * torch.randn_like(p))
x = torch.randn(3, 3, 8, 12)
vessel = torch.randint(0, 256, (3, 1, 8, 12), dtype=torch.uint8)
fov = torch.randint(0, 2, (3, 1, 8, 12), dtype=torch.uint8) * 255
keep("x", x), keep("vessel", vessel), keep("fov", fov)
for name, p in net.named_parameters():
    keep("start/" + name, p)
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
inside, target, losses = fov > 127, vessel.float() / 255, []
for step in range(10):
    adam.zero_grad()
    logits = net(x)
    loss = F.binary_cross_entropy_with_logits(logits[inside], target[inside])
    loss.backward()
    if step == 0:
        keep("logits", logits)
        for name, p in net.named_parameters():
            keep("grad/" + name, p.grad)
    adam.step()
    losses.append(loss.item())
for name, p in net.state_dict().items():
    if "num_batches" not in name:
        keep("end/" + name, p)
out["losses"] = np.array(losses, dtype=np.float32)
net.eval()
keep("logits_eval", net(x))
save_file(out, "torch_unet.safetensors")
