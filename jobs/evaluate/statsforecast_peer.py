"""Forecasts of statsforecast's models, for the comparison of forecast-peers.ts.

Reads JSON from stdin: {"leads": 48, "season": 24, "histories": [[°C of each hour, oldest first], ...]}.
Writes JSON to stdout: {"version": "2.1.1", "models": [{"name", "seconds", "forecasts": [[°C of each lead], ...]}, ...]}.
"""

import json
import sys
import time
import warnings

import numpy as np
import statsforecast
from statsforecast.models import MSTL, AutoARIMA, AutoETS, AutoTheta, HoltWinters

warnings.filterwarnings("ignore")
asked = json.load(sys.stdin)
leads, season = asked["leads"], asked["season"]
histories = [np.array(history, dtype=np.float64) for history in asked["histories"]]
models = {
    "AutoETS": lambda: AutoETS(season_length=season),
    "HoltWinters": lambda: HoltWinters(season_length=season),
    "MSTL + AutoARIMA": lambda: MSTL(season_length=season, trend_forecaster=AutoARIMA()),
    "AutoTheta": lambda: AutoTheta(season_length=season),
}
results = []
for name, make in models.items():
    start = time.perf_counter()
    forecasts = [make().forecast(y=history, h=leads)["mean"].tolist() for history in histories]
    results.append({"name": name, "seconds": time.perf_counter() - start, "forecasts": forecasts})
    print(name, file=sys.stderr, flush=True)
json.dump({"version": statsforecast.__version__, "models": results}, sys.stdout)
