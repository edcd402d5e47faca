"""The machine: what TensorFlow leaves open about kernels, order, precision, randomness, replicas.

Empty, since `onednn` is imported before TensorFlow.
"""
