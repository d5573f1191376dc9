"""The gates' output and its gradients in one pass: by numba on the processor, by Triton on CUDA.

What ``gating`` says as formulas, computed without keeping anything but the output: the gradient's pass
computes the gate again, which takes less time than to read it. Where a kernel can't be used (no numba, half
precision, a graph being traced, gradients of gradients) the formulas remain.
"""
