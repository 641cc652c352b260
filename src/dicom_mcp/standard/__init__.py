"""What the DICOM standard says, as tables and pure functions. No sockets, files or clock."""
