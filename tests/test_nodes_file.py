"""The configuration file: what it may say, and how every mistake in it is told."""

from pathlib import Path

import pytest

from dicom_mcp.config import load
from dicom_mcp.errors import BadConfiguration
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import Basic, Bearer, Certificate, Node, Receiver, Tls, WebNode, node_at
from dicom_mcp.nodes_file import NodesFile, keys_of
from dicom_mcp.privacy.settings import PrivacySettings

WHOLE = """
default = "vna"
calling_ae_title = "ASSISTANT"
time_zone = "Europe/Berlin"
configurable_hosts = ["pacs.example.org"]

[nodes.pacs]
host = "pacs.example.org"
port = 104
called_ae_title = "PACS"
timeout = 60
connections = 4
character_set = "ISO_IR 100"
objects_from = "vna"
receiver = { ae_title = "MOVE_HERE", port = 11120 }

[nodes.pacs.tls]
ca_file = "ca.pem"
certificate = "us.pem"

[nodes.vna]
url = "https://vna.example.org/dicom-web"
username = "assistant"
password_env = "VNA_PASSWORD"

[nodes.cloud]
url = "https://cloud.example.org/dicom"
token_file = "token"
time_zone = "Asia/Tokyo"
"""


def written(folder: Path, text: str) -> str:
    for name in ("ca.pem", "us.pem"):
        (folder / name).write_text("")
    (folder / "token").write_text("ZZTOKEN\n")
    (folder / "config.toml").write_text(text)
    return str(folder / "config.toml")


def test_one_file_names_every_archive_in_the_house(tmp_path: Path) -> None:
    settings = load(written(tmp_path, WHOLE), {"VNA_PASSWORD": "ZZSECRET"})
    assert list(settings.nodes) == ["vna", "pacs", "cloud"]
    assert str(settings.time_zone) == "Europe/Berlin"
    assert settings.configurable_hosts == {"pacs.example.org"}
    pacs = settings.nodes["pacs"]
    assert isinstance(pacs, Node)
    assert (pacs.called_ae_title, pacs.calling_ae_title) == ("PACS", "ASSISTANT")
    assert (pacs.timeout, pacs.connections, pacs.objects_from) == (60, 4, "vna")
    assert pacs.receiver == Receiver("MOVE_HERE", 11120)
    assert pacs.tls == Tls(str(tmp_path / "ca.pem"), Certificate(str(tmp_path / "us.pem")))
    vna, cloud = settings.nodes["vna"], settings.nodes["cloud"]
    assert isinstance(vna, WebNode)
    assert vna.auth == Basic("assistant", "ZZSECRET")
    assert isinstance(cloud, WebNode)
    assert cloud.auth == Bearer("ZZTOKEN")
    assert str(cloud.time_zone) == "Asia/Tokyo"


def test_no_secret_is_shown_when_settings_are(tmp_path: Path) -> None:
    settings = load(written(tmp_path, WHOLE), {"VNA_PASSWORD": "ZZSECRET"})
    assert "ZZ" not in repr(settings) + "".join(map(str, settings.nodes.values()))


def test_the_file_is_found_by_variable_and_at_its_usual_place(tmp_path: Path) -> None:
    usual = tmp_path / "dicom-mcp"
    usual.mkdir()
    name = written(usual, '[nodes.a]\nhost = "a.example.org"\nport = 104\n')
    at_home = {"XDG_CONFIG_HOME": str(tmp_path), "APPDATA": str(tmp_path)}
    assert list(load(environ={"DICOM_MCP_CONFIG": name}).nodes) == ["a"]
    assert list(load(environ=at_home).nodes) == ["a"]
    (usual / "config.toml").unlink()
    assert list(load(environ=at_home).nodes) == ["default"]
    with pytest.raises(BadConfiguration, match="cannot be read: No such file"):
        load(environ={"DICOM_MCP_CONFIG": name})


def test_variables_of_an_archive_are_one_more_node_and_the_default(tmp_path: Path) -> None:
    name = written(tmp_path, '[nodes.a]\nhost = "a.example.org"\nport = 104\n')
    settings = load(name, {"DICOM_HOST": "b.example.org", "DICOM_AE_TITLE": "WE"})
    assert list(settings.nodes) == ["environment", "a"]
    assert settings.node.host == "b.example.org"


WRONG = """
defualt = "pacs"
default = "pax"
time_zone = "Mars/Olympus"

[nodes.pacs]
host = "http://pacs"
port = 70000
called_ae_title = "SEVENTEEN_LETTERS"
character_set = "latin"
tsl = true

[nodes.web]
url = "https://web.example.org/dicom-web"
password = "ZZSECRET"

[nodes.token]
url = "https://web.example.org/dicom-web"
token_env = "NOT_SET"
ca_file = "nowhere.pem"
timeout = "soon"

[nodes.two]
url = "https://web.example.org/dicom-web"
username = "me"
password_env = "HOME"
token_env = "HOME"

[nodes.all]
port = 104

[nodes.plain]
url = "http://web.example.org/dicom-web"
certificate = "us.pem"
"""


def test_every_mistake_is_named_at_once_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as raised:
        load(written(tmp_path, WRONG), {"HOME": "/root"})
    told = str(raised.value)
    assert "ZZSECRET" not in told
    for line in (
        "line 2, defualt: there is no such setting. Did you mean default?",
        "line 11, nodes.pacs.tsl: there is no such setting. Did you mean tls?",
        "line 15, nodes.web.password: a secret does not belong in this file. Use password_env",
        "line 21, nodes.token.timeout: input should be a valid number",
    ):
        assert line in told


