"""Counting: the studies first, then what only their series or images know."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from ..door.account import Account
from ..door.call import Call
from ..index.alike import Alike
from ..question.asking import MODALITIES, Question, each
from ..question.relaxing import hints
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.matching import matcher
from ..standard.note import incomplete, perhaps
from ..standard.query import TELLING, Match, Query, texts
from ..standard.record import identity
from ..standard.shapes import SEPARATOR
from ..standard.values import count_of
from .aside import COUNT, Aside
from .below import Below, narrowing
from .condition import Condition
from .counted import Counted
from .dimension import Dimension
from .groups import number_of, percent
from .kind import is_image
from .sieve import Sieve
from .things import NAMES, OF_STUDY, SERIES, STUDY, Things, What

IMAGES_OF_STUDY = "NumberOfStudyRelatedInstances"

_BELOW_STUDY = frozenset({Level.SERIES, Level.IMAGE})

# What is known of one study: the values of each attribute that matters, in their order.
type _Known = tuple[tuple[str, ...], ...]


class Counting:
    """One count: the studies first, then what only their series or images know."""

    def __init__(
        self,
        call: Call,
        question: Question,
        what: What,
        *,
        by: Sequence[Dimension],
        where: Sequence[Condition],
        naming: bool,
        alike: Alike | None = None,
    ) -> None:
        self._call = call
        # Where one study is to stand for all that are alike: how many they are, or series of one
        # kind, if not one.
        self._asked = call.alike(alike) if alike else call
        self._numbers: Mapping[str, int] = alike.numbers if alike else {}
        self._question = question
        self._what = what
        self._by = by
        # What has to be known of everything that is counted.
        self._read = (*by, *where, *((what.values,) if what.values else ()))
        self._where = where
        self._sieve = Sieve(where, what.level, self._numbers)
        self._things = Things(what, by, naming=naming, numbers=self._numbers)
        self._seen = 0
        meant = question.meanings.get(MODALITIES, ())
        keys = [meaning.key for rank in meant for meaning in rank]
        self._modality_keys = keys or [*question.modalities.codes]
        self._modalities = [matcher("CS", key) for key in self._modality_keys]
        # Of each study only the values that are counted by: there may be 100,000.
        self._known: list[str] = []
        self._studies: dict[str, _Known] = {}
        self._alike: dict[_Known, _Known] = {}
        self._keeps_modalities = True
        # Studies of which a series came, and objects, by modality, that are no images.
        self._with_series: set[str] = set()
        self._no_images = Counter[str]()
        # Modalities of what is counted.
        self._had: dict[str, set[str]] = defaultdict(set)
        self._not_counted = 0
        self._found = Account()

    @property
    def total(self) -> int:
        """How many were counted."""
        return self._things.groups.total

    def count(self) -> None:
        """Ask, and count."""
        lists_reports = self._lists_reports
        self._ask_studies(self._question)
        unkept = MODALITIES in self._question.keywords and MODALITIES in self._found.absent
        learned = unkept or (lists_reports and not self._lists_reports)
        if learned:
            self._ask_studies(self._question.without(MODALITIES) if unkept else self._question)
            self._keeps_modalities = False
        below = dict(self._studies) if self.needs_series else self._not_told_by_studies()
        for study, known in self._studies.items():
            if study not in below:
                self._add_study(study, self._match(known))
        if below:
            self._ask_series(below)
        if unkept:
            self._refute()
        if unkept:
            self._found.note(f"This archive does not keep {MODALITIES}: the series were asked.")
        elif below and not self._lists_reports:
            self._found.note(
                f"{MODALITIES} of this archive lists images only: the series were asked."
            )

    def _refute(self) -> None:
        """Leave out what has not all of several modalities, by its series."""
        for thing, modalities in self._had.items():
            if not self._question.modalities.hold(modalities):
                self._sieve.refuted.add(thing)

    def put_share(self, answer: Counted) -> None:
        """Say which part of this count another one is."""
        self._things.close(self._sieve.refuted)
        self._tell_absent()
        self._tell_not_counted()
        answer.of = self._things.groups.total
        if answer.total > answer.of:
            self._found.complete = False
            self._found.note("It has fewer than the part of it that was counted: one was cut.")
        answer.percent = percent(answer.total, answer.of) if answer.total <= answer.of else None
        answer.queries = self._call.queries
        if not self._found.complete:
            told = Account(notes=[note.within("Of the whole") for note in self._found.notes])
            told.doubt = "`of`, and so the percents, may be wrong."
            told.complete = answer.complete = False
            answer.notes = [*dict.fromkeys((*answer.notes, *map(str, told.told())))]

    def answer(self, first: int, at_least: int, *, share: bool) -> Counted:
        """The groups from the `first`, and what is to be known of them."""
        found = self._found
        notes = found.notes
        self._things.close(self._sieve.refuted)
        groups = self._things.groups
        if not self._seen and found.complete:
            told = hints(self._call, self._question)
            found.note("No study in this archive matches these keys.", *told)
        elif not groups.total:
            notes += self._sieve.instead()
        doubts, in_doubt = self._sieve.doubts(self._things.names)
        notes += doubts
        found.complete = found.complete and not in_doubt
        self._tell_absent()
        found.note(*self._things.several_people())
        self._tell_not_counted()
        page = self._things.page(first, at_least, share=share)
        found.complete = found.complete and page.whole
        notes += page.notes
        if groups.overlap:
            found.note("Some belong to several groups, so the groups add up to more than total.")
        return self._call.answer(
            Counted,
            found,
            counted=self._what.name,
            total=groups.total,
            sent={"QueryRetrieveLevel": "STUDY", **found.keys()},
            compared=self._sieve.compared(),
            groups_in_all=page.count,
            groups=page.rows,
        )

    def _ask_studies(self, question: Question) -> None:
        """Every study that is meant, with what is known of it."""
        self._sieve, self._seen = Sieve(self._where, self._what.level, self._numbers), 0
        self._known = self.wanted(Level.STUDY)
        self._studies, self._alike = {}, {}
        patient = self._things.patient if self._what.name == "patients" else None
        self._found = each(self._asked, question, self._known, self._keep_study, patient=patient)
        self._keeps_modalities = self._lists_reports
        if MODALITIES in self._known:
            at = self._known.index(MODALITIES)
            self._keeps_modalities = all(known[at] for known in self._studies.values())

    def _keep_study(self, match: Match) -> None:
        study = identity(Level.STUDY, match)
        self._seen += bool(study)
        thing = (study, Level.STUDY)
        if self._what.name == "patients":
            thing = (self._things.patient(match), Level.PATIENT)
        if study and self._sieve.passes(match, OF_STUDY, *thing):
            known = tuple(tuple(texts(match.get(keyword, ""))) for keyword in self._known)
            self._studies[study] = self._alike.setdefault(known, known)

    @property
    def needs_series(self) -> bool:
        """Whether no study alone can tell."""
        modality_is_told = self._keeps_modalities and self._what.level is not Level.IMAGE
        return (
            self._what.level is Level.SERIES
            or any(
                reader.level in _BELOW_STUDY
                and (reader.keyword != "Modality" or reader in self._where)
                for reader in self._read
            )
            or (self._asks_modality and not modality_is_told)
        )

    def _not_told_by_studies(self) -> dict[str, _Known]:
        """Those studies that do not tell how many images they have, or have more than images."""
        if self._what.level is not Level.IMAGE:
            return {}

        def is_told(match: Match) -> bool:
            modalities = texts(match.get(MODALITIES, ""))
            only_images = bool(modalities) and all(map(is_image, modalities))
            counted = count_of(match.get(IMAGES_OF_STUDY, "")) is not None
            return counted and (self._what.name == "objects" or only_images)

        return {
            study: known
            for study, known in self._studies.items()
            if not is_told(self._match(known))
        }

    def _add_study(self, study: str, match: Match) -> None:
        """Count a study by what it says of itself."""
        modalities = [text for text in texts(match.get(MODALITIES, "")) if self._is_meant(text)]
        match["Modality"] = [*modalities]
        if self._what.level is Level.IMAGE:
            self._things.groups.add_number(match, count_of(match[IMAGES_OF_STUDY]) or 0)
        elif self._what.name == "studies" and not self._things.naming:
            # Each comes once: nothing is remembered.
            self._things.groups.add_number(match, self._numbers.get(study, 1))
        else:
            self._things.add(study, [match])

    def _ask_series(self, studies: Mapping[str, _Known]) -> None:
        """Count using series attributes, and image attributes where a condition or group needs
        them."""
        if self._found.complete:  # the series tell what the studies did not
            self._found.notes = [
                note for note in self._found.notes if MODALITIES not in note.keywords
            ]
        below = Below(self._asked, self._found)
        wanted = self.wanted(Level.SERIES)
        self._aside = Aside(below, self.wanted(Level.IMAGE), self._add_images)
        keys, exact = self._relational_keys(), self._relational_keys_say_all
        others = below.series(studies, keys, wanted, self._add_series, shared=not exact)
        self._aside.ask()
        self._not_counted += self._aside.nameless
        if self._aside.left:
            self._found.complete = False
            left = f"{self._aside.left:,} series"
            self._found.note(incomplete(f"images of {left} were not asked for. Ask for fewer."))
        others -= {study.partition(" ")[0] for study in self._studies}
        if others and exact:
            self._add_missed(others)
        without = studies.keys() - self._with_series
        if without and self._keeps_modalities and self._found.complete:
            self._found.complete = False
            count = number_of(without, self._numbers)
            listed = f"{count} {NOUN[Level.STUDY][count != 1]} without a series"
            meant = " of the modality asked for" * bool(self._modalities)
            self._found.note(perhaps(f"the archive lists {listed}{meant}; not counted here."))

    def _add_missed(self, uids: Collection[str]) -> None:
        """Studies that the archive's list lacked, and that its series name."""
        known = dict(self._studies)
        keys = {**self._found.alone(), STUDY: SEPARATOR.join(sorted(uids))}
        by_uid = Query(Level.STUDY, keys, tuple(self._known))
        Below(self._asked, self._found).each(by_uid, self._keep_study)
        missed = {study: match for study, match in self._studies.items() if study not in known}
        these = f"{len(uids)} {NOUN[Level.STUDY][len(uids) != 1]}"
        if len(missed) == len(uids):
            self._found.note(f"The archive's list lacked {these} that its series name; counted.")
            self._ask_series(missed)
        else:
            self._found.lack(f"series of {these} came that the archive's list lacks.")

    def _relational_keys(self) -> dict[str, str]:
        """Keys by which the series of these studies, and not too many others, can be asked for."""
        keys = narrowing(self._found)
        if self._keeps_modalities and len(self._modality_keys) == 1:
            keys["Modality"] = self._modality_keys[0]
        return keys

    @property
    def _relational_keys_say_all(self) -> bool:
        """Whether every study with a series that these keys find is asked for."""
        asked = {*self._found.sent} - {MODALITIES}
        by_modality = MODALITIES not in self._found.sent or "Modality" in self._relational_keys()
        of_studies = any(condition.level in OF_STUDY for condition in self._where)
        # That it has no date is no key that series could be asked by.
        known = asked <= self._relational_keys().keys() and not self._found.empty
        return known and by_modality and not of_studies

    def _add_series(self, study: str, match: Match) -> None:
        modalities = texts(match.get("Modality", ""))
        known = {**self._match(self._studies[study]), **match}
        series = f"{study} {match.get(SERIES, '')}"
        thing = self._things.of(study, series, known)
        self._had[thing[0]].update(modalities)
        if self._modalities and not any(map(self._is_meant, modalities)):
            return
        self._with_series.add(study)
        count = count_of(match.get(COUNT, ""))
        if self._what.name == "images" and not all(map(is_image, modalities)):
            noun = ", ".join(modalities) + " series" * (count is None)
            self._no_images[noun] += 1 if count is None else count
            return
        if not self._sieve.passes(match, {Level.SERIES}, *thing):
            return
        counts_images = self._what.level is Level.IMAGE
        if self.wanted(Level.IMAGE) or (counts_images and count is None):
            self._aside.put(study, match)
        elif counts_images:
            self._things.groups.add_number(known, count or 0)
        else:
            self._things.add(thing[0], [known])

    def _add_images(self, study: str, match: Match, images: Sequence[Match]) -> None:
        known = {**self._match(self._studies[study]), **match}
        series = f"{study} {match.get(SERIES, '')}"
        found: list[Match] = []
        for instance in images:
            image = {**known, **instance}
            who = f"{series} {instance.get(UNIQUE_KEY[Level.IMAGE], '')}"
            thing = self._things.of(study, series, image)
            if self._what.level is Level.IMAGE:
                thing = (who, Level.IMAGE)
            if self._sieve.passes(instance, {Level.IMAGE}, *thing):
                found.append(image)
        if self._what.level is not Level.IMAGE:
            self._things.add(self._things.of(study, series, known)[0], found)
        elif self._what.values:
            self._things.add(series, found)
        else:
            for image in found:
                self._things.groups.add_number(image, 1)

    def wanted(self, level: Level) -> list[str]:
        """What must be known of each record of a level."""
        levels = OF_STUDY if level is Level.STUDY else {level}
        readers = [reader for reader in self._read if reader.level in levels]
        known = [keyword for reader in readers for keyword in reader.reads]
        counts_objects = self._what.level is Level.IMAGE and not self._what.values
        asks_modality = self._asks_modality or self._what.name == "images"
        if level is Level.STUDY:
            known += [MODALITIES] if asks_modality and self._lists_reports else []
            known += ["PatientID", *TELLING] if self._what.name == "patients" else []
            known += [IMAGES_OF_STUDY] if counts_objects else []
        elif level is Level.SERIES:
            known += ["Modality"] if asks_modality else []
            known += [COUNT] if counts_objects or self.wanted(Level.IMAGE) else []
        if self._things.naming and level is not Level.IMAGE:
            known += NAMES[level] if level in levels and self._what.level in levels else ()
        return list(dict.fromkeys(known))

    @property
    def _asks_modality(self) -> bool:
        by_modality = any(dimension.keyword == "Modality" for dimension in self._by)
        return by_modality or MODALITIES in self._question.keywords

    @property
    def _lists_reports(self) -> bool:
        """Whether ModalitiesInStudy of this archive is not known to list images only."""
        learned = self._call.learned
        return not (learned and learned.lists_reports is False)

    def _match(self, known: _Known) -> Match:
        """What is known of a study, as it came."""
        return {keyword: [*values] for keyword, values in zip(self._known, known, strict=True)}

    def _is_meant(self, modality: str) -> bool:
        return not self._modalities or any(meant([modality]) for meant in self._modalities)

    def _tell_absent(self) -> None:
        absent = {reader.keyword for reader in self._read if not reader.is_told(self._found.absent)}
        if absent:
            self._found.lack(
                f"the archive does not return {', '.join(sorted(absent))}, so that "
                "nothing can be told by it."
            )

    def _tell_not_counted(self) -> None:
        if self._no_images:
            told = ", ".join(f"{kind} {count}" for kind, count in self._no_images.most_common())
            self._found.note(
                f"Images only: objects that are none were left out ({told}); count=objects counts "
                "everything."
            )
        not_counted = self._not_counted + self._things.without_id
        if not_counted:
            self._found.complete = False
            lacking = "PatientID" if self._what.name == "patients" else "a count of images"
            self._found.note(
                incomplete(
                    f"{not_counted} (studies or series) could not be counted, for want of "
                    f"{lacking}."
                )
            )
