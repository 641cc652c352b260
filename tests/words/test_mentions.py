"""What reports say of a word, in four languages."""

import pytest

from dicom_mcp.words.mentions import Mention, Wanted, mentions, sentences

SAID, DENIED, OPEN = Mention.SAID, Mention.DENIED, Mention.OPEN

TOLD: list[tuple[str, str, list[Mention]]] = [
    # English
    ("nodule", "There is a 5 mm nodule in the right upper lobe.", [SAID]),
    ("nodule", "No pulmonary nodule.", [DENIED]),
    ("nodule", "No pleural effusion, pneumothorax, consolidation or pulmonary nodules.", [DENIED]),
    ("nodule", "No effusion, 5 mm nodule in the right upper lobe.", [SAID]),
    ("nodule", "No effusion. Nodule on the left.", [SAID]),
    ("nodule", "No effusion but a nodule on the left.", [SAID]),
    ("nodule", "Nodules are not seen.", [DENIED]),
    ("nodule", "The nodule is no longer seen.", [DENIED]),
    ("nodule", "A nodule cannot be excluded.", [OPEN]),
    ("nodule", "Indication: rule out nodule.", [OPEN]),
    ("nodule", "No change of the nodule.", [SAID]),
    ("nodule", "No significant interval change in the nodule size.", [SAID]),
    ("nodule", "No new nodule.", [OPEN]),
    ("nodule", "No calcification in the nodule.", [OPEN]),
    ("calcification", "Nodule without calcification.", [DENIED]),
    ("nodule", "The scan does not show a nodule.", [DENIED]),
    ("nodule", "This is not a nodule.", [DENIED]),
    ("nodule", "Nodule: none", [DENIED]),
    ("nodule", "Nodule?", [OPEN]),
    ("nodule", "Not only a nodule, also an effusion.", [SAID]),
    ("ground glass", "Ground-glass opacities on both sides", [SAID]),
    ("nodule", "Two nodules. No nodule on the left.", [SAID, DENIED]),
    ("effusion", "Normal heart.", []),
    ("metastasis", "No metastases.", [DENIED]),
    ("metastases", "A single metastasis.", [SAID]),
    ("nodules", "One nodule.", [SAID]),
    ("masses", "A mass.", [SAID]),
    ("diseases", "Known disease.", [SAID]),
    ("thrombus", "Thrombi in both legs.", [SAID]),
    ("thrombus", "Thrombosis.", []),
    ("abnormality", "No abnormalities.", [DENIED]),
    ("nodule", "CT without contrast shows a nodule.", [SAID]),
    ("nodule", "CT chest without IV contrast: nodule in the right lobe", [SAID]),
    ("nodule", "A patient without fever has a nodule.", [SAID]),
    ("nodule", "No evidence of: nodule, mass.", [DENIED]),
    ("nodule", "I do not see a nodule.", [DENIED]),
    ("nodule", "No priors, nodule in the left lobe.", [SAID]),
    ("nodule", "The nodule was not seen on the prior examination.", [OPEN]),
    ("embolism", "Not suggestive of embolism.", [OPEN]),
    ("embolism", "Unlikely to be an embolism.", [OPEN]),
    ("cancer", "Family history of breast cancer.", [OPEN]),
    ("rundherd", "CT ohne Kontrastmittel, Rundherd rechts.", [SAID]),
    # German
    ("rundherd", "Kein Rundherd.", [DENIED]),
    ("rundherd", "Keine Rundherde, kein Erguss.", [DENIED]),
    ("*rundherd", "5 mm großer Lungenrundherd rechts.", [SAID]),
    ("rundherd", "5 mm großer Lungenrundherd rechts.", []),
    ("erguss", "Ein Erguß ist nicht nachweisbar.", [DENIED]),
    ("erguss", "Erguss nicht sicher abgrenzbar.", [DENIED]),
    ("Rundherd", "Ein Rundherd ist nicht sicher auszuschließen.", [OPEN]),
    ("Rundherd", "Keine Größenzunahme des Rundherdes.", [SAID]),
    ("Rundherd", "Keine neuen Rundherde.", [OPEN]),
    ("Rundherd", "Weder Erguss noch Rundherd.", [DENIED]),
    ("Rundherd", "Kein Erguss, jedoch ein Rundherd links.", [SAID]),
    ("Rundherd", "Fragestellung: Rundherd", [OPEN]),
    ("Metastase", "Ohne Nachweis von Metastasen", [DENIED]),
    ("Rundherd", "Nicht nur ein Rundherd.", [SAID]),
    # French
    ("nodule", "Pas de nodule pulmonaire.", [DENIED]),
    ("nodule", "Absence d'épanchement et de nodule.", [DENIED]),
    ("épanchement", "Absence d’épanchement.", [DENIED]),
    ("nodule", "On ne voit pas de nodule.", [DENIED]),
    ("nodule", "Aucun nodule suspect", [DENIED]),
    ("nodule", "Nodule de 5 mm du lobe supérieur droit, sans épanchement.", [SAID]),
    ("nodule", "Pas d'épanchement mais nodule de 5 mm.", [SAID]),
    ("nodule", "Le nodule n'est pas retrouvé.", [DENIED]),
    ("nodule", "Le nodule n'est pas augmenté de taille.", [SAID]),
    ("nodule", "Un nodule ne peut être formellement exclu.", [OPEN]),
    ("nodule", "Recherche de nodule.", [OPEN]),
    ("nodule", "Sans modification du nodule.", [SAID]),
    ("nodule", "Pas de nouveau nodule.", [OPEN]),
    ("nodule", "Pas seulement un nodule.", [SAID]),
    # Spanish
    ("nódulo", "No se observan nodulos pulmonares.", [DENIED]),
    ("nodulo", "Sin nódulos ni derrame pleural.", [DENIED]),
    ("derrame", "Sin nódulos ni derrame pleural.", [DENIED]),
    ("nódulo", "Nódulo de 5 mm en el lóbulo superior derecho.", [SAID]),
    ("nódulo", "Sin derrame, sin embargo nódulo de 5 mm.", [SAID]),
    ("nódulo", "Sin derrame pero con nódulo de 5 mm.", [SAID]),
    ("nódulo", "Ausencia de nódulos", [DENIED]),
    ("nódulo", "Nódulos no se visualizan.", [DENIED]),
    ("nódulo", "Nódulo: no", [DENIED]),
    ("nódulo", "No se puede descartar un nódulo.", [OPEN]),
    ("nódulo", "El nódulo está descartado.", [DENIED]),
    ("nódulo", "Sin cambios en el nódulo.", [SAID]),
    ("nódulo", "No solo un nódulo.", [SAID]),
    ("nódulo", "Motivo: descartar nódulo", [OPEN]),
]  # fmt: skip


@pytest.mark.parametrize(("word", "text", "told"), TOLD)
def test_what_is_denied_is_not_said(word: str, text: str, told: list[Mention]) -> None:
    assert [*mentions(text, [Wanted.of(word)])] == told


def test_a_sentence_goes_on_in_the_next_line_where_lines_are_full() -> None:
    wrapped = (
        "The lungs are clear on both sides, and there is no evidence of any\n"
        "nodule or mass.\n\nLiver: normal\nKidneys: nodule on the left"
    )
    assert [*mentions(wrapped, [Wanted.of("nodule")])] == [DENIED, SAID]
    assert [*mentions("No effusion\nNodule on the right", [Wanted.of("nodule")])] == [SAID]
    assert len(sentences("3.5 cm large. No effusion.")) == 2


@pytest.mark.parametrize("nothing", ["", " ", "*", "--"])
def test_no_word_cannot_be_looked_for(nothing: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        Wanted.of(nothing)
