"""Names as people write them, found whatever letters and scripts the archive holds them in."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode
from tests.asking import ask
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import Kind, embedded
from tests.peers.orthanc import orthanc, read_again
from tests.truth.archives import images

PEOPLE = (
    *("Nguyễn^Thị Hồng", "Łukasiewicz^Jan", "Şahin^Ayşegül", "Ţepeş^Ştefan", "Žemaitė^Ūla"),
    *("Þórðarson^Guðmundur", "Núñez^Íñigo", "Đoković^Željko", "Őry^Zsófia", "Kőszegi^Ágnes"),
    *("Bērziņš^Jānis", "Wałęsa^Żaneta", "Yıldırım^Işıl", "Wojciechowska^Anna", "Doe^Jane"),
    *("Иванов^Иван", "Παπαδόπουλος^Γεώργιος", "山田^太郎", "홍^길동", "鈴木花子", "Sorensen^Bo"),
    *("Hong^Gildong=洪^吉洞=홍^길동", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Smith^John^Quincy"),
    *("Kovalenko^Olha", "Lefèbvre^Zoé", "Gruber^Löwe", "Nguyen^Van An", "Müller^Änne"),
    *("王^小明", "김^철수", "Ħaż-Żebbuġ^Ġorġ", "Dvořáčková^Růžena"),
)
# As people write it, and whom it means.
ASKED: dict[str, str | tuple[str, ...]] = {
    "Nguyen Thi Hong": "Nguyễn^Thị Hồng",
    "Nguyễn Thị Hồng": "Nguyễn^Thị Hồng",
    "Thi Hong Nguyen": "Nguyễn^Thị Hồng",
    "NGUYEN THI HONG": "Nguyễn^Thị Hồng",
    "Lukasiewicz": "Łukasiewicz^Jan",
    "Jan Lukasiewicz": "Łukasiewicz^Jan",
    "Sahin": "Şahin^Ayşegül",
    "Aysegul Sahin": "Şahin^Ayşegül",
    "Tepes": "Ţepeş^Ştefan",
    "Stefan Tepes": "Ţepeş^Ştefan",
    "Ula Zemaite": "Žemaitė^Ūla",
    "Thordarson": "Þórðarson^Guðmundur",
    "Gudmundur Thordarson": "Þórðarson^Guðmundur",
    "Nunez": "Núñez^Íñigo",
    "Djokovic": "Đoković^Željko",
    "Dokovic": "Đoković^Željko",
    "Ory Zsofia": "Őry^Zsófia",
    "Koszegi Agnes": "Kőszegi^Ágnes",
    "Berzins": "Bērziņš^Jānis",
    "Walesa": "Wałęsa^Żaneta",
    "Yildirim": "Yıldırım^Işıl",
    "ISIL YILDIRIM": "Yıldırım^Işıl",
    "Ivanov": "Иванов^Иван",
    "Ivan Ivanov": "Иванов^Иван",
    "Иванов": "Иванов^Иван",
    "Papadopoulos": "Παπαδόπουλος^Γεώργιος",
    "山田太郎": ("山田^太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    "山田 太郎": ("山田^太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    "홍길동": ("홍^길동", "Hong^Gildong=洪^吉洞=홍^길동"),
    "鈴木花子": "鈴木花子",
    "鈴木 花子": "鈴木花子",
    "王小明": "王^小明",
    "김철수": "김^철수",
    "Sørensen": "Sorensen^Bo",
    "Коваленко": "Kovalenko^Olha",
    "Lefebvre Zoe": "Lefèbvre^Zoé",
    "Loewe Gruber": "Gruber^Löwe",
    "Mueller": "Müller^Änne",
    "Muller Anne": "Müller^Änne",
    "Hong Gildong": "Hong^Gildong=洪^吉洞=홍^길동",
    "Dvorackova": "Dvořáčková^Růžena",
    "Ruzena Dvořáčková": "Dvořáčková^Růžena",
    "Nguyen": ("Nguyen^Van An", "Nguyễn^Thị Hồng"),
    "Zebbug": "Ħaż-Żebbuġ^Ġorġ",
    "Jane Doe": "Doe^Jane",
}


def held() -> Iterator[Dataset]:
    for number, name in enumerate(PEOPLE, start=1):
        yield from images(
            1, study=number, PatientID=f"P{number}", PatientName=name, StudyDate="20260101"
        )


@pytest.fixture(
    scope="module",
    params=[
        "embedded",
        "letter by letter",
        pytest.param("orthanc", marks=pytest.mark.orthanc),
        pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
    ],
)
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyNode]:
    directory: Path = tmp_path_factory.mktemp("names")
    everybody = list(held())
    match request.param:
        case "embedded":
            started = embedded(everybody)
        case "letter by letter":
            exact = Habits(case_sensitive=True, by_bytes=True)
            started = embedded(everybody, Kind(habits=exact))
        case "orthanc":
            started = orthanc(read_again(everybody), directory)
        case _:
            started = dcmqrscp(everybody, directory)
    with started as peer:
        yield peer.node


@pytest.mark.parametrize("text", list(ASKED))
def test_a_name_is_found_in_whatever_letters_it_is_written(
    node: AnyNode, text: str, request: pytest.FixtureRequest
) -> None:
    meant = ASKED[text]
    expected = {meant} if isinstance(meant, str) else set(meant)
    answer = ask(node, "query_patients", name_pattern=text)
    rows = [{**answer["common"], **record} for record in answer["records"]]
    assert {row["PatientName"] for row in rows} == expected
    # An archive that compares bytes cannot be shown to understand each shape of key.
    assert answer["complete"] or "letter by letter" in request.node.name


# Names with a mistake, and whom they may mean.
NEARLY = {
    "Wojcieschovska": "Wojciechowska^Anna",
    "Anna Wojciechowsky": "Wojciechowska^Anna",
    "Lukasiewich": "Łukasiewicz^Jan",
    "Ngyuen Thi Hong": "Nguyễn^Thị Hồng",
    "Jane Deo": "Doe^Jane",
    "Smiht John": "Smith^John^Quincy",
    "Kovalnko": "Kovalenko^Olha",
    "Thorddarson": "Þórðarson^Guðmundur",
}


@pytest.mark.parametrize("text", list(NEARLY))
def test_a_name_with_a_mistake_comes_back_with_who_may_be_meant(node: AnyNode, text: str) -> None:
    for tool, arguments in (
        ("query_patients", {"name_pattern": text}),
        ("query_studies", {"patient_name": text, "study_date": "20260101"}),
        ("patient_timeline", {"patient_name": text}),
    ):
        answer = ask(node, tool, **arguments)
        assert answer["records"] == []
        (told,) = [note for note in answer["notes"] if "who may be meant" in note]
        assert told.split(": ", 1)[1].startswith(NEARLY[text])


def latin(syllables: Iterable[str]) -> list[str]:
    """As many names as the syllables make in threes."""
    return [
        f"{first}{second}{third}^{third.title()}{first}".capitalize()
        for first in syllables
        for second in syllables
        for third in syllables
    ]


@pytest.fixture(scope="module")
def many() -> Iterator[AnyNode]:
    """More people than are all looked at."""
    names = latin(("ka", "lo", "mi", "ter", "san", "wu", "bel", "dor", "fin", "gar", "hel"))
    objects = [
        instance
        for number, name in enumerate((*names, *PEOPLE), start=1)
        for instance in images(1, study=number, PatientID=f"P{number}", PatientName=name)
    ]
    with embedded(objects) as peer:
        yield peer.node


@pytest.mark.parametrize("text", list(NEARLY))
def test_of_many_people_too_those_are_told_who_may_be_meant(many: AnyNode, text: str) -> None:
    answer = ask(many, "query_patients", name_pattern=text)
    assert answer["records"] == []
    (told,) = [note for note in answer["notes"] if "who may be meant" in note]
    assert NEARLY[text] in told
    assert "not everybody" in told
    assert answer["queries"] <= 60


@pytest.mark.parametrize(
    "text",
    ["Nguyen Thi Hong", "Lukasiewicz", "Thordarson", "Walesa", "Nunez", "鈴木花子", "王小明"],
)
def test_of_many_people_too_those_are_found_who_have_the_name_in_other_letters(
    many: AnyNode, text: str
) -> None:
    answer = ask(many, "query_patients", name_pattern=text)
    rows = [{**answer["common"], **record} for record in answer["records"]]
    assert [row["PatientName"] for row in rows] == [ASKED[text]]
    assert answer["complete"]
    assert answer["queries"] <= 60


def test_nobody_is_named_for_a_name_that_nobody_nearly_has(node: AnyNode) -> None:
    answer = ask(node, "query_patients", name_pattern="Quetzalcoatl Xavier")
    assert answer["returned"] == 0
    assert not [note for note in answer["notes"] if "who may be meant" in note]


@pytest.mark.parametrize("text", ["Ivanov", "Ivan Ivanov", "Papadopoulos", "Коваленко"])
def test_of_many_people_too_those_are_found_whose_name_is_in_another_alphabet(
    many: AnyNode, text: str
) -> None:
    answer = ask(many, "query_patients", name_pattern=text)
    rows = [{**answer["common"], **record} for record in answer["records"]]
    assert [row["PatientName"] for row in rows] == [ASKED[text]]


def test_a_name_that_somebody_has_as_written_hides_nobody_who_has_it_in_another_alphabet() -> None:
    names = ("Ivanov^Pyotr", "Иванов^Иван", "Petrova^Anna")
    people = [
        instance
        for number, name in enumerate(names, start=1)
        for instance in images(1, study=number, PatientID=f"P{number}", PatientName=name)
    ]
    with embedded(people) as peer:
        answer = ask(peer.node, "query_patients", name_pattern="Ivanov")
    assert {record["PatientName"] for record in answer["records"]} == {*names[:2]}


@pytest.mark.parametrize("text", ["Kim Chulsoo", "Tanaka Ichiro"])
def test_where_names_are_in_a_script_only_that_cannot_be_compared_nobody_is_not_certain(
    many: AnyNode, text: str
) -> None:
    answer = ask(many, "query_studies", patient_name=text)
    assert answer["records"] == []
    assert answer["complete"] is False
    assert any("letters only" in note for note in answer["notes"])


def test_where_names_are_latin_only_nobody_is_certain() -> None:
    people = [
        instance
        for number, name in enumerate(latin(("ka", "lo", "mi", "ter", "san", "wu", "be", "do")))
        for instance in images(1, study=number, PatientID=f"P{number}", PatientName=name)
    ]
    with embedded([*people, *images(1, study=900, PatientName="Hong^Gildong=洪^吉洞")]) as peer:
        answers = [ask(peer.node, "query_patients", name_pattern=one) for one in ("Ivanov", "Kim")]
    assert [answer["returned"] for answer in answers] == [0, 0]
    assert [answer["complete"] for answer in answers] == [True, True]