def test_values_that_cannot_work_are_all_named_too(tmp_path: Path) -> None:
    text = WRONG.replace('defualt = "pacs"', "").replace("tsl = true", "")
    text = text.replace('password = "ZZSECRET"', "").replace('timeout = "soon"', "")
    with pytest.raises(BadConfiguration) as raised:
        load(written(tmp_path, text), {"HOME": "/root"})
    told = str(raised.value)
    assert f"{tmp_path / 'config.toml'} has 12 mistakes:" in told
    for line in (
        "line 3, default: there is no node 'pax'. Known: pacs, web, token, two, all, plain",
        "line 4, time_zone: 'Mars/Olympus' is not a time zone known here",
        "line 7, nodes.pacs.host: host 'http://pacs' is not a host name",
        "line 8, nodes.pacs.port: port 70000 is not between 1 and 65535. DICOM archives often",
        "line 9, nodes.pacs.called_ae_title: called_ae_title 'SEVENTEEN_LETTERS' has 17",
        "line 10, nodes.pacs.character_set: 'latin' is no defined term",
        "line 19, nodes.token.token_env: the environment variable NOT_SET is not set",
        f"line 20, nodes.token.ca_file: there is no file {tmp_path / 'nowhere.pem'}",
        "line 27, nodes.two.token_env: there are two ways to authenticate",
        "line 29, nodes.all: a node's name has up to 32",
        "line 29, nodes.all: neither host (DICOM) nor url (DICOMweb) is given",
        "line 32, nodes.plain: a client certificate needs TLS",
    ):
        assert line in told, told


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('password_env = "HOME"', "nodes.a.username: missing"),
        ('key = "us.pem"', "nodes.a.certificate: missing"),
        ('username = "me"', "nodes.a: password_env or password_file is missing"),
        ('token_env = "HOME"\ntoken_file = "token"', "token_env or token_file, not both"),
        ('url = "ftp://pacs.example.org:21"', "nodes.a.url: base_url is not the address"),
        ("timeout = true", "nodes.a.timeout: input should be a valid number"),
        ('objects_from = "b"', "nodes.a.objects_from: there is no node 'b'. Known: a"),
        ("token_env = 1", "nodes.a.token_env: input should be a valid string"),
        ("receiver = true", "nodes.a.receiver: input should be a valid table"),
        ("tls = 1", "nodes.a.tls: input should be a valid table"),
        ('tls = { key = "us.pem" }', "nodes.a.tls.certificate: missing"),
    ],
)
def test_half_a_setting_is_a_mistake_and_not_left_out(
    line: str, mistake: str, tmp_path: Path
) -> None:
    node = 'host = "h"\nport = 104' if line[:3] in ("rec", "tls") else 'url = "http://h"'
    node = "" if line.startswith("url") else node
    with pytest.raises(BadConfiguration) as raised:
        load(written(tmp_path, f"[nodes.a]\n{node}\n{line}\n"), {"HOME": "/root"})
    assert "has 1 mistake:" in str(raised.value)
    assert mistake in str(raised.value)


def test_no_pause_between_questions_of_an_index_is_a_pause() -> None:
    assert IndexSettings(pause=0).pause == 0
    with pytest.raises(BadConfiguration, match="fresh -1 is not between 0 and 10000 hours"):
        IndexSettings(fresh=-1)


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"is not TOML: .* \(at line 2, column"):
        load(written(tmp_path, "\n[nodes\n"), {})
    with pytest.raises(BadConfiguration, match="line 1, nodes: missing"):
        load(written(tmp_path, "default = 'a'\n"), {})


@pytest.mark.parametrize(
    ("address", "node"),
    [
        ("PACS@pacs.example.org:104", Node("pacs.example.org", 104, "PACS")),
        ("192.0.2.1:11112", Node("192.0.2.1", 11112)),
        ("PACS@[::1]:104", Node("::1", 104, "PACS")),
        ("https://x.example.org/dicom-web", WebNode("https://x.example.org/dicom-web")),
    ],
)
def test_an_address_a_person_types_is_a_node(address: str, node: Node | WebNode) -> None:
    assert node_at(address) == node


@pytest.mark.parametrize("address", ["pacs", "PACS@host", "host:dicom", "@", ":104"])
def test_what_is_no_address_is_told_what_one_looks_like(address: str) -> None:
    with pytest.raises(BadConfiguration, match="An address is TITLE@host:port"):
        node_at(address)


DOCS = Path(__file__).parents[1] / "docs" / "configuration.md"


def test_every_setting_is_explained_as_the_nodes_themselves_say_it() -> None:
    lines = DOCS.read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert rows == [
        f"| `{key}` | {setting.description} |"
        for shape in (NodesFile, IndexSettings, PrivacySettings, Node, Tls, Receiver, WebNode)
        for key, setting in keys_of(shape).items()
    ]


@pytest.mark.parametrize("file", [DOCS, DOCS.with_name("terminal.md")])
def test_the_example_in_the_documentation_loads(file: Path, tmp_path: Path) -> None:
    example = file.read_text().split("```toml\n")[1].split("```")[0]
    settings = load(written(tmp_path, example), {"VNA_PASSWORD": "x"})
    assert list(settings.nodes) == ["pacs", "vna"]
