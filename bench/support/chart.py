"""Pictures as SVG, drawn by hand: bars with their spread in small panels, and lines over time."""

import html
import math

PALETTE = ("#0b6e4f", "#8d99ae", "#c8553d", "#588157", "#3d5a80", "#d4a017", "#6d597a")
INK, FAINT = "#222222", "#dddddd"


def _text(x, y, words, size=11, anchor="start", color=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}" '
            f'font-weight="{weight}">{html.escape(words)}</text>')


def _page(width, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(body) + "\n</svg>\n")


def short(value):
    if value >= 10_000:
        return f"{value / 1000:,.0f} k"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def bars(title, note, panels, colors):
    """panels: [(title, [(label, middle, low, high) …])]; colors: label → colour. Three panels a row; each has its own scale."""
    columns, panel_width, row_height, label_width = 3, 380, 19, 96
    body = [_text(20, 30, title, 17, weight="bold"), _text(20, 50, note, 11, color="#555555")]
    top = 70
    for start in range(0, len(panels), columns):
        row = panels[start:start + columns]
        tallest = max(len(entries) for _, entries in row)
        for column, (name, entries) in enumerate(row):
            left = 20 + column * (panel_width + 20)
            body.append(_text(left, top + 14, name, 12, weight="bold"))
            scale = (panel_width - label_width - 60) / (max((high for *_, high in entries), default=1) or 1)
            for i, (label, middle, low, high) in enumerate(entries):
                y = top + 24 + i * row_height
                x = left + label_width
                body.append(_text(x - 6, y + 12, label, 11, "end"))
                body.append(f'<rect x="{x}" y="{y + 1}" width="{max(1, middle * scale):.1f}" height="{row_height - 5}" '
                            f'fill="{colors[label]}"/>')
                line = y + row_height / 2 - 1.5
                body.append(f'<path d="M{x + low * scale:.1f} {line:.1f}H{x + high * scale:.1f}" stroke="{INK}"/>')
                body.append(_text(x + high * scale + 6, y + 12, short(middle), 11))
        top += 24 + tallest * row_height + 26
    return _page(columns * (panel_width + 20) + 20, top, body)


def lines(title, note, panels):
    """panels: [(title, unit, {label: [y…]})], one point a second. All begin at zero."""
    width, height, left, gap = 880, 200, 70, 60
    body = [_text(20, 30, title, 17, weight="bold"), _text(20, 50, note, 11, color="#555555")]
    top = 80
    for name, unit, series in panels:
        body.append(_text(left, top - 8, f"{name} ({unit})", 12, weight="bold"))
        highest = max((max(points, default=0) for points in series.values()), default=0) or 1
        step = 10 ** math.floor(math.log10(highest))
        step = next(s for s in (step / 5, step / 2, step, step * 2) if highest / s <= 6)
        count = max((len(points) for points in series.values()), default=2)
        across, up = (width - left - 20) / max(1, count - 1), height / highest
        for i in range(int(highest / step) + 1):
            y = top + height - i * step * up
            body.append(f'<path d="M{left} {y:.1f}H{width - 20}" stroke="{FAINT}"/>' + _text(left - 6, y + 4, f"{i * step:g}", 10, "end"))
        for i, (label, points) in enumerate(series.items()):
            path = "L".join(f"{left + x * across:.1f} {top + height - y * up:.1f}" for x, y in enumerate(points))
            body.append(f'<path d="M{path}" fill="none" stroke="{PALETTE[i]}" stroke-width="1.5"/>')
            body.append(_text(left + 300 + i * 190, top - 8, f"■ {label}", 11, color=PALETTE[i]))
        for second in range(0, count, max(1, count // 10)):
            body.append(_text(left + second * across, top + height + 14, f"{second} s", 10, "middle"))
        top += height + gap
    return _page(width, top, body)
