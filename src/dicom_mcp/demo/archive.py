"""The embedded archive: a small DICOM archive on loopback, for trying and testing.

It answers C-ECHO, C-STORE, C-FIND, C-GET and C-MOVE in the Patient Root and Study Root models,
C-FIND in the Modality Worklist model and C-GET without bulk data (PS3.4 A, B, C, K, Z). Objects
stay in the transfer syntax they came in: one whose syntax the other side does not accept is a
failed sub-operation, never transcoded.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from socket import socket
from types import TracebackType
from typing import Any, Self, cast

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.presentation import PresentationContext, build_context

from ..standard.levels import Model
from .acceptor import Acceptor, answers_at, let_peer_speak
from .find import MODALITY_WORKLIST, Hierarchy, Refused, answers, request, worklist_answers
from .habits import NONE, Habits
from .identifier import Content, read_in_process
from .index import Index
from .response import send_match
from .retrieve import contexts, data_sets, headers, wanted

VERIFICATION = "1.2.840.10008.1.1"

# SOP classes of the retrieve services and the model each belongs to (PS3.4 C.6.1.3, C.6.2.3).
GET: dict[str, Model] = {
    "1.2.840.10008.5.1.4.1.2.1.3": Model.PATIENT_ROOT,
    "1.2.840.10008.5.1.4.1.2.2.3": Model.STUDY_ROOT,
}
MOVE: dict[str, Model] = {
    "1.2.840.10008.5.1.4.1.2.1.2": Model.PATIENT_ROOT,
    "1.2.840.10008.5.1.4.1.2.2.2": Model.STUDY_ROOT,
}

GET_WITHOUT_BULK_DATA = "1.2.840.10008.5.1.4.1.2.5.3"  # PS3.4 Z

# PS3.4 C.4.1.1.4, C.4.2.1.5, B.2.3; PS3.7 C.
_SUCCESS = 0x0000
_PENDING = 0xFF00
_CANCEL = 0xFE00
_OBJECT_DOES_NOT_MATCH = 0xA900
_CANNOT_UNDERSTAND = 0xC000

# The uncompressed syntaxes, in which queries travel (PS3.5 10; Implicit is everyone's default).
_QUERY_SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]

_Answers = Iterator[tuple[int, Dataset | None]]


class EmbeddedArchive:
    """An archive that holds `objects` and answers for them at `host` and `port`.

    `objects` are data sets with file meta information, which names their transfer syntax;
    `worklist` are scheduled procedures (PS3.4 K.6.1.2). They are read once, here. `destinations`
    are the AE titles that C-MOVE may send to; a missing one is answered with 0xA801. In a strict
    `hierarchy` a query without the unique keys above its level is answered with 0xA900 (PS3.4
    C.4.1.2.2.1), in a silent one with an empty list, otherwise keys of any level above may be
    given or left out. `habits` are how C-FIND is answered otherwise than the standard says.

    Both AE titles are accepted as they come unless the last two arguments say otherwise. Raises
    ValueError for an object without transfer syntax or UIDs. Listening begins with `start`, or on
    entering the context.
    """

    def __init__(
        self,
        objects: Iterable[Dataset],
        *,
        ae_title: str,
        worklist: Iterable[Dataset] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        destinations: Mapping[str, tuple[str, int]] | None = None,
        hierarchy: Hierarchy = "relational",
        habits: Habits = NONE,
        require_called_ae_title: bool = False,
        require_calling_ae_title: Sequence[str] = (),
        database: str = ":memory:",
    ) -> None:
        self._index = Index(database)
        self._worklist: list[Content] = [read_in_process(entry) for entry in worklist]
        self._ae_title = ae_title
        self._host = host
        self._port = port
        self._hierarchy: Hierarchy = hierarchy
        # Nothing retrieved is told from nothing found by the status only.
        self._retrieval: Hierarchy = "strict" if hierarchy == "silent" else hierarchy
        self._habits = habits
        self.destinations: dict[str, tuple[str, int]] = dict(destinations or {})
        self._acceptor = Acceptor(
            ae_title,
            (
                (evt.EVT_C_ECHO, _echo),
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_C_FIND, self._find),
                (evt.EVT_C_GET, self._get),
                (evt.EVT_C_MOVE, self._move),
                (evt.EVT_SOP_EXTENDED, self._negotiate),
            ),
            require_called_ae_title=require_called_ae_title,
            require_calling_ae_title=require_calling_ae_title,
        )
        self._index.add_all(objects)

    @property
    def index(self) -> Index:
        """What it holds, for another face of the same archive."""
        return self._index

    @property
    def host(self) -> str:
        return self._host

    @property
    def port(self) -> int:
        """The port it listens on; once started never 0."""
        return self._port

    @property
    def ae_title(self) -> str:
        return self._ae_title

    def start(self, listening: socket | None = None) -> None:
        """Listen, with this socket if there is one. Raises OSError when the host or port cannot be
        used."""
        self._port = self._acceptor.start(
            self._host, self._port, contexts=self._contexts(), listening=listening
        )

    def stop(self) -> None:
        """Abort what is open and stop listening; what is held stays held."""
        self._acceptor.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def store(self, dataset: Dataset) -> None:
        """Hold one more object, as C-STORE would. Raises ValueError as the constructor does."""
        self._index.add(dataset)

    def _contexts(self) -> list[PresentationContext]:
        """One for each SOP class; of the syntaxes of storage those held come first.

        A requestor may offer several syntaxes in one context (getscu does), of which the first
        that is listed here is accepted: the likeliest to carry the objects as they are.
        """
        held: dict[str, Counter[str]] = {}
        for sop_class_uid, transfer_syntax_uid, count in self._index.syntaxes():
            held.setdefault(sop_class_uid, Counter())[transfer_syntax_uid] = count
        models = (model for model in Model if model in self._habits.models)
        others = (GET_WITHOUT_BULK_DATA, MODALITY_WORKLIST)
        found = [_context(uid) for uid in (VERIFICATION, *models, *GET, *MOVE, *others)]
        standard = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
        for uid in dict.fromkeys((*standard, *held)):
            first = (syntax for syntax, _ in held.get(uid, Counter[str]()).most_common())
            found.append(_storage(uid, tuple(first)))
        return found

    def _negotiate(self, event: evt.Event) -> dict[UID, bytes]:
        """Relational behaviour if it is asked for and given, none of the other options (PS3.4
        C.5.1.1, C.5.2.1, C.5.3.1: one byte each, the first of them relational)."""
        proposed = cast("Mapping[UID, bytes]", cast("Any", event).app_info)
        given = self._hierarchy == "relational"
        return {
            uid: bytes([given and options[0] == 1]).ljust(len(options), b"\0")
            for uid, options in proposed.items()
            if str(uid) in (*Model, *GET, *MOVE) and options
        }

    def _store(self, event: evt.Event) -> int:
        syntax = UID(event.context.transfer_syntax)
        try:
            self._index.add_encoded(cast("Any", event.request).DataSet.getvalue(), syntax)
        except ValueError:
            return _OBJECT_DOES_NOT_MATCH
        except Exception:  # pydicom raises anything at all for bytes that are no data set
            return _CANNOT_UNDERSTAND
        return _SUCCESS

    def _find(self, event: evt.Event) -> _Answers:
        try:
            found = self._answers(event)
        except Refused as refused:
            yield refused.status, None
            return
        except Exception:  # as above
            yield _CANNOT_UNDERSTAND, None
            return
        for status, identifier in found:
            if not let_peer_speak(event.assoc):
                return
            if event.is_cancelled:
                yield _CANCEL, None
                return
            if identifier is None:
                yield status, None
                return
            send_match(
                event.assoc,
                identifier,
                status=status,
                sop_class_uid=str(event.context.abstract_syntax),
                message_id=event.message_id,
                context_id=event.context.context_id,
            )

    def _answers(self, event: evt.Event) -> Iterator[tuple[int, bytes | None]]:
        model = str(event.context.abstract_syntax)
        explicit = not UID(event.context.transfer_syntax).is_implicit_VR
        if model == MODALITY_WORKLIST:
            return worklist_answers(self._worklist, event.identifier, explicit=explicit)
        asked = request(event.identifier, Model(model), self._hierarchy)
        return answers(
            self._index, asked, ae_title=self._ae_title, explicit=explicit, habits=self._habits
        )

    def _get(self, event: evt.Event) -> Iterator[Any]:
        model = GET.get(str(event.context.abstract_syntax))
        # Without bulk data there are no levels, and no UIDs above (PS3.4 Z.4.2.1.3.1).
        hierarchy: Hierarchy = self._retrieval if model else "relational"
        send = data_sets if model else headers
        try:
            held = wanted(self._index, event.identifier, model or Model.STUDY_ROOT, hierarchy)
        except Refused as refused:
            yield 1
            yield refused.status, None
            return
        yield len(held)
        yield from self._sub_operations(event, send(self._index, held))

    def _move(self, event: evt.Event) -> Iterator[Any]:
        model = MOVE[str(event.context.abstract_syntax)]
        destination = self.destinations.get((event.move_destination or "").strip())
        if destination is None or not answers_at(*destination):
            yield None, None
            return
        try:
            held = wanted(self._index, event.identifier, model, self._retrieval)
        except Refused as refused:
            # pynetdicom reports a failure only once it has an association to move over.
            yield (*destination, {"contexts": [build_context(VERIFICATION)]})
            yield 1
            yield refused.status, None
            return
        yield (*destination, {"contexts": contexts(held)})
        yield len(held)
        yield from self._sub_operations(event, data_sets(self._index, held))

    def _sub_operations(self, event: evt.Event, found: Iterable[Dataset]) -> _Answers:
        for dataset in found:
            if not let_peer_speak(event.assoc):
                return
            if event.is_cancelled:
                yield _CANCEL, None
                return
            yield _PENDING, dataset


def _echo(event: evt.Event) -> int:  # noqa: ARG001 - pynetdicom's shape
    return _SUCCESS


@cache
def _context(sop_class_uid: str) -> PresentationContext:
    return build_context(sop_class_uid, _QUERY_SYNTAXES)


@cache
def _storage(sop_class_uid: str, first: tuple[str, ...]) -> PresentationContext:
    """In every transfer syntax, these first; pynetdicom takes 70 ms to build one of each class."""
    syntaxes = dict.fromkeys((*first, *_QUERY_SYNTAXES, *map(str, ALL_TRANSFER_SYNTAXES)))
    context = build_context(sop_class_uid, list(syntaxes))
    # Both roles: C-GET turns the requestor of the association into the one that stores.
    context.scu_role = context.scp_role = True
    return context
