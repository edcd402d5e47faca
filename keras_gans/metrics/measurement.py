"""A measured number together with how it was measured: one is worth little without the other."""

import dataclasses
import math

DIGEST = 12  # hexadecimal digits of a hash that are printed; all of them are compared


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a metric gave, and its protocol.

    Numbers that were measured differently can't be compared: FIDs of two extractors, or of 1,000
    and of 10,000 pictures, differ for the same generator. So all comparisons here raise unless the
    protocols agree in every entry.

    Args:
        metric: str, such as "fid".
        values: dict of floats, the main one first: `{"kid": 0.012, "kid_error": 0.001}`.
        protocol: dict of all that the numbers depend on but for the fakes: strings, numbers, None.
        lower_is_better: bool, of the main value.
        caution: str, what has to be known of the numbers before they are believed: that they are of
            few examples. Empty where there is nothing.

    Example:

    >>> print(Measurement("fid", {"fid": 12.3456}, {"reals": 10_000, "fakes": 10_000}, True))
    fid 12.35 (reals 10,000, fakes 10,000)
    """

    metric: str
    values: dict
    protocol: dict
    lower_is_better: bool
    caution: str = ""

    @property
    def value(self):
        """The main value."""
        return next(iter(self.values.values()))

    def __str__(self):
        values = ", ".join(f"{name} {_number(value)}" for name, value in self.values.items())
        caution = f" Caution: {self.caution}" if self.caution else ""
        return f"{values} ({', '.join(self.protocol_words())}){caution}"

    def protocol_words(self):
        """The protocol as a list of str, such as "extractor inception_v3", for tables and cards."""
        return [f"{name.replace('_', ' ')} {_short(v)}" for name, v in self.protocol.items()]

    def check_comparable(self, other):
        """Raises ValueError, with all differences, unless both were measured in one way."""
        own, others = ({"metric": m.metric, **m.protocol} for m in (self, other))
        names = [name for name in {**own, **others} if own.get(name) != others.get(name)]
        if names:
            differences = ", ".join(f"{n} {own.get(n)!r} and {others.get(n)!r}" for n in names)
            raise ValueError(
                f"Measurements must have one protocol to be compared. They differ in: {differences}"
            )

    def better_than(self, other):
        """Whether the main value is better than the other's.

        A value that is not a number, as after a training that diverged, is never better.

        Raises:
            ValueError: the protocols differ.
        """
        self.check_comparable(other)
        if math.isnan(self.value) or math.isnan(other.value):
            return not math.isnan(self.value)
        return self.value < other.value if self.lower_is_better else self.value > other.value

    def to_dict(self):
        """A dict that `json.dump` can write."""
        content = dataclasses.asdict(self)
        return content if self.caution else {n: v for n, v in content.items() if n != "caution"}

    @classmethod
    def from_dict(cls, content):
        """What `to_dict` gave."""
        return cls(**content)


def _number(value):
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.4g}"


def _short(value):
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    is_digest = len(value) >= 64 and all(c in "0123456789abcdef" for c in value)
    return value[:DIGEST] if is_digest else value
