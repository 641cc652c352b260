"""Questions that people pick from a menu: what is asked often, put so that it is answered well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import BadArgument


@dataclass(frozen=True, slots=True)
class Gap:
    """What the person fills in; `otherwise` is said where they do not, "" where they have to."""

    name: str
    description: str
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One entry of the menu: its text has each gap by its name in braces."""

    name: str
    title: str
    description: str
    text: str
    gaps: Sequence[Gap] = ()

    def asked(self, given: Mapping[str, str]) -> str:
        """The text with what was filled in, as one line. Raises BadArgument for a gap that has to
        be filled and is blank."""
        filled = {
            gap.name: " ".join(given.get(gap.name, "").split()) or gap.otherwise
            for gap in self.gaps
        }
        if blank := [name for name, words in filled.items() if not words]:
            raise BadArgument(f"{blank[0]} is blank", f"Fill in {blank[0]}")
        return self.text.format_map(filled)


_NODE = Gap("node", "Which archive, of list_dicom_nodes", "the archive that is asked by default")
_WHOLE = "Say so if an answer is not complete, and why."

QUESTIONS: tuple[Question, ...] = (
    Question(
        "priors_for_study",
        "Priors for this study",
        "What was done before that matters for a study: same part of the body, with reports",
        "Which earlier studies matter for {study}? Find it with study_overview (as an accession "
        "number or StudyInstanceUID), then ask patient_timeline with prior_to for the relevant "
        "priors. For each: date, what it was, days before, and what its report concludes "
        f"(read_report). Name what has no report. {_WHOLE}",
        (Gap("study", "Accession number or StudyInstanceUID"),),
    ),
    Question(
        "what_changed",
        "What changed since the last study?",
        "A patient's newest study beside the one before it",
        "What changed in {patient} between the newest study and the relevant one before it? Use "
        "patient_timeline, read both reports with read_report and compare their measurements; "
        "show matching images with view_series (compare_with). Don't diagnose from the pictures. "
        f"If several patients are meant, ask which. {_WHOLE}",
        (Gap("patient", "Patient ID, or name"),),
    ),
    Question(
        "morning_check",
        "Morning check of the archive",
        "Does it answer, what came in, what looks wrong",
        "Check {node}: does it answer (verify_connection)? How many studies came in yesterday and "
        "today, by modality and by station (count_studies), against the same days of last week? "
        "Which studies since yesterday have no accession number or no patient name (count_studies, "
        f"where)? Put what needs somebody's attention first. {_WHOLE}",
        (_NODE,),
    ),
    Question(
        "not_arrived",
        "Who has not arrived?",
        "What of the worklist has no images yet",
        "Ask {node} which procedures scheduled for {day} have not arrived yet (query_worklist with "
        "arrived). List time, patient, procedure and station, overdue ones first, and how many "
        f"have arrived. {_WHOLE}",
        (Gap("day", "Which day", "today"), _NODE),
    ),
    Question(
        "protocol_check",
        "Protocol check of a scanner",
        "Whether a scanner's series are acquired alike",
        "Are the series of {station} in the {period} acquired alike? Find its studies with "
        "count_studies (group_by station) and query_studies, then compare their headers with "
        "sample_headers (kVp, slice thickness, kernel, software, dose). Say which series differ "
        f"from the others and in what. {_WHOLE}",
        (
            Gap("station", "Station name or scanner"),
            Gap("period", "Since when", "last week"),
        ),
    ),
    Question(
        "why_no_connection",
        "Why doesn't it connect?",
        "Each step to an archive, and what to have done where it fails",
        "Why does {node} not answer? Run diagnose, say at which step it ends and what that means, "
        "who has to do what (with the AE titles, address and port to register), and the command "
        "that repeats the step.",
        (_NODE,),
    ),
)
