"""The windowed features of the Fraud Detection Handbook, as its chapter 3.3 makes them in pandas: per customer and per terminal, a frame each.

Its sort by time is made stable: otherwise payments of a card in the same second change places by chance (20 rows of pandas 3.1.1 have other values then).

`python bench/aggregates.py DATA/fraud-handbook OUT` writes float64[rows, 12] in the order of TRANSACTION_ID and prints seconds, without reading and writing.
"""

import json
import resource
import sys
import time

import duckdb
import numpy as np
import pandas

windows = [1, 7, 30]
delay = 7
names = [f"customer_{made}_{days}d" for days in windows for made in ["count", "mean"]] + [f"terminal_{made}_{days}d" for days in windows for made in ["count", "risk"]]


def of_customer(rows):
    rows = rows.sort_values("TX_DATETIME", kind="stable")
    rows.index = rows.TX_DATETIME
    for days in windows:
        total = rows["TX_AMOUNT"].rolling(f"{days}D").sum()
        count = rows["TX_AMOUNT"].rolling(f"{days}D").count()
        rows[f"customer_count_{days}d"] = list(count)
        rows[f"customer_mean_{days}d"] = list(total / count)
    rows.index = rows.TRANSACTION_ID
    return rows


def of_terminal(rows):
    rows = rows.sort_values("TX_DATETIME", kind="stable")
    rows.index = rows.TX_DATETIME
    frauds_delay = rows["TX_FRAUD"].rolling(f"{delay}D").sum()
    count_delay = rows["TX_FRAUD"].rolling(f"{delay}D").count()
    for days in windows:
        frauds = rows["TX_FRAUD"].rolling(f"{delay + days}D").sum() - frauds_delay
        count = rows["TX_FRAUD"].rolling(f"{delay + days}D").count() - count_delay
        rows[f"terminal_count_{days}d"] = list(count)
        rows[f"terminal_risk_{days}d"] = list(frauds / count)
    rows.index = rows.TRANSACTION_ID
    return rows.fillna(0)


def read(folder):
    """All transactions in the order of TRANSACTION_ID, which is the order of time."""
    return duckdb.sql(f"FROM read_parquet('{folder}/transactions-*.parquet') ORDER BY TRANSACTION_ID").df()


def features(rows):
    for group, make in [("CUSTOMER_ID", of_customer), ("TERMINAL_ID", of_terminal)]:
        # As the handbook's apply: a frame for each group. (Newer pandas leaves the group's column out of apply's.)
        parts = [make(part) for _, part in rows.groupby(group)]
        rows = pandas.concat(parts).sort_values("TX_DATETIME").reset_index(drop=True)
    return rows.sort_values("TRANSACTION_ID")


if __name__ == "__main__":
    folder, out = sys.argv[1:]
    transactions = read(folder)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    made = features(transactions)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    np.ascontiguousarray(made[names].to_numpy(dtype=np.float64)).tofile(out)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"library": f"pandas {pandas.__version__}", "rows": len(made), "seconds": seconds, "cpuSeconds": cpu}))
