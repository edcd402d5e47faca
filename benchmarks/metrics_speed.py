"""FID, KID and PRDC of given features: seconds and peak memory, beside straightforward numpy.

Each runs in a process of its own, so that its peak memory is its own: the most that the process
held, less what it held before the first update. Both have the same features (a mixture of
directions of falling variance, at most 0 in a half, as after a ReLU) and must agree, or the
program ends with an error. "numpy" is what one writes down first: `numpy.cov` and
`scipy.linalg.sqrtm`; kernels of each subset with a power; whole matrices of distances.

    python benchmarks/metrics_speed.py
    python benchmarks/metrics_speed.py --num 1000 --size 256
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

METRICS = ("fid", "kid", "prdc")
SUBSETS, SUBSET_SIZE, K, BATCH = 100, 1000, 5, 100


def features(num, size, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    scales = np.linspace(1, 0.05, size) ** 2
    mixing = np.random.default_rng(0).normal(size=(size, size)) / np.sqrt(size)
    rows = (rng.normal(size=(num, size)) * scales) @ mixing + shift * scales
    return np.maximum(rows, 0).astype("float32")


def subset_size(num):
    return min(SUBSET_SIZE, num // 2)


def ours(name, reals, fakes):
    from keras_gans.metrics import FID, KID, PRDC, GivenFeatures

    num, size = reals.shape
    given = GivenFeatures(size, "benchmark")
    metric = {
        "fid": lambda: FID(given),
        "kid": lambda: KID(given, num, SUBSETS, subset_size(num)),
        "prdc": lambda: PRDC(given, num, K),
    }[name]()
    for start in range(0, num, BATCH):
        metric.update_state(reals[start : start + BATCH], fakes[start : start + BATCH])
    return metric.values()


def plain_fid(reals, fakes):
    from scipy import linalg

    covariances = [np.cov(x, rowvar=False) for x in (reals, fakes)]
    means = reals.mean(axis=0, dtype="float64") - fakes.mean(axis=0, dtype="float64")
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    return {"fid": means @ means + np.trace(covariances[0] + covariances[1] - 2 * root)}


def plain_kid(reals, fakes):
    from keras_gans.metrics.kid import draw_subsets

    num, size = reals.shape
    reals, fakes = reals.astype("float64"), fakes.astype("float64")
    m, kids = subset_size(num), []
    for i, j in draw_subsets(num, num, SUBSETS, m, seed=0):
        x, y = reals[i], fakes[j]
        within = [(z @ z.T / size + 1) ** 3 for z in (x, y)]
        sums = [kernel.sum() - np.trace(kernel) for kernel in within]
        kids.append(sum(sums) / (m * (m - 1)) - 2 * ((x @ y.T / size + 1) ** 3).mean())
    return {"kid": np.mean(kids), "kid_std": np.std(kids)}


def plain_prdc(reals, fakes):
    def distances(a, b):
        a, b = a.astype("float64"), b.astype("float64")
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
        return np.sqrt(np.maximum(squares, 0))

    # The row's own distance of about 0 comes first.
    of_reals, of_fakes = (np.partition(distances(x, x), K, axis=1)[:, K] for x in (reals, fakes))
    between = distances(reals, fakes)
    near = between <= of_reals[:, None]
    return {
        "precision": near.any(axis=0).mean(),
        "recall": (between <= of_fakes).any(axis=1).mean(),
        "density": near.sum() / (K * len(fakes)),
        "coverage": near.any(axis=1).mean(),
    }


PLAIN = {"fid": plain_fid, "kid": plain_kid, "prdc": plain_prdc}


class PeakMemory:
    """The most memory that this process holds while it runs, beyond what it held, in bytes."""

    def __enter__(self):
        self.begin, self.peak, self.ended = self._now(), 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.thread.join()

    def _watch(self):
        while not self.ended.wait(0.005):
            self.peak = max(self.peak, self._now() - self.begin)

    @staticmethod
    def _now():
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(side, name, num, size):
    """One metric of one side, in this process: dict of values, seconds and bytes."""
    if side == "ours":
        ours(name, *(features(2 * K + 10, 8, seed) for seed in (1, 2)))  # TensorFlow's own start
    else:
        import scipy.linalg  # noqa: F401
    reals, fakes = features(num, size, 1), features(num, size, 2, shift=0.02)
    with PeakMemory() as memory:
        begin = time.perf_counter()
        values = ours(name, reals, fakes) if side == "ours" else PLAIN[name](reals, fakes)
        seconds = time.perf_counter() - begin
    values = {key: float(value) for key, value in values.items()}
    return {"values": values, "seconds": seconds, "bytes": memory.peak}


def in_a_process(*arguments):
    command = [sys.executable, os.path.abspath(__file__), "--child", *map(str, arguments)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num", type=int, default=10_000, help="reals, and fakes")
    parser.add_argument("--size", type=int, default=2048, help="features of each")
    parser.add_argument("--metrics", nargs="+", default=METRICS, choices=METRICS)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        side, name, num, size = args.child
        print(json.dumps(measure(side, name, int(num), int(size))))
        return

    print(f"{args.num:,} reals and fakes, {args.size} features, {os.cpu_count()} cores")
    print("| metric | side | seconds | peak memory (MB) | value |\n|---|---|---|---|---|")
    totals = {"ours": [0.0, 0], "numpy": [0.0, 0]}
    for name in args.metrics:
        found = {side: in_a_process(side, name, args.num, args.size) for side in totals}
        for side, row in found.items():
            values = ", ".join(f"{key} {value:.6g}" for key, value in row["values"].items())
            print(
                f"| {name} | {side} | {row['seconds']:.1f} | {row['bytes'] / 1e6:.0f} | {values} |"
            )
            totals[side][0] += row["seconds"]
            totals[side][1] = max(totals[side][1], row["bytes"])
        for key, value in found["numpy"]["values"].items():
            np.testing.assert_allclose(found["ours"]["values"][key], value, rtol=1e-3, atol=1e-9)
    for side, (seconds, most) in totals.items():
        print(f"| all | {side} | {seconds:.1f} | {most / 1e6:.0f} | |")


if __name__ == "__main__":
    main()
