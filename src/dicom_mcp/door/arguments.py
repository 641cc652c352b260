"""What a tool may be asked, taken from its signature: for a schema, and to check a call by."""

from collections.abc import Callable, Collection, Mapping, Sequence
from inspect import Parameter, signature
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ..errors import BadArgument, BadType
from ..standard.lists import MOST_VALUES
from ..standard.values import shown
from ..words.near import did_you_mean
from .meant import by_our_names, in_our_form
from .sendable import as_meant

# Where a question goes: the last argument of every tool that asks an archive. The tool itself is
# not given it: its call asks one node or several.
NODE = "node"

# Whether a client is shown a picture of the answer: the tool itself is not given this either.
CHART = "chart"

# Whether the archive is asked, its index, or what tells it truly and soonest; nor this.
SOURCE = "source"
SOURCES = ("auto", "live", "index")

# A list of studies that was kept, in place of their UIDs; nor this.
COHORT = "cohort"
_STUDIES = ("study_instance_uid", "study_instance_uids")

_Source = Annotated[
    str,
    Field(
        description="live: ask the archive for all; index: ask only the index",
        json_schema_extra={"enum": [*SOURCES]},
    ),
]

_Chart = Annotated[bool, Field(description="Also as a picture")]

_Node = Annotated[str, Field(description="Name, several with commas, or all")]


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The parameters of a tool's function by name, without its call."""
    parameters = signature(function, eval_str=True).parameters
    return {name: parameter for name, parameter in parameters.items() if name != "call"}


class Arguments:
    """The arguments of one tool."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        asks_archive: bool,
        is_drawn: bool = False,
        has_source: bool = False,
        takes_cohort: bool = False,
    ) -> None:
        self._tool = function.__name__
        fields: dict[str, Any] = {
            name: (
                parameter.annotation,
                ... if parameter.default is Parameter.empty else parameter.default,
            )
            for name, parameter in parameters_of(function).items()
        }
        if is_drawn:
            fields[CHART] = (_Chart, False)
        self.takes_cohort = takes_cohort
        if takes_cohort:
            fields[COHORT] = (str, "")
        if has_source:
            fields[SOURCE] = (_Source, "auto")
        if asks_archive:
            fields[NODE] = (_Node, "")
        # An argument nobody knows would be dropped and its filter with it.
        self._model: type[BaseModel] = create_model(
            f"{self._tool}Arguments", __config__=ConfigDict(extra="forbid"), **fields
        )

    @property
    def schema(self) -> dict[str, Any]:
        """What may be given, as JSON Schema."""
        return self._model.model_json_schema()

    @property
    def names(self) -> Collection[str]:
        """What may be given, by name."""
        return self._model.model_fields

    def named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by the names that they have here, where they have one.

        Raises BadArgument where one thing is said twice, and not the same.
        """
        return by_our_names(self._tool, given, self.names)

    def with_studies(
        self, arguments: Mapping[str, Any], studies_of: Callable[[str], Sequence[str]]
    ) -> dict[str, Any]:
        """The arguments with the studies of a cohort in place of its name.

        Raises BadArgument where studies are named too, and for a cohort that cannot be asked for.
        """
        name = arguments.get(COHORT) if self.takes_cohort else None
        if not name:
            return dict(arguments)
        place = next(name for name in _STUDIES if name in self._model.model_fields)
        given = {other: value for other, value in arguments.items() if other != COHORT}
        if by_our_names(self._tool, given, {place: None}).get(place):
            raise BadArgument(f"cohort and {place} are both given", "Give one of them")
        studies = studies_of(str(name))
        if not studies:
            raise BadArgument(f"the cohort {shown(str(name))} has no study", "Ask for another one")
        if len(studies) > MOST_VALUES:
            raise BadArgument(
                f"the cohort {shown(str(name))} has {len(studies):,} studies, and an archive is "
                f"asked for {MOST_VALUES:,} at most",
                "Make a smaller one: find_cohort takes it as cohort",
            )
        return {**given, place: [*studies]}

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the function takes them; null means not given.

        Raises BadArgument for one that is unknown, missing, given twice or of the wrong type.
        """
        known = self._model.model_fields
        given = by_our_names(
            self._tool,
            {name: as_meant(value) for name, value in arguments.items() if value is not None},
            known,
        )
        for name in given:
            if name not in known:
                near = did_you_mean(name, known)
                raise BadArgument(
                    f"{self._tool} has no argument {shown(name)}",
                    f"Did you mean {near}?" if near else f"It has {', '.join(known) or 'none'}",
                )
        try:
            model = self._model.model_validate(
                {
                    name: in_our_form(name, value, known[name].annotation)
                    for name, value in given.items()
                }
            )
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            raise BadType(
                "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong),
                f"See the input schema of {self._tool}",
            ) from None
        return {name: getattr(model, name) for name in known}
