"""Weights of pytorch-CycleGAN-and-pix2pix as a run."""
