"""What the tests of the report share: a small report, and a reader of its page that checks how elements are nested."""

from html.parser import HTMLParser

import numpy as np

from minicnn.report import Phase, TrainingReport, render
from minicnn.transfer.judged import Judged

EVIL = "<img src=x onerror=alert(1)>.png"
VOID = {"meta", "img", "wbr"}


class Checker(HTMLParser):
    """Notes every element and address, and that the elements are nested rightly."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def make(**changes):
    phases = [
        Phase("head", "a dense layer", 10, [1.5, 0.7], [0.4, 0.8], [1.2, 0.9], [0.5, 0.7], [0.3, 0.01], 1.9),
        Phase("fine-tuning", "from conv5 on", 900, [0.6], [0.85], [0.8], [0.75], [2.0], 2.3),
    ]
    values = {
        "title": "Pets",
        "created": "24 November 2026",
        "command": "minicnn finetune pets",
        "class_names": ["cat", "dog"],
        "confusion": np.array([[8, 2], [1, 9]]),
        "phases": phases,
        "train_counts": [40, 40],
        "val_counts": [10, 10],
    }
    return TrainingReport(**(values | changes))


def read(report):
    page = render(report)
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return page, checker.elements, " ".join("".join(checker.text).split())


def judged(samples=40, classes=2, seed=0, features=5):
    """Pictures of which the first classes are told apart best, with probabilities that are a little too sure."""
    generator = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    scores = generator.normal(0, 1, (samples, classes)) + 2 * np.eye(classes)[labels]
    powers = np.exp(2 * scores)
    names = [f"{i}.jpg" for i in range(samples)]
    points = generator.normal(0, 1, (samples, features)) + labels[:, None]
    return Judged(names, labels, powers / powers.sum(axis=1, keepdims=True), points)
