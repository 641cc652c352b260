"""What the operator sets, and how a mistake in it is told."""

from pathlib import Path

import pytest

from dicom_mcp.config import VARIABLES, Settings, exposures, from_environment, load
from dicom_mcp.errors import BadConfiguration
from dicom_mcp.node import Bearer, Certificate, Node, WebNode


def test_without_any_variable_the_promised_defaults_hold() -> None:
    node = from_environment({}).node
    assert isinstance(node, Node)
    assert (node.host, node.port) == ("127.0.0.1", 11112)
    assert (node.calling_ae_title, node.called_ae_title) == ("MCPSCU", "ANY-SCP")


def test_dicom_ae_title_is_ours_and_the_archives_has_a_variable_of_its_own() -> None:
    node = from_environment({"DICOM_AE_TITLE": "WE", "DICOM_CALLED_AE_TITLE": "THEY"}).node
    assert isinstance(node, Node)
    assert (node.calling_ae_title, node.called_ae_title) == ("WE", "THEY")


def test_every_documented_variable_is_read() -> None:
    settings = from_environment(
        {
            "DICOM_HOST": "pacs.example.org",
            "DICOM_PORT": "104",
            "DICOM_AE_TITLE": "WE",
            "DICOM_CALLED_AE_TITLE": "THEY",
            "DICOM_TIMEOUT": "12.5",
            "DICOM_TIME_ZONE": "Asia/Tokyo",
            "DICOM_CONFIGURABLE_HOSTS": "a.example.org, b.example.org",
            "DICOM_MCP_TOOLSETS_OFF": "images",
        }
    )
    assert settings.node == Node("pacs.example.org", 104, "THEY", "WE", 12.5)
    assert settings.configurable_hosts == {"a.example.org", "b.example.org"}
    assert str(settings.time_zone) == "Asia/Tokyo"
    assert settings.toolsets_off == {"images"}
    elsewhere = {"DICOM_MCP_CONFIG", "DICOM_MCP_DEMO"}  # see test_nodes_file, test_packages
    assert len(VARIABLES) == 8 + len(elsewhere)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DICOM_PORT", "70000", "not between 1 and 65535"),
        ("DICOM_PORT", "0", "not between 1 and 65535"),
        ("DICOM_PORT", "dicom", "not a number"),
        ("DICOM_PORT", "104.5", "not a whole number"),
        ("DICOM_PORT", "nan", "not a whole number"),
        ("DICOM_PORT", "inf", "not a whole number"),
        ("DICOM_AE_TITLE", "SEVENTEEN_LETTERS", "has 17 characters"),
        ("DICOM_AE_TITLE", "BACK\\SLASH", "a character an AE title cannot have"),
        ("DICOM_CALLED_AE_TITLE", "Ä", "a character an AE title cannot have"),
        ("DICOM_CALLED_AE_TITLE", "   ", "has 0 characters"),
        ("DICOM_HOST", "http://pacs", "is not a host name"),
        ("DICOM_HOST", "two words", "is not a host name"),
        ("DICOM_TIMEOUT", "-1", "not between 0.001 and 3600"),
        ("DICOM_TIME_ZONE", "Mars/Olympus", "not a time zone"),
        ("DICOM_TIME_ZONE", "../etc", "not a time zone"),
        ("DICOM_TIMEOUT", "soon", "not a number"),
        ("DICOM_TIMEOUT", "0", "timeout 0 is not between 0.001 and 3600 seconds"),
        ("DICOM_TIMEOUT", "nan", "not between 0.001 and 3600"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_the_rule(
    name: str, value: str, told: str
) -> None:
    with pytest.raises(BadConfiguration, match=told):
        from_environment({name: value})


def test_several_people_on_one_server_may_not_point_it_elsewhere_unless_allowed() -> None:
    assert from_environment({}, shared=True).configurable_hosts == frozenset()
    assert from_environment({}, shared=False).configurable_hosts is None
    allowed = from_environment({"DICOM_CONFIGURABLE_HOSTS": "any"}, shared=True)
    assert allowed.configurable_hosts is None
    assert from_environment({"DICOM_CONFIGURABLE_HOSTS": "none"}).configurable_hosts == frozenset()


def test_what_gives_secrets_away_is_told_without_them(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch(0o644)
    ours = Certificate(str(key))
    plain = WebNode("http://pacs.example", auth=Bearer("ZZSECRET"), name="plain")
    secure = WebNode("https://pacs.example", auth=ours, name="secure")
    told = exposures(Settings(plain, others=(secure, Node("pacs", name="open"))))
    assert [one.partition(":")[0] for one in told] == ["plain", "secure"]
    assert "ZZSECRET" not in str(told)
    key.chmod(0o600)
    assert not exposures(Settings(secure))


def test_files_that_hold_secrets_or_say_where_to_ask_are_the_owners_only(tmp_path: Path) -> None:
    file, token, password = (tmp_path / name for name in ("config.toml", "token", "password"))
    file.write_text(
        '[nodes.a]\nurl = "https://a.example"\ntoken_file = "token"\n'
        '[nodes.b]\nurl = "https://b.example"\nusername = "u"\npassword_file = "password"\n'
    )
    for secret in (token, password):
        secret.write_text("ZZSECRET")
        secret.chmod(0o640)
    file.chmod(0o664)
    told = exposures(load(str(file), {}))
    assert [one.partition(":")[0] for one in told] == [str(token), str(password), str(file)]
    assert "ZZSECRET" not in str(told)
    token.chmod(0o600)
    password.chmod(0o600)
    file.chmod(0o644)  # it holds no secret
    assert exposures(load(str(file), {})) == []
