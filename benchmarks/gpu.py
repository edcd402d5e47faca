"""Makes a folder that measures keras_gans on a GPU whose machine has jax and PyTorch, and no
TensorFlow; and reads what comes back.

    python benchmarks/gpu.py --out runs/gpu
    (there)  bash runs/gpu/gpu_run.sh DIR     # the table, in 8 minutes at most: DIR/gpu.json
    python benchmarks/gpu.py --table gpu.json

The folder, below 60 MiB, holds each row's training step as StableHLO (`tools/pjrt`), in float32 and
in mixed_bfloat16, and some with eight steps in a call, and the same in PyTorch. Weights are drawn
there. `--no-tf32` is for a second folder, in which
both sides compute products in float32; by default both may take TF32. `--small` makes the same for
a CPU, with tiny networks, to try it.
"""

import argparse
import dataclasses
import json
import shutil
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PJRT = ROOT / "tools" / "pjrt"
LIMIT = 60 * 2**20
GOALS = {"torch": 0.8, "compiled": 1.0}
CODE = ("gpu_table.py", "throughput.py", "contender_torch.py", "torch_networks.py", "rows.py")
OURS = {"ours": {}, "ours_bf16": {"policy": "mixed_bfloat16"}, "ours_x8": {"steps_per_call": 8}}
# Other memory formats were no faster on an H100, and eight minutes are soon over.
TORCH = ("torch_last", "torch_compiled", "torch_bf16", "torch_compiled_bf16")
SHORT = ("dcgan_64", "progan_64")  # rows that are also measured with several steps in a call

RUN = """#!/usr/bin/env bash
# The table of docs/performance.md. DIR (default: .) gets gpu.json and gpu.log.
cd "$(dirname "$0")"
out=${1:-$PWD}
timeout 480 "${PYTHON:-python3}" gpu_table.py --minutes "${MINUTES:-7.7}" --out "$out/gpu.json"
"""


