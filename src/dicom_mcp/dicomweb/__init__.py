"""The DICOM web services (PS3.18): the same questions as over DIMSE, asked over HTTP."""
