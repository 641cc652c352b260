"""An archive to try dicom-mcp on: invented patients, real DICOM."""
