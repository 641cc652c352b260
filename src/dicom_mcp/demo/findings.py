"""What the demo hospital's reports say: findings and impression of each study.

English in ASCII, so that it can be written in the character set of every patient.
"""

from collections.abc import Mapping

FINDINGS: Mapping[str, tuple[str, str]] = {
    "nodule x-ray": (
        "Heart of normal size. No effusion. Faint round opacity over the right upper field.",
        "Possible pulmonary nodule. CT recommended.",
    ),
    "nodule ct first": (
        "Solid nodule of 6 mm in the right upper lobe. No enlarged lymph nodes. Normal heart.",
        "Solitary pulmonary nodule, 6 mm. CT control in 6 months recommended.",
    ),
    "nodule ct follow-up": (
        "The nodule in the right upper lobe has grown from 6 mm to 9 mm. No effusion.",
        "Growing pulmonary nodule, suspicious of malignancy. Biopsy recommended.",
    ),
    "brain mr first": ("No mass, no bleeding, no acute ischaemia.", "Normal MR of the brain."),
    "brain mr second": ("Unchanged. No new lesion.", "No change since the previous MR."),
    "brain ecg": ("Sinus rhythm, 75/min. No change of the ST segment.", "Normal ECG."),
    "knee mr": (
        "Menisci and cruciate ligaments intact. Fluid in the joint.",
        "Effusion of the right knee, no tear.",
    ),
    "knee x-ray": (
        "Lucent lesion with a sclerotic rim in the distal tibia. No fracture.",
        "Benign lesion of the tibia, probably a non-ossifying fibroma.",
    ),
    "klaus ct": ("Lungs clear. No effusion. Normal heart.", "Normal CT of the chest."),
    "klaus x-ray": (
        "No fracture. Well-defined lucent lesion in the distal tibia.",
        "No fracture. Incidental benign lesion.",
    ),
    "anna elder ct": ("Lungs clear. No pulmonary nodule.", "Normal CT of the chest."),
    "anna elder ecg": ("Sinus rhythm, 75/min. Normal intervals.", "Normal ECG."),
    "anna younger mr": (
        "Menisci, ligaments and cartilage intact.",
        "Normal MR of the left knee.",
    ),
    "anna younger ultrasound": (
        "Oval lymph node of 2 cm with vessels from its hilum.",
        "Reactive lymph node. Control in 6 weeks.",
    ),
    "therapy ct": (
        "Tumour of 4 cm in the left lung. Planned: 30 fractions of 2 Gy, two opposed fields.",
        "Planning CT, 60 Gy prescribed to the PTV.",
    ),
    "therapy follow-up": (
        "Scar of 14 mm where the tumour of the left lung was. No new nodule.",
        "Good response to radiotherapy.",
    ),
    "heart echo": (
        "Left ventricle of normal size and function. Valves without relevant regurgitation.",
        "Normal echocardiogram.",
    ),
    "heart ecg first": ("Sinus rhythm, 75/min. Normal axis.", "Normal ECG."),
    "heart ecg second": ("Sinus rhythm, 75/min. No change.", "Normal ECG, unchanged."),
    "child ultrasound": (
        "Enlarged oval lymph nodes on both sides, well perfused. No abscess.",
        "Lymphadenitis.",
    ),
    "child x-ray": (
        "No fracture. Small lucent lesion in the distal tibia.",
        "No fracture. Incidental benign lesion.",
    ),
    "back mr": (
        "Two worn discs with low signal. No stenosis. The first series was repeated.",
        "Degenerative discs, no compression of nerves.",
    ),
    "back mr first": (
        "Low signal of two lumbar discs. Spinal canal wide.",
        "Beginning degeneration of two discs.",
    ),
    "smoker ct last year": ("No pulmonary nodule. Mild emphysema.", "Screening negative."),
    "smoker ct before": ("No pulmonary nodule.", "Screening negative."),
    "smoker x-ray": (
        "Several round opacities of up to 4 cm in both lungs.",
        "Suspected metastases. CT recommended.",
    ),
}