def write_folder(out, tf32=True, small=False):
    """Writes all that a GPU's machine needs; see above."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SystemExit(f"--out must be new. Received: '{out}', which exists")
    sys.path.insert(0, str(PJRT))
    from keras_gans.devices.precision import dtype_policy
    from keras_gans.files import new_directory, write_json

    from export_step import export_step

    from contender_ours import build

    table, scaling = chosen_rows(small)
    torch = ("torch_last", "torch_compiled", "torch_compiled_bf16") if small else TORCH
    contenders = {name: [*ours_of(name), *torch] for name in table}
    contenders |= {name: ["ours", "torch_last"] for name in scaling}
    # Rows that compile at the same time, on some ten cores; the line by batch is short and last.
    names, at_once = list(table), 1 if small else 2
    groups = [names[i : i + at_once] for i in range(0, len(names), at_once)] + [list(scaling)]
    with new_directory(out) as folder:
        for name, row in {**table, **scaling}.items():
            for contender in [c for c in contenders[name] if c in OURS]:
                settings = dict(OURS[contender])
                with dtype_policy(settings.pop("policy", "float32")):
                    model = build(row)
                path = folder / "steps" / f"{name}-{contender}"
                options = {"uint8": False, "samples": 0, "with_state": False, "tf32": tf32}
                export_step(model, path, row.batch, **options, **settings)
                (path / "model.json").unlink()
                forget(path, "model.json")
                print(path.relative_to(folder), flush=True)
        for source in [ROOT / "benchmarks" / name for name in CODE]:
            shutil.copy(source, folder)
        for name in ("run_step.py", "states.py"):
            shutil.copy(PJRT / name, folder)
        (folder / "gpu_run.sh").write_text(RUN)
        write_json(
            folder / "plan.json",
            {
                "rows": {n: dataclasses.asdict(r) for n, r in {**table, **scaling}.items()},
                "groups": groups,
                "contenders": contenders,
                "counted": names,
                "tf32": tf32,
                "device": "cpu" if small else "cuda",
            },
        )
        size = sum(file.stat().st_size for file in folder.rglob("*"))
        if size > LIMIT:
            raise SystemExit(f"The folder must be below {LIMIT:,} bytes. Received: {size:,}")
    return size


def forget(path, name):
    """Takes a file out of a manifest that is not needed for timings."""
    manifest = json.loads((path / "manifest.json").read_text())
    del manifest["sha256"][name]
    (path / "manifest.json").write_text(json.dumps(manifest))


def chosen_rows(small):
    from rows import GPU_ROWS, SCALING_ROWS

    if not small:
        return GPU_ROWS, SCALING_ROWS

    def shrunk(row):
        width, size = 64 if row.algorithm == "progan" else 4, 32 if row.batch == 1 else 16
        shape = (size, size, 3)
        return dataclasses.replace(row, shape=shape, batch=min(row.batch, 8), width=width)

    names = ("dcgan_64", "wgan_gp_64", "cyclegan_128", "progan_64")
    table = {name: shrunk(GPU_ROWS[name]) for name in names}
    scaling = list(SCALING_ROWS.items())[:2]
    return table, {n: dataclasses.replace(r, shape=(16, 16, 3), width=4) for n, r in scaling}


def ours_of(row_name):
    return [name for name in OURS if name != "ours_x8" or row_name in SHORT]


# What comes back


def table(content):
    """The Markdown table of a gpu.json."""
    lines = [
        "| row | images/s | ours, ms | 8 in a call | PyTorch | compiled | of PyTorch | of compiled "
        "| of peak | bf16: ours, ms | of PyTorch | of compiled | peak MiB: ours / PyTorch |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows, peaks = content["plan"]["rows"], content["card"]
    for name in content["plan"]["counted"]:
        if name not in content["rows"]:
            lines.append(f"| {rows[name]['title']} | not measured |" + " |" * 11)
            continue
        result = content["rows"][name]
        blocks = {c: b for c, b in result["seconds_per_step"].items() if b}
        seconds = {contender: statistics.median(b) for contender, b in blocks.items()}
        eager = best(seconds, ("torch", "torch_last"))
        compiled = best(seconds, ("torch_compiled", "torch_compiled_last"))
        n = rows[name]["batch"] * (5 if rows[name]["algorithm"] == "wgan_gp" else 1)
        flops = peaks.get("flops_per_step", {}).get(name)
        share = None
        if flops and "ours" in seconds and "float32" in peaks:
            share = flops / seconds["ours"] / peaks["float32"]
        memory = [result["memory"].get(c) for c in ("ours", eager)]
        cells = [
            rows[name]["title"],
            number(seconds.get("ours") and n / seconds["ours"], ".4g"),
            *(number(seconds.get(c), ".3f", 1e3) for c in ("ours", "ours_x8", eager, compiled)),
            goal(ratio(blocks, "ours", eager), GOALS["torch"]),
            goal(ratio(blocks, "ours", compiled), GOALS["compiled"]),
            number(share, ".0%"),
            number(seconds.get("ours_bf16"), ".3f", 1e3),
            goal(ratio(blocks, "ours_bf16", "torch_bf16"), GOALS["torch"]),
            goal(ratio(blocks, "ours_bf16", "torch_compiled_bf16"), GOALS["compiled"]),
            " / ".join(number(m, ".0f", 2**-20) for m in memory),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| batch | ours, ms | PyTorch, ms | ours, images/s |", "|---|---|---|---|"]
    for name, row in rows.items():
        blocks = content["rows"].get(name, {}).get("seconds_per_step", {})
        if name not in content["plan"]["counted"] and blocks.get("ours"):
            ours, other = (statistics.median(blocks.get(c) or [0]) for c in ("ours", "torch_last"))
            cells = (f"{1e3 * ours:.3f}", f"{1e3 * other:.3f}", f"{row['batch'] / ours:.4g}")
            lines.append(f"| {row['batch']} | " + " | ".join(cells) + " |")
    failed = [
        f"{name}, {contender}: {reason}"
        for name, result in content["rows"].items()
        for contender, reason in result["failed"].items()
    ]
    if failed or content["skipped"]:
        lines += ["", "Not measured: " + "; ".join([*failed, *content["skipped"]])]
    card = content["card"]
    lines += ["", f"{card.get('name', card)}; TF32 {'on' if content['plan']['tf32'] else 'off'}."]
    return "\n".join(lines)


def best(seconds, contenders):
    """The fastest of some contenders, or the first where none was measured."""
    measured = [contender for contender in contenders if contender in seconds]
    return min(measured, key=seconds.get, default=contenders[0])


def ratio(blocks, a, b):
    """The median over the rounds of one contender's time over another's; None without both."""
    if a not in blocks or b not in blocks:
        return None
    return statistics.median(x / y for x, y in zip(blocks[a], blocks[b], strict=False))


def number(value, form, factor=1):
    return "-" if value is None else format(value * factor, form)


def goal(value, limit):
    return "-" if value is None else f"{value:.2f}" + (", missed" if value > limit else "")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="new directory to make")
    parser.add_argument("--no-tf32", action="store_true", help="float32 products, on both sides")
    parser.add_argument("--small", action="store_true", help="tiny networks, for a CPU")
    parser.add_argument("--table", type=Path, metavar="FILE", help="a gpu.json, as Markdown")
    args = parser.parse_args()
    if args.table:
        print(table(json.loads(args.table.read_text())))
    elif args.out:
        size = write_folder(args.out, tf32=not args.no_tf32, small=args.small)
        print(f"{args.out}: {size / 2**20:.1f} MiB")
    else:
        parser.error("one of --out and --table must be given")


if __name__ == "__main__":
    main()
