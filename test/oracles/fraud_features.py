"""Expected windowed features of the handbook's transactions: totals over all rows, and some rows, those of cards with two payments in a second among them.

`python test/oracles/fraud_features.py DATA/fraud-handbook > test/oracles/fraud_features.json` (pandas; a minute or more)
"""

import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / "bench"))
from aggregates import features, names, read  # noqa: E402

made = features(read(sys.argv[1]))
tied = made.duplicated(["CUSTOMER_ID", "TX_DATETIME"], keep=False)
chosen = made[tied | (made["TRANSACTION_ID"] % 17_011 == 0)]
json.dump(
    {
        "names": names,
        "totals": made[names].sum().tolist(),
        "tied": int(tied.sum()),
        "rows": [[int(row["TRANSACTION_ID"]), *(float(row[name]) for name in names)] for _, row in chosen.iterrows()],
    },
    sys.stdout,
)
print()
