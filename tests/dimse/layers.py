"""Upper layers brought to a state by what they are told, and P-DATA written by hand."""

import struct

from pynetdicom.pdu import A_ASSOCIATE_RQ

from dicom_mcp.dimse.pdu import Accepted, Event
from dicom_mcp.dimse.upper_layer import State, UpperLayer
from tests.dimse import codecs


def layer_in(state: State) -> UpperLayer:
    """A layer in this state, reached the way an association reaches it."""
    layer = UpperLayer(maximum_length=1024)
    if state is State.IDLE:
        return layer
    layer.associate(A_ASSOCIATE_RQ())
    if state is State.ASSOCIATING:
        return layer
    layer.receive(codecs.accept())
    assert isinstance(layer.next_event(), Accepted)
    if state is State.RELEASING:
        layer.release()
    if state is State.CLOSED:
        layer.abort()
    return layer


def associated(*, maximum_length: int = 16382) -> UpperLayer:
    """A layer whose peer accepts PDUs up to this length."""
    layer = UpperLayer()
    layer.associate(A_ASSOCIATE_RQ())
    layer.receive(codecs.accept(maximum_length=maximum_length))
    assert isinstance(layer.next_event(), Accepted)
    return layer


def events(layer: UpperLayer, data: bytes) -> list[Event]:
    """Everything these bytes mean."""
    layer.receive(data)
    found: list[Event] = []
    while event := layer.next_event():
        found.append(event)
    return found


def p_data(*items: tuple[int, int, bytes]) -> bytes:
    """One P-DATA-TF of items, each a context id, a message control header and a fragment."""
    body = b"".join(
        struct.pack(">IBB", len(fragment) + 2, context_id, control) + fragment
        for context_id, control, fragment in items
    )
    return struct.pack(">BxI", 4, len(body)) + body
