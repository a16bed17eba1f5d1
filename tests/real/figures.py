"""What the suite measured, for one table at its end."""

_rows: list[tuple[str, str, str]] = []


def record(what: str, measured: str, bound: str = "") -> None:
    """Notes a figure and the bound it was held to."""
    _rows.append((what, measured, bound))


def table() -> str:
    """All figures, in the order of the tests."""
    rows = [("measured", "figure", "bound"), *_rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
