"""Convolutions that compute some shapes faster on a CPU, with the parameters and results of PyTorch's."""
