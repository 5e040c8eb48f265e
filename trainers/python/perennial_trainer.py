"""What a Perennial training script says and is told, in one file without dependencies of its own.

    import perennial_trainer

    run = perennial_trainer.start()
    features, labels = run.train()
    ...
    run.progress(done, total)
    run.done()

Outside of a run (`run.active` is false) everything that speaks is silent, so that the same script runs in a notebook or by hand.
"""

import json
import os
import sys


class Run:
    """One training. `folder` is where its files are; `None` outside of a run."""

    def __init__(self, folder=None, out=None):
        self.folder = folder
        self.active = folder is not None
        self._out = out
        told = {"task": None, "parameters": {}, "seed": 42, "features": [], "classes": None, "checkpoint": None}
        if self.active:
            with open(os.path.join(folder, "context.json"), encoding="utf-8") as file:
                told.update(json.load(file))
        self.context = told
        self.task = told["task"]
        """`regression`, `binary` or `multiclass`; labels of the latter two are 0, 1, ..., places in `classes`."""
        self.parameters = told["parameters"]
        self.seed = told["seed"]
        self.features = told["features"]
        """In the order of the columns: `name`, `kind` (`number` or `category`), and the `levels` of a category."""
        self.classes = told["classes"]
        self.model_path = self.path("model") or "model.onnx"
        self.checkpoint_path = self.path("checkpoint") or "checkpoint"

    def path(self, name):
        """Where a file of the run is: `train`, `validation`, `model`, `checkpoint`. `None` for one that there is not."""
        file = self.context.get("paths", {}).get(name)
        return None if file is None else os.path.join(self.folder, file)

    @property
    def categories(self):
        """Columns that hold codes of categories, by their places."""
        return [at for at, feature in enumerate(self.features) if feature["kind"] == "category"]

    def train(self):
        """Features (float32, rows by columns, NaN where a value is missing) and labels (float64). Needs duckdb and numpy."""
        return self._rows("train")

    def validation(self):
        """As `train`; `None` where there is nothing left to choose: then fit with the parameters as they are."""
        return None if self.path("validation") is None else self._rows("validation")

    def _rows(self, name):
        if not self.active:
            raise RuntimeError("there are no rows outside of a run: bring your own where run.active is false")
        import duckdb
        import numpy

        columns = list(duckdb.connect().read_parquet(self.path(name)).fetchnumpy().values())
        plain = [numpy.ma.filled(column, numpy.nan) for column in columns]
        return numpy.ascontiguousarray(numpy.column_stack(plain[:-1]), dtype=numpy.float32), plain[-1].astype(numpy.float64)

    @property
    def resumed(self):
        """Path of what an earlier attempt of this very training saved last, or `None`."""
        return self.checkpoint_path if self.context["checkpoint"] else None

    def progress(self, done, total):
        self._say(progress={"done": done, "total": total})

    def metric(self, **values):
        """A point of the learning curve, at the progress that was told last."""
        self._say(metric={name: float(value) for name, value in values.items()})

    def log(self, text):
        self._say(log=str(text))

    def checkpoint(self):
        """Keeps what was written to `checkpoint_path` (write elsewhere and rename, so that it is whole)."""
        self._say(checkpoint=os.path.basename(self.checkpoint_path))

    def done(self, chosen=None, facts=None, answers=()):
        """The last word, once the model is at `model_path`.

        `chosen`: parameters that were chosen on the validation rows. `answers`: the library's own predictions of the first training rows, which the
        exported model is compared with.
        """
        rows = answers.tolist() if hasattr(answers, "tolist") else list(answers)
        self._say(done={"model": os.path.basename(self.model_path), "chosen": chosen or {}, "facts": facts or {}, "answers": rows})

    def _say(self, **message):
        if self.active:
            self._out.write(json.dumps(message, allow_nan=False) + "\n")
            self._out.flush()


def start():
    """The run that this process was started for, or one that is not active.

    What libraries print goes to standard error from here on: standard output is for messages, also those that native code would print between them.
    """
    folder = sys.argv[1] if len(sys.argv) > 1 else None
    if folder is None or not os.path.exists(os.path.join(folder, "context.json")):
        return Run()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Run(folder, out)
