"""Expected values for test/onnx/terms.test.ts: terms of texts and what each text has of them, by scikit-learn's TfidfVectorizer. Needs regex, too.

Run: python test/oracles/tf_idf.py > test/oracles/tf_idf.json
"""

import json
import random
import sys

import regex
from sklearn.feature_extraction.text import TfidfVectorizer

draw = random.Random(7)
words = [f"word{n}" for n in range(40)] + ["Down", "DOWN", "café", "Ärger", "東京", "3", "x"]
joints = [" ", ", ", "\n", " -- ", ".", "/", "\u00a0", "_"]
texts = ["", "  ", "!?", "unseen"] + [
    "".join(words[min(int(draw.expovariate(0.08)), len(words) - 1)] + draw.choice(joints) for _ in range(draw.randrange(1, 30)))
    for _ in range(120)
]


def lower(text):
    return "".join(each.lower() if "A" <= each <= "Z" else each for each in text)


terms, least_rows = 15, 10
vectorizer = TfidfVectorizer(preprocessor=lower, tokenizer=regex.compile(r"[\p{L}\p{N}]+").findall, token_pattern=None, max_features=terms, min_df=least_rows)
values = vectorizer.fit_transform(texts).toarray()
names = list(vectorizer.get_feature_names_out())
json.dump(
    {
        "texts": texts,
        "terms": terms,
        "leastRows": least_rows,
        "vocabulary": dict(zip(names, vectorizer.idf_.tolist())),
        "values": [[round(value, 12) for value in row] for row in values.tolist()],
    },
    sys.stdout,
    ensure_ascii=False,
)
