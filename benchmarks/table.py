"""Rows as a table of text."""

COLUMNS = ("what", "tool", "seconds", "peer", "peer_seconds", "ratio", "range", "note")


def show(part: str, rows: list[dict]) -> None:
    """Print the rows of a part; those of times in columns of their own."""
    print(f"\n## {part}")
    lines = [_cells(row) if "what" in row else _plain(row) for row in rows]
    named = [name for name in COLUMNS if any(line.get(name) for line in lines)]
    columns = list(dict.fromkeys([*named, *(name for line in lines for name in line)]))
    columns = [name for name in columns if any(line.get(name) for line in lines)]
    table = [dict(zip(columns, columns, strict=True)), *lines]
    widths = [max(len(line.get(name, "")) for line in table) for name in columns]
    for line in table:
        cells = [line.get(name, "").ljust(wide) for name, wide in zip(columns, widths, strict=True)]
        print("  ".join(cells).rstrip(), flush=True)


def duration(seconds: float) -> str:
    """Seconds in a unit that suits them.

    >>> duration(0.00412), duration(2.5), duration(0.0000031)
    ('4.12 ms', '2.5 s', '3.1 us')
    """
    for limit, factor, unit in ((1e-3, 1e6, "us"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:,.0f} s" if seconds >= 100 else f"{seconds:.3g} s"


def _cells(row: dict) -> dict[str, str]:
    cells = {name: str(row.get(name, "")) for name in ("what", "tool", "peer", "note")}
    for name in ("seconds", "peer_seconds"):
        if row.get(name) is not None:
            cells[name] = duration(row[name])
    if "ratio" in row:
        cells["ratio"] = f"{row['ratio']:.3g} x"
        cells["range"] = f"{row['ratio_low']:.3g} to {row['ratio_high']:.3g}"
    return cells


def _plain(row: dict) -> dict[str, str]:
    return {name: f"{v:.3g}" if isinstance(v, float) else str(v) for name, v in row.items()}
