"""Certificates for tests, made by openssl: two authorities, and what the first of them signed."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form; `made["server"]` is a certificate, `made.key("server")` its key."""

    directory: Path

    def __getitem__(self, name: str) -> str:
        return str(self.directory / f"{name}.pem")

    def key(self, name: str) -> str:
        return str(self.directory / f"{name}.key")


def make(directory: Path) -> Certificates:
    """All of them: authorities `ca` and `other-ca`; `server` for 127.0.0.1, `elsewhere`, `expired`,
    `early`, `client` and `stranger`, whom only the other authority knows."""
    if not shutil.which("openssl"):
        if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
            pytest.fail("openssl is not installed")
        pytest.skip("openssl is not installed")
    made = Certificates(directory)
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    for ca in ("ca", "other-ca"):
        _openssl(directory, *new, "-x509", "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", out=ca)
    for name, host, ca in (
        ("server", "IP:127.0.0.1", "ca"),
        ("elsewhere", "DNS:elsewhere.example.org", "ca"),
        ("client", "DNS:client", "ca"),
        ("stranger", "DNS:stranger", "other-ca"),
    ):
        request = f"{name}-request"
        _openssl(directory, *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", out=request)
        (directory / "extensions").write_text(f"subjectAltName={host}\n")
        signed = ("-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "30")
        extended = ("-in", f"{request}.pem", "-extfile", "extensions")
        _openssl(directory, "x509", "-req", *signed, *extended, out=name)
    _dated(directory, new, "expired", "20200101000000Z", "20210101000000Z")
    _dated(directory, new, "early", "20990101000000Z", "21000101000000Z")
    return made


def _dated(directory: Path, new: tuple[str, ...], name: str, start: str, end: str) -> None:
    """A certificate that holds between these times; in every OpenSSL only its `ca` can say that."""
    request = f"{name}-request"
    _openssl(directory, *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", out=request)
    (directory / "ca.cnf").write_text(
        "[ca]\ndefault_ca=all\n[all]\nnew_certs_dir=.\ndatabase=index\nserial=number\n"
        "default_md=sha256\npolicy=any\nx509_extensions=host\n[any]\ncommonName=supplied\n"
        "[host]\nsubjectAltName=IP:127.0.0.1\n"
    )
    (directory / "index").write_text("")
    (directory / "number").write_text("01\n")
    by = ("-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key")
    dates = ("-startdate", start, "-enddate", end)
    _openssl(directory, "ca", *by, *dates, "-in", f"{request}.pem", out=name)


def _openssl(directory: Path, *arguments: str, out: str) -> None:
    subprocess.run(
        ["openssl", *arguments, "-out", f"{out}.pem"],
        cwd=directory,
        check=True,
        capture_output=True,
    )
