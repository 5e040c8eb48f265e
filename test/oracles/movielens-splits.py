"""Sizes of the two MovieLens protocols, by pandas: python movielens-splits.py FOLDER. Prints what test/data/movielens.test.ts expects."""

import hashlib
import json
import sys

import pandas as pd

ratings = pd.read_csv(f"{sys.argv[1]}/ratings.csv")

ordered = ratings.sort_values(["userId", "timestamp", "movieId"])
place = ordered.groupby("userId").cumcount(ascending=False)
test, validation, train = ordered[place < 5], ordered[(place >= 5) & (place < 10)], ordered[place >= 10]
known = set(train.movieId)
relevant = test[(test.rating >= 4)]
popular = train.groupby("movieId").size().reset_index(name="n").sort_values(["n", "movieId"], ascending=[False, True])
keys = "\n".join(f"{u},{m}" for u, m in sorted(zip(test.userId, test.movieId)))
last5 = {
    "train": len(train), "validation": len(validation), "test": len(test),
    "usersWithRelevant": int(relevant.userId.nunique()),
    "items": len(known), "firstItems": [int(i) for i in popular.movieId[:5]],
    "unknownTestRows": int((~test.movieId.isin(known)).sum()),
    "testKeys": hashlib.sha256(keys.encode()).hexdigest(),
    "asOfMs": int(train.timestamp.max()) * 1000,
}

folds = []
for year in range(2000, 2019):
    origin = int(pd.Timestamp(f"{year}-01-01").timestamp())
    day = 86400
    before, after = ratings[ratings.timestamp < origin], ratings[(ratings.timestamp >= origin) & (ratings.timestamp < origin + 365 * day)]
    enough = before.groupby("userId").size()
    enough = set(enough[enough >= 5].index)
    positives = after[(after.rating >= 4) & after.userId.isin(enough)]
    folds.append({"origin": f"{year}-01-01", "train": int((before.timestamp < origin - 365 * day).sum()), "validation": int((before.timestamp >= origin - 365 * day).sum()),
                  "test": len(after), "users": int(positives.userId.nunique())})

print(json.dumps({"last5": last5, "folds": folds, "userWindows": sum(f["users"] for f in folds)}))
