"""The DICOM network protocol: an archive asked by C-ECHO and C-FIND."""
