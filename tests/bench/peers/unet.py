"""The network of rs-train(1), three levels, in PyTorch, with its names."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Block(nn.Module):
    def __init__(self, cin, cout, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        x = self.drop(F.relu(self.norm1(self.conv1(x)), inplace=True))
        return self.drop(F.relu(self.norm2(self.conv2(x)), inplace=True))

    def fold(self):
        """Batch norm into the convolutions before it, for use alone."""
        for i in "12":
            conv, norm = getattr(self, "conv" + i), getattr(self, "norm" + i)
            setattr(self, "conv" + i, fuse_conv_bn_eval(conv, norm))
            setattr(self, "norm" + i, nn.Identity())


class UNet(nn.Module):
    def __init__(self, c1, c2, c3, dropout=0.0):
        super().__init__()
        self.enc1, self.enc2, self.enc3 = Block(3, c1, dropout), Block(c1, c2, dropout), Block(c2, c3, dropout)
        self.up2, self.dec2 = nn.Conv2d(c3, c2, 1), Block(2 * c2, c2, dropout)
        self.up1, self.dec1 = nn.Conv2d(c2, c1, 1), Block(2 * c1, c1, dropout)
        self.head = nn.Conv2d(c1, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        d = self.enc3(F.max_pool2d(b, 2))
        d = self.dec2(torch.cat([b, self.up2(F.interpolate(d, scale_factor=2.0, mode="nearest"))], 1))
        d = self.dec1(torch.cat([a, self.up1(F.interpolate(d, scale_factor=2.0, mode="nearest"))], 1))
        return self.head(d)

    def fold(self):
        for block in (self.enc1, self.enc2, self.enc3, self.dec2, self.dec1):
            block.fold()


def load(meta, arrays):
    """A model that photograph.read_model has read, ready for use."""
    net = UNet(*map(int, meta["channels"].split(",")))
    net.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in arrays.items()})
    return net.eval()


def title(*settings):
    return ", ".join(("PyTorch " + torch.__version__,) + settings)
