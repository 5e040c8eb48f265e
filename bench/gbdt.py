"""The other side of bench/gbdt.ts: LightGBM on the same rows (column-major float32 features, then float64 labels), as JSON."""

import json
import sys
import time

import lightgbm as lgb
import numpy as np

path, rows, features, test_rows, threads = sys.argv[1], *map(int, sys.argv[2:])
all_rows = rows + test_rows
x = np.fromfile(path, np.float32, all_rows * features).reshape(features, all_rows).T
y = np.fromfile(path, np.float64, all_rows, offset=4 * all_rows * features)
started, cpu = time.perf_counter(), time.process_time()
data = lgb.Dataset(x[:rows], y[:rows])
parameters = {
    "objective": "regression",
    "num_leaves": 31,
    "learning_rate": 0.1,
    "max_bin": 255,
    "num_threads": threads,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
}
model = lgb.train(parameters, data, 100)
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
error = model.predict(x[rows:]) - y[rows:]
print(json.dumps({"library": f"lightgbm {lgb.__version__}", "seconds": seconds, "cpuSeconds": cpu_seconds, "rmse": float(np.sqrt(np.mean(error**2)))}))
