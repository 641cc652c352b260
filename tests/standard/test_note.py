"""Notes: what they mean is their kind, and whom they name can be told from our own words."""

from dataclasses import replace
from pathlib import Path

import dicom_mcp
from dicom_mcp.standard.note import Kind, Named, Note, each_named, incomplete, perhaps, remark

SOURCE = Path(dicom_mcp.__file__).parent


def test_a_note_says_by_its_beginning_what_it_means_for_the_answer() -> None:
    assert str(remark("The archive ignored StudyDate.")) == "The archive ignored StudyDate."
    assert str(incomplete("raise limit.")) == "Not complete: raise limit."
    assert str(perhaps("raise limit.")) == "Not complete, perhaps: raise limit."
    assert [note.lacks for note in (remark("a"), incomplete("a"), perhaps("a"))] == [0, 1, 1]


def test_a_note_of_a_part_keeps_its_kind() -> None:
    assert (
        str(incomplete("raise limit.").within("archive")) == "Not complete: archive: raise limit."
    )
    assert remark("a").within("b") == Note(("b: ", "a"))


def test_values_of_records_are_told_from_our_own_words_to_the_end() -> None:
    note = remark("Who is meant: ", *each_named("PatientName", ["Doe^Jane", "Doe^John"]), ".")
    veiled = replace(
        note, parts=tuple("…" if isinstance(part, Named) else part for part in note.parts)
    )
    assert str(note) == "Who is meant: Doe^Jane, Doe^John."
    assert str(veiled) == "Who is meant: …, …."


def test_nothing_reads_a_sentence_to_know_what_it_means() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.name != "note.py":
            assert Kind.MISSING.value not in path.read_text(), path
            assert Kind.PERHAPS.value not in path.read_text(), path
