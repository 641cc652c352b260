"""Names as people write them, the keys they become, and who is the person that was meant."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dicom_mcp.standard.matching import is_universal, matches
from dicom_mcp.standard.values import text as checked
from dicom_mcp.words.letters import in_other_case, spellings
from dicom_mcp.words.names import readings
from dicom_mcp.words.namesake import same_name

WRITTEN = st.one_of(
    st.text(max_size=100),
    st.text("aBéÜß.-,^=*?' \\\n山田김ж1", max_size=90),
    st.lists(
        st.sampled_from(
            ["Jane", "Doe", "van", "der", "de", "Dr.", "Müller", "J.", "y", "PhD", ",", "山田", "("]
        ),
        max_size=9,
    ).map(" ".join),
)


def keys(text: str) -> list[list[str]]:
    return [[reading.key for reading in rank] for rank in readings(text)]


@pytest.mark.parametrize(
    ("text", "first_rank"),
    [
        ("Doe^Jane", ["Doe^Jane"]),
        ("Doe^Jane  ", ["Doe^Jane"]),
        ("Doe*", ["Doe*"]),
        ("D?e^*", ["D?e^*"]),
        ("Yamada^Tarou=山田^太郎", ["Yamada^Tarou=山田^太郎"]),
        ("Doe, Jane", ["Doe^Jane*"]),
        ("Doe,Jane", ["Doe^Jane*"]),
        ("DOE, JANE", ["DOE^JANE*"]),
        ("Doe; Jane", ["Doe^Jane*"]),
        ("Doe, J.", ["Doe^J*"]),
        ("Doe, Jane, MD", ["Doe^Jane*"]),
        ("Doe Jr., John", ["Doe^John*"]),
        ("Doe, Dr. Jane", ["Doe^Jane*"]),
        ("Jane Doe", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("  Jane   Doe ", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Dr. Jane Doe", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Dr.Jane Doe", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Jane Doe PhD", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Jane Doe, M.D.", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Prof. Dr. med. Jane Doe", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ('Jane "JD" Doe', ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Jane Doe (geb. Roe)", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("Jane Doe née Roe", ["Doe^Jane*", "Jane^Doe*", "Jane Doe*"]),
        ("J. Doe", ["Doe^J*"]),
        ("J Doe", ["Doe^J*"]),
        ("J.R. Smith", ["Smith^J*?R*"]),
        ("Jane D.", ["D*^Jane*", "Jane^D*", "Jane D*"]),
        ("John Q. Public", ["Public^John?Q*", "John^Q*?Public*", "John Q* Public*"]),
        ("Weber", ["Weber^*", "Weber"]),
        ("Weber,", ["Weber^*", "Weber"]),
        ("Mrs Doe", ["Doe^*", "Doe"]),
        ("Herr Müller", ["Müller^*", "Müller"]),
        ("Frau Müller", ["Müller^*", "Müller"]),
        ("Señora García", ["García^*", "García"]),
        ("Mme Dupont", ["Dupont^*", "Dupont"]),
        ("Sig.ra Rossi", ["Rossi^*", "Rossi"]),
        ("Herr", ["Herr^*", "Herr"]),
        ("O'Brien", ["O'Brien^*", "O'Brien"]),
        ("O’Brien, Pat", ["O'Brien^Pat*"]),
        ("Meyer-Schmidt", ["Meyer?Schmidt^*", "Meyer?Schmidt"]),
        ("Dubois, Anne-Marie", ["Dubois^Anne?Marie*"]),
        ("Dubois, Anne Marie", ["Dubois^Anne?Marie*"]),
        ("Jan van der Berg", ["van der Berg^Jan*", "Jan^van?der?Berg*", "Jan van der Berg*"]),
        ("van der Berg, Jan", ["van der Berg^Jan*", "Berg^Jan?van?der*"]),
        ("Berg, Jan van der", ["Berg^Jan?van?der*", "van der Berg^Jan*"]),
        ("de la Cruz, Ana", ["de la Cruz^Ana*", "Cruz^Ana?de?la*"]),
        ("van Gogh", ["van Gogh^*", "van Gogh", "Gogh^van*", "van^Gogh*"]),
        ("Ben Smith", ["Ben Smith^*", "Ben Smith", "Smith^Ben*", "Ben^Smith*"]),
        ("Ortega y Gasset, José", ["Ortega y Gasset^José*"]),
        ("Md Rahman", ["Rahman^Md*", "Md^Rahman*", "Md Rahman*"]),
        (
            "María García López",
            [
                "López^María?García*",
                "María^García?López*",
                "García?López^María*",
                "María?García^López*",
                "María García López*",
            ],
        ),
        (
            "Иванов Иван Иванович",
            [
                "Иванович^Иванов?Иван*",
                "Иванов^Иван?Иванович*",
                "Иван?Иванович^Иванов*",
                "Иванов?Иван^Иванович*",
                "Иванов Иван Иванович*",
            ],
        ),
        ("山田太郎", ["*山*田*太*郎*"]),
        ("山田太郎さん", ["*山*田*太*郎*"]),
        ("山田 太郎", ["*山田?太郎*", "*山田太郎*"]),
        ("山田　太郎", ["*山田?太郎*", "*山田太郎*"]),
        ("김철수", ["*김*철*수*"]),
        ("ジョン・スミス", ["*ジョン?スミス*", "*ジョンスミス*"]),
    ],
)
def test_a_name_is_read_as_people_mean_it(text: str, first_rank: list[str]) -> None:
    assert keys(text)[0] == first_rank


def test_dicoms_own_form_has_one_reading() -> None:
    for text in ("Doe^Jane", "Doe*", "A=B", "Do?"):
        assert keys(text) == [[text]]


@pytest.mark.parametrize("text", ["", " ", "*", "**", "^", "*^*", "?*", "= =", "\n"])
def test_what_has_no_letter_of_a_name_has_no_reading(text: str) -> None:
    assert readings(text) == ()


def test_the_last_resort_is_the_longest_word_anywhere() -> None:
    assert keys("Jane Doe")[1:] == [["*Jane*"]]
    assert keys("Weber")[1:] == [["*Weber*"]]
    assert keys("Ana de la Cruz")[1:] == [["*Cruz*"]]


def test_a_name_without_spaces_may_be_split_in_every_place() -> None:
    assert keys("山田太郎") == [["*山*田*太*郎*"]]
    assert keys("김철수") == [["*김*철*수*"]]


def test_four_names_are_split_in_every_place_and_both_orders() -> None:
    (rank, _) = keys("María José García López")
    assert len(rank) == 7
    assert {"García?López^María?José*", "María?José^García?López*"} <= set(rank)
    assert "María José García López*" in rank


def test_a_name_in_two_scripts_is_looked_for_in_each() -> None:
    assert keys("Yamada 山田太郎")[0] == ["*山*田*太*郎*"]
    assert ["Yamada^*", "Yamada"] in keys("Yamada 山田太郎")
    assert keys("Yamada Tarou (山田太郎)") == keys("Yamada Tarou")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Jane Doe", ["Doe^Jane", "DOE^JANE^MARY", "Jane^Doe", "Jane Doe", "Doe^Jane^^Dr"]),
        ("Anna Maria Weber", ["Weber^Anna Maria", "Weber^Anna^Maria", "Weber^Anna-Maria"]),
        ("Weber", ["Weber", "Weber^Anna"]),
        ("Jan van der Berg", ["van der Berg^Jan"]),
        ("María García López", ["García López^María", "García-López^María", "García^María López"]),
        ("山田太郎", ["Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎"]),
        ("山田 太郎", ["Yamada^Tarou=山田^太郎=やまだ^たろう", "山田 太郎"]),
    ],
)
def test_the_readings_find_the_ways_archives_hold_a_name(text: str, values: list[str]) -> None:
    asked = [reading.key for rank in readings(text) for reading in rank]
    for value in values:
        assert any(matches("PN", key, [value]) for key in asked), value


def test_each_reading_says_what_it_means() -> None:
    said = [reading.said for rank in readings("Jane Doe") for reading in rank]
    assert said[0] == "family name Doe, given name Jane"
    assert said[1] == "family name Jane, given name Doe"
    assert said[2] == "family name Jane Doe"
    assert said[3] == "Jane and Doe anywhere in the name"


@given(WRITTEN)
@example("0== =")
def test_every_reading_can_be_sent_and_asks_for_somebody(text: str) -> None:
    ranks = readings(text)
    seen = [reading.key for rank in ranks for reading in rank]
    assert len(seen) == len(set(seen))
    assert all(0 < len(rank) <= 7 for rank in ranks)
    for key in seen:
        assert not is_universal("PN", key)
        assert checked(key, "PN", argument="name") == key.strip() == key
        for way in (*spellings(key), *in_other_case(key)):
            assert all(len(group) <= 64 for group in way.split("="))


@given(WRITTEN)
def test_the_wildcards_of_a_text_survive(text: str) -> None:
    for reading in readings(text)[0] if "?" in text and readings(text) else ():
        assert "?" in reading.key or len(reading.key) >= 64 or text.count("=") > 2


@given(WRITTEN, WRITTEN)
@example("'^", "")
def test_no_text_breaks_the_comparison_and_nobody_has_no_name(text: str, value: str) -> None:
    is_same = same_name(text)
    assert is_same(value) is is_same(f"{value}=")
    assert not is_same("")


@given(
    st.lists(st.sampled_from(["Jane", "Doe", "Ann", "Smith"]), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(["JANE", "DOE", "ANN", "SMITH"]), max_size=4, unique=True),
)
def test_a_name_is_the_same_where_each_of_its_words_is_one_of_the_value(
    words: list[str], value: list[str]
) -> None:
    expected = {word.upper() for word in words} <= set(value)
    assert same_name(" ".join(words))("^".join(value)) is expected


@pytest.mark.parametrize(
    ("key", "ways"),
    [
        ("Müller^*", ["Mueller^*", "Muller^*"]),
        ("Mueller^*", ["Müller^*", "Muller^*"]),
        ("Muller^*", ["Müller^*", "Mueller^*"]),
        ("MUELLER", ["MÜLLER", "MULLER"]),
        ("mueller", ["müller", "muller"]),
        ("Boehnke^*", ["Böhnke^*"]),
        ("Weiß", ["Weiss"]),
        ("Weiss", ["Weiß"]),
        ("Sørensen", ["Soerensen", "Sorensen"]),
        ("Soerensen", ["Sørensen"]),
        ("Aase", ["Åse"]),
        ("Åse", ["Aase", "Ase"]),
        ("Kjær", ["Kjaer"]),
        ("Kjaer", ["Kjær"]),
        ("Muñoz", ["Munoz"]),
        ("Munoz", ["Muñoz"]),
        ("Garcia?Lopez^Jose*", ["García?López^José*"]),
        ("René^*", ["Rene^*"]),
        ("Łukasz", ["Lukasz"]),
        ("Çelik", ["Celik"]),
        ("Þór", ["Thor"]),
        ("Семёнов", ["Семенов"]),
        ("O'Brien^*", ["OBrien^*"]),
        ("ÜBEL", ["UEBEL", "UBEL"]),
        ("Übel", ["Uebel"]),
    ],
)
def test_letters_are_transcribed_both_ways(key: str, ways: list[str]) -> None:
    found = spellings(key)
    assert found[0] == key
    assert set(ways) <= set(found), found


@pytest.mark.parametrize(
    "key", ["Bauer^*", "Doe^Joe", "Maas", "Michael^Manuel*", "Queen", "Isaac", "山田^太郎", ""]
)
def test_a_name_that_is_no_transcription_stays_as_it_is(key: str) -> None:
    assert spellings(key) == (key,)


@given(WRITTEN)
def test_spellings_are_few_distinct_and_keep_the_wildcards(text: str) -> None:
    ways = spellings(text)
    assert ways[0] == text
    assert len(ways) == len(set(ways)) <= 6
    for way in ways:
        assert [c for c in way if c in "*?^="] == [c for c in text if c in "*?^="]


@pytest.mark.parametrize(
    ("key", "ways"),
    [
        ("doe^jane", ["?oe^?ane", "DOE^JANE"]),
        ("Doe^Jane*", ["?oe^?ane*", "DOE^JANE*"]),
        ("DOE^JANE", ["?oe^?ane"]),
        ("ct chest", ["?? ?hest", "CT CHEST"]),
        ("mrt knie", ["??? ?nie", "MRT KNIE"]),
        ("lws", ["?ws", "LWS"]),
        ("mcdonald^al", ["?c?onald^??", "MCDONALD^AL"]),
        ("o'brien^*", ["?'?rien^*", "O'BRIEN^*"]),
        ("özdemir^*", ["*zdemir^*", "ÖZDEMIR^*"]),
        ("strauß", ["?trauß", "STRAUß", "STRAUSS"]),
        ("山田", []),
        ("ct", ["CT"]),
        ("*", []),
    ],
)
def test_other_case_leaves_open_what_may_be_a_capital(key: str, ways: list[str]) -> None:
    assert list(in_other_case(key)) == ways


# At most 40 characters with a word of four letters or more, and no space at either end.
_TEXTS = st.builds(
    "{}{}{}".format,
    st.from_regex("([a-j]{1,6}[ ^]){0,2}", fullmatch=True),
    st.text("abcdefghij", min_size=4, max_size=12),
    st.from_regex("([ ^][a-j]{1,6}){0,2}", fullmatch=True),
)


@given(_TEXTS, st.sampled_from("ultc"))
def test_a_key_in_other_case_finds_the_text_in_the_usual_cases(text: str, case: str) -> None:
    value = {"u": text.upper(), "l": text, "t": text.title(), "c": text.capitalize()}[case]
    asked = [text, *in_other_case(text)]
    assert any(matches("LO", key, [value]) for key in asked), asked


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Jane Doe", "Doe^Jane"),
        ("Jane Doe", "Jane^Doe"),
        ("Jane Doe", "DOE^JANE^MARY"),
        ("doe jane", "Doe^Jane=X^Y"),
        ("Doe, Jane", "Doe Jane"),
        ("Dr. Jane Doe", "Doe^Jane^^Dr"),
        ("J. Doe", "Doe^Jane"),
        ("Müller", "MUELLER^ANNA"),
        ("Mueller", "Müller^Anna"),
        ("Muller", "Mueller^Anna"),
        ("Weber", "Meier-Weber^Eva"),
        ("Anna", "Weber^Anna"),
        ("Jose Garcia", "García López^José"),
        ("Jan van der Berg", "Vanderberg^Jan"),
        ("Jan van der Berg", "Berg^Jan^^van der"),
        ("O'Brien", "OBRIEN^PAT"),
        ("O'Brien", "O Brien^Pat"),
        ("OBrien", "O'Brien^Pat"),
        ("Anne-Marie Dubois", "Dubois^Annemarie"),
        ("Annemarie Dubois", "Dubois^Anne-Marie"),
        ("山田太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("山田 太郎", "山田太郎"),
        ("山田", "山田^太郎"),
        ("Yamada 山田太郎", "Yamada^Tarou=山田^太郎"),
        ("Иванов Семён", "Иванов^Семен"),
        ("Doe^Ja*", "Doe^Jane"),
    ],
)
def test_the_person_is_recognised(text: str, value: str) -> None:
    assert same_name(text)(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Jane Doe", "Doe^Janet"),
        ("Jane Doe", "Doe^John"),
        ("Jane Doe", "Doe^John=Roe^Jane"),
        ("Jane Doe", ""),
        ("Weber", "Webermann^Eva"),
        ("Anna", "An^Na"),
        ("Joe Doe", "Doe^Jo"),
        ("Michael", "Michał^Jan"),
        ("Jan Boer", "Bor^Jan"),
        ("王明", "王明華"),
        ("山田太郎", "山田^太"),
        ("K. Doe", "Doe^Jane"),
        ("", "Doe^Jane"),
    ],
)
def test_another_person_is_not(text: str, value: str) -> None:
    assert not same_name(text)(value)
