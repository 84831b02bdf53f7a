"""Writes the dashboards in this folder from boards.yaml: make boards."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

FOLDER = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA = 39  # the schemaVersion of Grafana 11; later ones migrate it as they load it
COLUMNS = 24  # of Grafana's grid
SIZES = {"stat": (4, 4), "lines": (8, 8), "heatmap": (8, 8)}
"""Width and height of each form of panel, in units of the grid: chosen, six numbers or three graphs a row."""


def dashboards() -> dict[str, str]:
    """Returns the text of each dashboard by its file's name."""
    boards = yaml.safe_load((FOLDER / "boards.yaml").read_text())
    return {f"{name}.json": _text(_dashboard(name, board)) for name, board in boards.items()}


def _text(dashboard: Json) -> str:
    """Returns JSON with one line a panel, so that a diff shows which panels changed."""
    panels = ",\n".join(json.dumps(panel, ensure_ascii=False) for panel in dashboard["panels"])
    rest = json.dumps({**dashboard, "panels": []}, ensure_ascii=False, indent=1)
    return rest.replace('"panels": []', f'"panels": [\n{panels}\n]') + "\n"


def _dashboard(name: str, board: Json) -> Json:
    return {
        "uid": f"copydesk-{name}",
        "title": f"Copydesk: {board['title']}",
        "description": board["text"],
        "tags": ["copydesk"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,  # one cursor for all panels
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "links": [{"type": "dashboards", "tags": ["copydesk"], "title": "Copydesk", "keepTime": True}],
        "templating": {"list": list(_variables(board.get("variables", {})))},
        "panels": [_words(board["text"]), *_placed(board["panels"])],
    }


def _variables(metrics: Mapping[str, str]) -> Iterator[Json]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    for label, metric in metrics.items():
        yield {
            "name": label,
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": f"label_values({metric}, {label})", "refId": label},
            "refresh": 2,  # when the time range changes
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
            "sort": 1,
        }


def _words(text: str) -> Json:
    return {
        "id": 1,
        "type": "text",
        "title": "",
        "gridPos": {"x": 0, "y": 0, "w": COLUMNS, "h": 2},
        "options": {"mode": "markdown", "content": text},
    }


def _placed(panels: Sequence[Json]) -> Iterator[Json]:
    """Yields the panels from left to right, in rows of one height each."""
    x, y, row = 0, 2, 0
    for number, panel in enumerate(panels, start=2):
        width, height = SIZES[panel.get("as", "lines")]
        if row and (x + width > COLUMNS or height != row):
            x, y = 0, y + row
        row = height
        yield {"id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **_panel(panel)}
        x += width


def _panel(panel: Json) -> Json:
    form = panel.get("as", "lines")
    made = {"stat": _stat, "lines": _lines, "heatmap": _heatmap}[form](panel)
    return {
        "title": panel["title"],
        "description": panel["good"],
        "datasource": SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": form == "stat",
                "range": form != "stat",
                "format": "heatmap" if form == "heatmap" else "time_series",
            }
            for number, (legend, expression) in enumerate(panel["queries"].items())
        ],
        **made,
    }


def _defaults(panel: Json) -> Json:
    """Returns unit, thresholds and the words for no data, as every form of panel has them."""
    steps = [{"value": None, "color": panel.get("below", "green")}]
    steps += [{"value": value, "color": colour} for value, colour in panel.get("thresholds", {}).items()]
    empty = {"noValue": panel["empty"]} if "empty" in panel else {}
    return {"unit": panel.get("unit", "short"), "thresholds": {"mode": "absolute", "steps": steps}, **empty}


def _stat(panel: Json) -> Json:
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "none"}
    return {"type": "stat", "fieldConfig": {"defaults": _defaults(panel), "overrides": []}, "options": options}


def _lines(panel: Json) -> Json:
    top = {"max": panel["max"]} if "max" in panel else {}
    custom = {
        "fillOpacity": 8,
        "lineWidth": 1,
        "showPoints": "never",
        "thresholdsStyle": {"mode": "line" if "thresholds" in panel else "off"},
    }
    defaults = {**_defaults(panel), "min": 0, **top, "color": {"mode": "palette-classic"}, "custom": custom}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return {"type": "timeseries", "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options}


def _heatmap(panel: Json) -> Json:
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Greens", "steps": 32},
        "yAxis": {"unit": panel["unit"]},
        "rowsFrame": {"layout": "auto"},
        "legend": {"show": True},
        "tooltip": {"mode": "single"},
    }
    return {"type": "heatmap", "fieldConfig": {"defaults": _defaults(panel), "overrides": []}, "options": options}


def main() -> None:
    """Writes all dashboards, and removes those that are no more."""
    texts = dashboards()
    folder = FOLDER / "dashboards"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        if file.name not in texts:
            file.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
