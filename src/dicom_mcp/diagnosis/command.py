"""The same with other programs: DCMTK's, curl, openssl, as an administrator types it."""

import shlex
from collections.abc import Mapping

from ..node import Basic, Bearer, Certificate, Node, WebNode

_JSON = "Accept: application/dicom+json"


def resolve(node: Node | WebNode) -> str:
    """Look the name up."""
    return _line("getent", "hosts", node.host)


def reach(node: Node | WebNode) -> str:
    """Connect, and nothing more."""
    return _line("nc", "-vz", "-w", "10", node.host, str(node.port))


def handshake(node: Node | WebNode) -> str:
    """A TLS handshake."""
    if isinstance(node, WebNode):
        ca, certificate = node.ca_file, node.auth
    else:
        ca = node.tls.ca_file if node.tls else ""
        certificate = node.tls.certificate if node.tls else None
    options = ["-CAfile", ca] if ca else []
    if isinstance(certificate, Certificate):
        key = certificate.key or certificate.certificate
        options += ["-cert", certificate.certificate, "-key", key]
    return _line("openssl", "s_client", "-connect", f"{node.host}:{node.port}", *options)


def echo(node: Node) -> str:
    """C-ECHO."""
    return _dcmtk(node, "echoscu", "-v")


def find(node: Node, level: str, keys: Mapping[str, str], *, patient_root: bool = False) -> str:
    """C-FIND at a level."""
    asked = {"QueryRetrieveLevel": level, **keys}
    return _dcmtk(node, "findscu", "-P" if patient_root else "-S", *_keys(asked))


def worklist(node: Node, keys: Mapping[str, str]) -> str:
    """C-FIND in the Modality Worklist."""
    return _dcmtk(node, "findscu", "-W", *_keys(keys))


def get(node: Node) -> str:
    """C-GET of one object."""
    return _dcmtk(node, "getscu", "-v", "-S", *_keys(_ONE_OBJECT))


def move(node: Node) -> str:
    """C-MOVE of one object to our receiver."""
    to = node.receiver.ae_title if node.receiver else "RECEIVER"
    return _dcmtk(node, "movescu", "-v", "-S", "-aem", to, *_keys(_ONE_OBJECT))


def fetch(node: WebNode, target: str, *, accept: str = _JSON, method: str = "") -> str:
    """A request to a DICOMweb server. A password is asked for, a token taken from TOKEN."""
    options = ["-sS", "-i", "-H", accept]
    if method:
        options += ["-X", method]
    if node.ca_file:
        options += ["--cacert", node.ca_file]
    if isinstance(node.auth, Basic):
        options += ["-u", node.auth.username]
    if isinstance(node.auth, Certificate):
        key = node.auth.key or node.auth.certificate
        options += ["--cert", node.auth.certificate, "--key", key]
    token = ' -H "Authorization: Bearer $TOKEN"' if isinstance(node.auth, Bearer) else ""
    return _line("curl", *options) + token + " " + shlex.quote(node.base_url + target)


_ONE_OBJECT = {
    "QueryRetrieveLevel": "IMAGE",
    "StudyInstanceUID": "UID",
    "SeriesInstanceUID": "UID",
    "SOPInstanceUID": "UID",
}


def _dcmtk(node: Node, program: str, *options: str) -> str:
    tls: list[str] = []
    if node.tls:
        mine = node.tls.certificate
        key = [mine.key or mine.certificate, mine.certificate] if mine else []
        tls = ["+tls", *key] if mine else ["+tla"]
        tls += ["+cf", node.tls.ca_file] if node.tls.ca_file else []
    titles = ("-aet", node.calling_ae_title, "-aec", node.called_ae_title)
    return _line(program, *options, *tls, *titles, node.host, str(node.port))


def _keys(keys: Mapping[str, str]) -> list[str]:
    return [part for name, key in keys.items() for part in ("-k", f"{name}={key}" if key else name)]


def _line(*words: str) -> str:
    return shlex.join(words)
