"""Questions to the real Orthanc with LimitFindResults 500 and 10,003 studies: queries and seconds,
and how often DCMTK's findscu could have asked it for one day meanwhile."""

import subprocess
from pathlib import Path
from time import perf_counter

from tests import busy
from tests.asking import answers
from tests.busy_questions import QUESTIONS
from tests.peers.dcmtk import dcmtk

_KEPT = Path(__file__).parents[1] / "build" / "busy"
_ASKED = ("all studies", "the CTs of a day", "the CTs of a week", "CT per scanner this week")


def main() -> None:
    """Fill an Orthanc where there is none yet, ask it, print."""
    kept = busy.kept(_KEPT, 10_003, 13)
    with busy.orthanc(kept.folder, kept.held, 500) as served:
        day = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyDate=20260310"]
        where = ["-aec", "ORTHANC", "127.0.0.1", str(served.node.port)]
        before = perf_counter()
        subprocess.run([dcmtk("findscu"), *day, *where], check=True, capture_output=True)
        once = perf_counter() - before
        print(f"findscu, one day: {once:.2f} s")
        asked = [(QUESTIONS[name].tool, QUESTIONS[name].arguments) for name in _ASKED]
        before = perf_counter()
        for name, answer in zip(_ASKED, answers(served.node, asked), strict=True):
            seconds, before = perf_counter() - before, perf_counter()
            print(
                f"{name}: {answer['queries']} queries, {seconds:.1f} s "
                f"({seconds / once:.0f} times findscu), complete: {answer['complete']}"
            )


if __name__ == "__main__":
    main()
