"""The smallest game, min_x max_y xy, whose only equilibrium is (0, 0).

With z = x + iy each method multiplies z by a number, and the modulus of that number is what the
distance to the equilibrium grows by in one step of rate h:

    continuous flow      dz/dt = iz                     1
    simultaneous steps   1 + ih                         sqrt(1 + h^2), outwards
    alternating steps    a matrix of determinant 1      1: x^2 + y^2 - hxy never changes
    extragradient        1 + ih - h^2                   sqrt(1 - h^2 + h^4), inwards for h < 1
    optimistic           root of r^2 - (1 + 2ih) r + ih, the larger one; inwards for small h

A gradient points around the equilibrium, never towards it. So the flow circles, plain steps along
its tangents leave the circle, and methods that look one step ahead come in.

Sources: Goodfellow, 2016 (arXiv:1701.00160), exercise 7.2 and its solution, for the flow; Gidel et
al., 2019 (arXiv:1802.10551) for the steps and extragradient (Korpelevich, 1976); Daskalakis et al.,
2018 (arXiv:1711.03141) for the optimistic method. Settings: rate 0.1, 150 steps from (1, 0).
"""

import numpy as np

from common import arguments, finish, subplots

STYLES = {
    "continuous flow": {"color": "0.75", "linewidth": 6},
    "extragradient": {"color": "tab:green", "linewidth": 3.5, "alpha": 0.6},
    "optimistic": {"color": "tab:red", "linewidth": 1.2},
}
"""Wide lines below narrow ones: these paths lie on others."""


def simultaneous(x, y, rate):
    return x - rate * y, y + rate * x


def alternating(x, y, rate):
    """y answers to the x that has moved already."""
    x = x - rate * y
    return x, y + rate * x


def extragradient(x, y, rate):
    """The gradient of the point that a plain step would lead to."""
    ahead_x, ahead_y = simultaneous(x, y, rate)
    return x - rate * ahead_y, y + rate * ahead_x


def flow(x, y, rate):
    """The continuous flow for a time of `rate`: a rotation."""
    return np.cos(rate) * x - np.sin(rate) * y, np.sin(rate) * x + np.cos(rate) * y


def path(step, rate, steps):
    """Points (steps + 1, 2) from (1, 0) on."""
    points = [(1.0, 0.0)]
    for _ in range(steps):
        points.append(step(*points[-1], rate))
    return np.array(points)


def optimistic_path(rate, steps):
    """Steps with twice the gradient minus the last one; the first is a plain one."""
    points = [(1.0, 0.0), simultaneous(1.0, 0.0, rate)]
    for _ in range(steps - 1):
        (x, y), (before_x, before_y) = points[-1], points[-2]
        points.append((x - rate * (2 * y - before_y), y + rate * (2 * x - before_x)))
    return np.array(points)


def formulas(rate):
    """The growth of the distance in one step, by method."""
    return {
        "continuous flow": 1.0,
        "simultaneous": float(np.sqrt(1 + rate**2)),
        "alternating": 1.0,
        "extragradient": float(np.sqrt(1 - rate**2 + rate**4)),
        "optimistic": float(np.abs(np.roots([1, -1 - 2j * rate, 1j * rate])).max()),
    }


def paths(rate, steps):
    """Points (steps + 1, 2) by method."""
    methods = {"continuous flow": flow, "simultaneous": simultaneous, "alternating": alternating}
    methods["extragradient"] = extragradient
    found = {name: path(step, rate, steps) for name, step in methods.items()}
    return {**found, "optimistic": optimistic_path(rate, steps)}


def distances(name, points, rate):
    """Distances to the equilibrium; the ellipse's own measure where steps alternate."""
    x, y = points.T
    return np.sqrt(x**2 + y**2 - (rate * x * y if name == "alternating" else 0.0))


def growth(name, points, rate):
    """The mean growth in a step (geometric), over the second half of the path."""
    r = distances(name, points, rate)[len(points) // 2 :]
    return float((r[-1] / r[0]) ** (1 / (len(r) - 1)))


def main(argv=None):
    args = arguments(__doc__, argv, rate={"type": float, "default": 0.1})
    found = paths(args.rate, 40 if args.quick else 150)
    figure, (plane, radius) = subplots(2, height=4.2)
    rows = []
    for name, points in found.items():
        style = STYLES.get(name, {})
        plane.plot(*points.T, **style)
        radius.plot(np.linalg.norm(points, axis=1), label=name, **style)
        measured, formula = growth(name, points, args.rate), formulas(args.rate)[name]
        rows.append(
            {
                "method": name,
                "growth a step": f"{measured:.8f}",
                "formula": f"{formula:.8f}",
                "distance at the end": float(np.linalg.norm(points[-1])),
            }
        )
    plane.plot(0, 0, "k+", markersize=10)
    plane.set(aspect="equal", xlabel="x, which descends", ylabel="y, which ascends")
    plane.set_title("five ways around the equilibrium +")
    radius.set(xlabel="step", ylabel="distance to (0, 0)", yscale="log")
    radius.set_yticks([0.5, 1, 2], ["0.5", "1", "2"], minor=False)
    radius.yaxis.minorticks_off()
    radius.set_title(f"rate {args.rate:g}")
    radius.legend(frameon=False, fontsize=8)
    caption = (
        "Simultaneous gradient steps spiral outwards, alternating ones and the continuous flow go "
        "around for ever, extragradient and optimistic steps spiral in. Growth of the alternating "
        "steps is that of sqrt(x² + y² - hxy), which they keep."
    )
    finish("xy_game", args, figure, rows, caption)
    return rows


if __name__ == "__main__":
    main()
