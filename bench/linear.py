"""The other side of bench/linear.ts: scikit-learn on the same rows (20 columns of float32, then float64 labels), as JSON."""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge

path, rows, task = sys.argv[1], int(sys.argv[2]), sys.argv[3]
x = np.fromfile(path, np.float32, rows * 20).reshape(20, rows).T.astype(float)
y = np.fromfile(path, np.float64, rows, offset=4 * rows * 20)
started, cpu = time.perf_counter(), time.process_time()
model = (Ridge(alpha=1, solver="cholesky") if task == "regression" else LogisticRegression(C=1)).fit(x, y)
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
weights = np.atleast_2d(model.coef_).ravel().tolist()
print(json.dumps({"library": f"scikit-learn {sklearn.__version__}", "seconds": seconds, "cpuSeconds": cpu_seconds, "weights": weights}))
