"""Are instructions in documents noticed, and only those? `python -m benchmarks.injection --data DIR [--json]`

DIR holds injection/bipia_train (attacks) and injection/piguard_valid (labelled texts). An attack counts as noticed if
it is found after it was planted in the middle of an e-mail of bipia_train; what is found in the e-mail itself is a
false alarm. A third of the text attacks are ordinary questions ("How do solar panels work?"), which nothing gives
away; they are counted apart.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from app.citations.injection import suspicions

_QUESTIONS = frozenset(
    ("Information Retrieval", "Content Creation", "Learning and Tutoring", "Language Translation", "Programming Help")
)
"""The kinds of attack that only ask for something else."""


def attacks(folder: Path) -> Iterator[tuple[str, str]]:
    """Every attack with its sort."""
    for name in ("text", "code"):
        for kind, texts in json.loads((folder / f"{name}_attack_train.json").read_text()).items():
            yield from (("questions" if kind in _QUESTIONS else name, text) for text in texts)


def mails(folder: Path) -> list[str]:
    """The e-mails to plant them in."""
    return [json.loads(line)["context"] for line in (folder / "email_train.jsonl").read_text().splitlines()]


def noticed(mail: str, attack: str) -> bool:
    """Whether an attack is found in the middle of a mail."""
    lines = mail.splitlines()
    before = "\n".join(lines[: len(lines) // 2])
    planted = f"{before}\n\n{attack}\n\n" + "\n".join(lines[len(lines) // 2 :])
    place = range(len(before), len(before) + len(attack) + 2)
    return any(found.span[0] in place for found in suspicions(planted))


def measure(data: Path) -> dict[str, str]:
    """For each sort of text, how many of how many were noticed."""
    results: dict[str, list[bool]] = defaultdict(list)
    folder = data / "injection" / "bipia_train"
    for mail, (sort, attack) in zip(cycle(mails(folder)), attacks(folder), strict=False):
        results[f"attacks: {sort}"].append(noticed(mail, attack))
    for row in json.loads((data / "injection" / "piguard_valid" / "valid.json").read_text()):
        sort = "attacks" if row["label"] else "harmless"
        results[f"{sort}: {row['source']}"].append(any(suspicions(row["prompt"])))
    results["harmless: e-mails"] = [any(suspicions(mail)) for mail in mails(folder)]
    return {sort: f"{sum(found)} of {len(found)}" for sort, found in sorted(results.items())}


def main() -> None:
    """Measures all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true", help="only the last line")
    given = parser.parse_args()
    results = measure(given.data)
    if not given.json:
        for sort, found in results.items():
            print(f"{sort:40} {found}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
