"""How many: studies, series, images or patients, by anything, without a row to the model."""

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from ..door.call import Call
from ..errors import BadArgument
from ..question.asking import MODALITIES, Question
from ..standard.levels import Level
from ..studies.alike import counted
from ..studies.condition import Condition
from ..studies.counted import Counted
from ..studies.dimension import dimensions
from ..studies.things import What
from ..words.modalities import any_of
from .query import Days, Ids, Listed, Modality, Name, Words

_Groups = Annotated[
    list[str],
    Field(
        description="modality, year, quarter, month, week, day, weekday, weekend, hour, age, "
        "age decade, station, any attribute; several together"
    ),
]
_Counted = Annotated[
    str,
    Field(
        description="studies, series, images, objects (reports too), patients, or an "
        "attribute: its different values"
    ),
]
_Conditions = Annotated[
    list[str],
    Field(description='More: "age > 60", "AccessionNumber is empty", "modality is not CT"'),
]
# Understood, and not shown: what a cohort has.
_Studies = SkipJsonSchema[Listed]
_AtLeast = Annotated[
    int, Field(ge=1, description="Only groups of so many, with their members; 2: what is double")
]
_Share = Annotated[
    bool,
    Field(
        description="Also percents: of groups; of what is counted without where, else without "
        "modality and description"
    ),
]


def count_studies(
    call: Call,
    group_by: _Groups = [],  # noqa: B006
    count: _Counted = "studies",
    study_date: Days = "",
    modality: Modality = "",
    patient_id: Ids = "",
    patient_name: Name = "",
    study_description: Words = "",
    accession_number: Ids = "",
    study_instance_uid: _Studies = "",
    where: _Conditions = [],  # noqa: B006
    at_least: _AtLeast = 1,
    share: _Share = False,
    first: Annotated[int, Field(ge=1, description="Go on from this group")] = 1,
) -> Counted:
    """Count studies, series, images or patients, grouped, in one call: how many CTs per scanner."""
    asked_for = {
        "study_date": ("StudyDate", study_date),
        "modality": (MODALITIES, modality),
        "patient_id": ("PatientID", patient_id),
        "patient_name": ("PatientName", patient_name),
        "study_description": ("StudyDescription", study_description),
        "accession_number": ("AccessionNumber", accession_number),
        "study_instance_uid": ("StudyInstanceUID", study_instance_uid),
    }
    what = What.of(count)
    if what.level in (Level.SERIES, Level.IMAGE):
        any_of(modality, argument="modality")  # raises, where one of these can't be meant
    by = dimensions(group_by)
    if at_least > 1 and not by:
        raise BadArgument("at_least is of groups", "Say by what (group_by)")
    question = Question.of(call, Level.STUDY, asked_for)
    conditions = [Condition.of(text, today=call.today) for text in where]
    counting = counted(call, question, what, by=by, where=conditions, naming=at_least > 1)
    answer = counting.answer(first, at_least, share=share)
    wider = question if where else question.without(MODALITIES).without("StudyDescription")
    if share and (where or wider != question):
        counted(call, wider, what, by=[], where=[]).put_share(answer)
    return answer
