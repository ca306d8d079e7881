#!/usr/bin/env python3
"""Writes torch_unet.safetensors and torch_BLOCK_UP.safetensors: small U-Nets in PyTorch, run for ten steps of Adam.

    pip install torch safetensors numpy && python3 dump_torch.py

torch_unet is that of the talk (double blocks, nearest); the others are of other kinds.
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
    def __init__(self, cin, cout, residual):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)
        self.residual = residual
        if residual:
            self.shortcut = nn.Conv2d(cin, cout, 1, bias=False) if cin != cout else nn.Identity()

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x) if self.residual else y)


class Gate(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(2 * c, c // 2, 1), nn.Conv2d(c // 2, 1, 1)

    def forward(self, left, below):
        return left * torch.sigmoid(self.conv2(F.relu(self.conv1(torch.cat([below, left], 1)))))


class UNet(nn.Module):
    def __init__(self, c1, c2, c3, block, up):
        super().__init__()
        residual, self.attention, self.up = block == "residual", block == "attention", up
        self.enc1, self.enc2, self.enc3 = Block(3, c1, residual), Block(c1, c2, residual), Block(c2, c3, residual)
        self.up2, self.dec2 = self.way(c3, c2), Block(2 * c2, c2, residual)
        self.up1, self.dec1 = self.way(c2, c1), Block(2 * c1, c1, residual)
        self.head = nn.Conv2d(c1, 1, 1)
        if self.attention:
            self.gate2, self.gate1 = Gate(c2), Gate(c1)

    def way(self, cin, cout):
        return nn.ConvTranspose2d(cin, cout, 2, stride=2) if self.up == "transposed" else nn.Conv2d(cin, cout, 1)

    def join(self, left, below, level):
        if self.up != "transposed":
            below = F.interpolate(below, scale_factor=2, mode=self.up)
        below = getattr(self, f"up{level}")(below)
        return torch.cat([getattr(self, f"gate{level}")(left, below) if self.attention else left, below], 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        d = self.enc3(F.max_pool2d(b, 2))
        return self.head(self.dec1(self.join(a, self.dec2(self.join(b, d, 2)), 1)))


def run(name, channels, block, up):
    out = {}
    torch.manual_seed(1)

    def keep(name, t):
        t = t.detach()
        out[name] = t.numpy().copy() if t.dtype == torch.uint8 else t.to(torch.float32).numpy().copy()

    net = UNet(*channels, block, up)
    with torch.no_grad():  # batch norms that differ from the identity
        for part, p in net.named_parameters():
            if "norm" in part:
                p.add_(0.3 * torch.randn_like(p))
    x = torch.randn(3, 3, 8, 12)
    vessel = torch.randint(0, 256, (3, 1, 8, 12), dtype=torch.uint8)
    fov = torch.randint(0, 2, (3, 1, 8, 12), dtype=torch.uint8) * 255
    keep("x", x), keep("vessel", vessel), keep("fov", fov)
    for part, p in net.named_parameters():
        keep("start/" + part, p)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    inside, target, losses = fov > 127, vessel.float() / 255, []
    for step in range(10):
        adam.zero_grad()
        logits = net(x)
        loss = F.binary_cross_entropy_with_logits(logits[inside], target[inside])
        loss.backward()
        if step == 0:
            keep("logits", logits)
            for part, p in net.named_parameters():
                keep("grad/" + part, p.grad)
        adam.step()
        losses.append(loss.item())
    for part, p in net.state_dict().items():
        if "num_batches" not in part:
            keep("end/" + part, p)
    out["losses"] = np.array(losses, dtype=np.float32)
    net.eval()
    keep("logits_eval", net(x))
    save_file(out, f"torch_{name}.safetensors")


torch.set_num_threads(1)
run("unet", (4, 6, 8), "double", "nearest")
run("double_bilinear", (3, 4, 5), "double", "bilinear")
run("double_transposed", (3, 4, 5), "double", "transposed")
run("residual_nearest", (3, 4, 4), "residual", "nearest")
run("attention_nearest", (4, 4, 5), "attention", "nearest")
