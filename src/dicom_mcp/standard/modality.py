"""Codes of modality."""

# Codes of what is no image (PS3.3 C.7.3.1.1.1): reports, states, structures, plans, documents.
NOT_IMAGES = frozenset(
    {
        *("ASMT", "AU", "CTPROTOCOL", "DOC", "FID", "KO", "M3D", "PLAN", "PR", "REG", "RTDOSE"),
        *("RTINTENT", "RTPLAN", "RTRAD", "RTRECORD", "RTSEGANN", "RTSTRUCT", "RWV", "SEG", "SMR"),
        *("SR", "SRF", "TEXTUREMAP", "XAPROTOCOL"),
    }
)
