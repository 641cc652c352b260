"""The conclusion of a report without codes, found by the headings people write."""

import pytest

from dicom_mcp.content.conclusion import of_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Findings: clear.\nImpression: No embolism.\n", "No embolism."),
        ("CONCLUSION\nStable nodule.\n\nSigned: Dr X", "Stable nodule.\n\nSigned: Dr X"),
        (
            "IMPRESSION: Large pulmonary embolism.\nRECOMMENDATION: CT in 3 months.",
            "IMPRESSION: Large pulmonary embolism.\nRECOMMENDATION: CT in 3 months.",
        ),
        (
            "Beurteilung:\nKeine Fraktur.\nEmpfehlung: MRT",
            "Beurteilung: Keine Fraktur.\nEmpfehlung: MRT",
        ),
        ("IMPRESSION:\nNO ACUTE DISEASE\nSTABLE NODULE", "NO ACUTE DISEASE\nSTABLE NODULE"),
        ("Impression:\nNo change.\nTechnique:\n3 mm", "No change."),
        ("In summary no acute findings were seen.", ""),
        ("IMPRESSION No acute findings\nSigned Dr X", ""),
        ("Nothing of the kind", ""),
    ],
)
def test_what_stands_below_a_heading_is_the_conclusion(text: str, expected: str) -> None:
    assert of_text(text) == expected
