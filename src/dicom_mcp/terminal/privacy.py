"""`dicom-mcp privacy` and `whois`, as they are typed."""

import argparse
import sys

from ..config import load
from ..privacy.settings import PrivacySettings
from ..privacy.treatment import Mode

# What parsers of commands are added to.
type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]


def add_privacy(commands: Commands) -> None:
    """The commands `privacy` and `whois`."""
    _add_verbs(
        commands.add_parser("privacy", help="the key of pseudonyms, and what is told of patients")
    )
    who = commands.add_parser("whois", help="say who is behind a pseudonym; it is written down")
    who.add_argument("pseudonym")
    who.add_argument("--reason", required=True, help="what it is looked up for")
    who.add_argument("--backup", metavar="FOLDER", default="", help="in this one instead")
    who.set_defaults(run=_whois)


def _add_verbs(privacy: argparse.ArgumentParser) -> None:
    verbs = privacy.add_subparsers(title="verbs", metavar="VERB", required=True)
    key = verbs.add_parser("key", help="make a key for pseudonyms")
    key.add_argument("path", metavar="FILE")
    backup = verbs.add_parser("backup", help="copy the key and the map of pseudonyms")
    backup.add_argument("path", metavar="FOLDER")
    rotate = verbs.add_parser("rotate", help="go on with a new key and other pseudonyms")
    destroy = verbs.add_parser("destroy", help="remove the key and the map")
    destroy.add_argument("--yes", action="store_true", help="without asking")
    for verb, parser in (("key", key), ("backup", backup), ("rotate", rotate)):
        parser.set_defaults(run=_privacy, verb=verb)
    destroy.set_defaults(run=_privacy, verb="destroy")
    table = verbs.add_parser("table", help="show what is done with the values of each attribute")
    table.add_argument(
        "attributes",
        nargs="*",
        metavar="ATTRIBUTE",
        help="keywords, tags or plain words (default: every one)",
    )
    table.add_argument("--mode", choices=[*Mode], help="in this one (default: in all)")
    form = table.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--csv", action="store_true", help="as CSV")
    table.set_defaults(run=_table)


def _privacy(chosen: argparse.Namespace) -> None:
    from . import pseudonyms

    if chosen.verb == "key":
        sys.exit(pseudonyms.make_key(chosen.path))
    if chosen.verb == "backup":
        sys.exit(pseudonyms.back_up(chosen.config, chosen.path))
    if chosen.verb == "rotate":
        sys.exit(pseudonyms.rotate(chosen.config))
    sys.exit(pseudonyms.destroy(chosen.config, yes=chosen.yes))


def _table(chosen: argparse.Namespace) -> None:
    from .privacy_table import show_table

    settings = load(chosen.config).privacy or PrivacySettings()
    modes = (Mode(chosen.mode),) if chosen.mode else tuple(Mode)
    show_table(settings.retain, modes, chosen.attributes, json=chosen.json, csv=chosen.csv)


def _whois(chosen: argparse.Namespace) -> None:
    from .pseudonyms import whois

    sys.exit(whois(chosen.config, chosen.pseudonym, chosen.reason, chosen.backup))
