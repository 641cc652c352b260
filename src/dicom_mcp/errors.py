"""Every failure dicom-mcp anticipates, as one tree.

Each is a sentence to someone who can act: what happened, at which archive, what to try. No error
text ever carries a value a patient or a model gave beyond the argument that was refused.

DicomMcpError
├── BadRequest                      refused before anything is sent
│   ├── BadArgument                 a tool argument that is unknown or cannot be meant
│   │   └── BadType                 one of another type than its schema has
│   ├── BadAttribute                an attribute or preset that does not exist
│   ├── BadConfiguration            a setting that cannot be used
│   └── NotAllowed                  the operator switched this off
├── AnswerTooLong                   answered, but with more than clients take at once
├── Cancelled                       the caller went away: no failure of anything
├── IndexUnavailable                an index whose engine is missing or whose files cannot be used
├── Defect                          dicom-mcp itself failed; its log says where
├── ContentError                    an object that is not there, or cannot be read or shown rightly
└── ArchiveError                    asked, but not answered; always says where
    ├── Unreachable                 no TCP connection
    │   ├── NameNotResolved
    │   ├── ConnectionRefused
    │   ├── ConnectionTimedOut
    │   │   └── HandshakeTimedOut   connected, but TLS did not come about in time
    │   ├── TlsFailure              connected, but not securely; the reason is told
    │   └── NotAsked                spared after several failures in a row
    ├── MachineLacks                not asked, for want of something where dicom-mcp runs
    ├── AssociationRejected         A-ASSOCIATE-RJ (PS3.8 9.3.4)
    │   ├── CalledTitleNotRecognised
    │   ├── CallingTitleNotRecognised
    │   ├── RejectedWithoutReason
    │   └── TooManyAssociations
    ├── NoAcceptedContext           associated, but not for this service (PS3.8 9.3.3.2)
    ├── AssociationAborted          A-ABORT (PS3.8 9.3.8)
    ├── ConnectionLost              the peer closed or reset the connection
    ├── ProtocolViolation           bytes that PS3.7, PS3.8 or PS3.5 do not allow
    ├── DeadlinePassed              no (complete) answer in time
    ├── AskedInVain                 one call's queries brought nothing, too often
    └── StatusFailure               the archive answered with a failure status (PS3.7 C)
"""

from typing import Self


class DicomMcpError(Exception):
    """What happened, as a sentence without its full stop, and what to try."""

    def __init__(self, happened: str, remedy: str = "") -> None:
        super().__init__(happened)
        self.happened = happened
        self.remedy = remedy

    def again(self) -> Self:
        """The same failure, to be kept or raised later: without the frames that this one came
        through, and all they hold."""
        same = self.__class__.__new__(self.__class__, *self.args)
        same.__dict__.update(self.__dict__)
        return same

    def __str__(self) -> str:
        return " ".join(ended(part) for part in (self.happened, self.remedy) if part)


def ended(sentence: str) -> str:
    """With its full stop, which a question has not."""
    return sentence if sentence.endswith("?") else f"{sentence.rstrip('.')}."


class BadRequest(DicomMcpError):
    """Refused before anything was sent."""


class BadArgument(BadRequest):
    """A tool argument that is unknown or malformed."""


class BadType(BadArgument):
    """Arguments of another type than their schema has, or out of its range."""


class BadAttribute(BadRequest):
    """An attribute or preset that does not exist."""


class BadConfiguration(BadRequest):
    """A setting that cannot be used."""


class NotAllowed(BadRequest):
    """The operator switched this off."""


class ArchiveError(DicomMcpError):
    """Asked, but not answered. `at` names the archive and both AE titles.

    Code that does not know the archive raises without `at`; the archive adds it once, where the
    call leaves the DICOM side.
    """

    at: str = ""

    def __str__(self) -> str:
        sentence = super().__str__()
        return f"{self.at}: {sentence}" if self.at else sentence


class Unreachable(ArchiveError):
    """No TCP connection could be made."""


class NameNotResolved(Unreachable):
    """The host name has no address."""


class ConnectionRefused(Unreachable):
    """Nothing listens on that port."""


class ConnectionTimedOut(Unreachable):
    """Nothing answered the attempt to connect."""


class HandshakeTimedOut(ConnectionTimedOut):
    """The other side took the connection and did not answer the TLS handshake in time."""


class TlsFailure(Unreachable):
    """TLS did not come about, or one side does not trust the other."""


class NotAsked(Unreachable):
    """Nothing was tried: the archive failed several times in a row a moment ago."""


class MachineLacks(ArchiveError):
    """The machine that dicom-mcp runs on has not what it takes to ask; nobody else is at fault."""


class AssociationRejected(ArchiveError):
    """A-ASSOCIATE-RJ for a reason without a type of its own (PS3.8 9.3.4); `transient` says that
    the archive called it so."""

    def __init__(self, happened: str, remedy: str = "", *, transient: bool = False) -> None:
        super().__init__(happened, remedy)
        self.transient = transient


class CalledTitleNotRecognised(AssociationRejected):
    """Rejected by the service-user with reason 7."""


class CallingTitleNotRecognised(AssociationRejected):
    """Rejected by the service-user with reason 3."""


class RejectedWithoutReason(AssociationRejected):
    """Rejected by the service-user with reason 1, or with none that the standard has."""


class TooManyAssociations(AssociationRejected):
    """Rejected by the service-provider with reason 1 or 2."""


class NoAcceptedContext(ArchiveError):
    """Associated, but the archive does not offer this service to us."""


class AssociationAborted(ArchiveError):
    """The archive sent A-ABORT."""


class ConnectionLost(ArchiveError):
    """The connection was closed or reset without a word."""


class ProtocolViolation(ArchiveError):
    """The archive sent what the standard does not allow, or more than we accept."""

    def __init__(
        self,
        happened: str,
        remedy: str = "Ask again; if it stays so, the archive's vendor should see this message",
    ) -> None:
        super().__init__(happened, remedy)


class DeadlinePassed(ArchiveError):
    """The call's deadline passed before the archive had answered: after so many `seconds` of
    waiting for it; 0 where it was not the archive that took the time."""

    seconds: float = 0.0


class AskedInVain(ArchiveError):
    """More of one call's queries brought nothing than an archive is to be asked."""


class Defect(DicomMcpError):
    """dicom-mcp itself failed."""


class AnswerTooLong(DicomMcpError):
    """The answer has more bytes than clients take."""


class IndexUnavailable(DicomMcpError):
    """The engine that reads and writes an index is not installed, or its files cannot be used."""


class Cancelled(DicomMcpError):
    """The caller cancelled the call."""


class StatusFailure(ArchiveError):
    """The archive answered with a failure status; `status` is its 16-bit code (PS3.7 C), and
    `offending` the keywords of the attributes it named as the reason."""

    def __init__(
        self, happened: str, remedy: str = "", *, status: int, offending: tuple[str, ...] = ()
    ) -> None:
        super().__init__(happened, remedy)
        self.status = status
        self.offending = offending
